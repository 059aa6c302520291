import type { Answer } from '../../harness/model/http.ts'
import { listOf } from './structured.ts'
import type { BareItem, Member } from './structured.ts'

/** Which form of fields an answer tells limits in. */
export const FORMS = {
  structured: 'RateLimit and RateLimit-Policy as structured fields (draft-ietf-httpapi-ratelimit-headers-08 on)',
  dictionary: 'RateLimit as "limit=, remaining=, reset=" (draft-ietf-httpapi-ratelimit-headers-07)',
  separate: 'RateLimit-Limit, -Remaining and -Reset (draft-ietf-httpapi-ratelimit-headers-00 to -06)',
  legacy: 'X-RateLimit-*',
} as const

export type Form = keyof typeof FORMS

/** What an answer says of one limit, in whatever form; seconds. */
export interface Told {
  readonly form: Form
  readonly limit?: number
  readonly remaining?: number
  readonly resetSec?: number
}

/** The value of a list field: its lines joined (RFC 9651 section 4.2); undefined without one. */
export function valueOf(answer: Pick<Answer, 'header'>, name: string): string | undefined {
  const lines = answer.header(name)
  return lines.length === 0 ? undefined : lines.join(', ')
}

/** Everything that an answer says of limits, in every form that it has. */
export function toldBy(answer: Pick<Answer, 'header' | 'headers'>): readonly Told[] {
  return [
    ...structuredOf(answer),
    ...dictionaryOf(answer),
    ...prefixed(answer, 'RateLimit', 'separate'),
    ...legacyOf(answer),
  ]
}

function structuredOf(answer: Pick<Answer, 'header'>): readonly Told[] {
  const [members, policies] = ['RateLimit', 'RateLimit-Policy'].map((name) => {
    const value = valueOf(answer, name)
    return (value === undefined ? undefined : listOf(value))?.filter(({ item }) => isString(item))
  })
  if (!members || members.length === 0) {
    return (policies ?? []).map((policy) => ({ form: 'structured', ...numberAs('limit', policy.parameters.get('q')) }))
  }
  return members.map((member) => {
    const policy = policies?.find((one) => nameOf(one) === nameOf(member))
    return {
      form: 'structured',
      ...numberAs('limit', policy?.parameters.get('q')),
      ...numberAs('remaining', member.parameters.get('r')),
      ...numberAs('resetSec', member.parameters.get('t')),
    }
  })
}

/** Draft 07: a Dictionary of Integers. */
function dictionaryOf(answer: Pick<Answer, 'header'>): readonly Told[] {
  const value = valueOf(answer, 'RateLimit') ?? ''
  const found = new Map(
    [...value.matchAll(/(?:^|,)\s*(limit|remaining|reset)=(-?\d+)/gu)].map(([, name, number]) => [name, number]),
  )
  if (found.size === 0) return []
  return [{ form: 'dictionary', ...told(found.get('limit'), found.get('remaining'), found.get('reset')) }]
}

function prefixed(answer: Pick<Answer, 'header'>, prefix: string, form: Form): readonly Told[] {
  const [limit, remaining, reset] = ['Limit', 'Remaining', 'Reset'].map((part) => answer.header(`${prefix}-${part}`)[0])
  if (limit === undefined && remaining === undefined && reset === undefined) return []
  return [{ form, ...told(limit, remaining, reset) }]
}

/** X-RateLimit-Limit and its relatives, such as X-RateLimit-Limit-Minute; those without a number of their own count too. */
function legacyOf(answer: Pick<Answer, 'header' | 'headers'>): readonly Told[] {
  const names = answer.headers.filter(([name]) => /^x-rate-?limit-/iu.test(name))
  if (names.length === 0) return []
  const plain = [...prefixed(answer, 'X-RateLimit', 'legacy'), ...prefixed(answer, 'X-Rate-Limit', 'legacy')]
  return plain.length === 0 ? [{ form: 'legacy' }] : plain
}

function told(limit: string | undefined, remaining: string | undefined, reset: string | undefined): Omit<Told, 'form'> {
  const number = (text: string | undefined): number | undefined => {
    const [digits] = /^-?\d+/u.exec(text ?? '') ?? []
    return digits === undefined ? undefined : Number(digits)
  }
  const [one, two, three] = [number(limit), number(remaining), number(reset)]
  return {
    ...(one === undefined ? {} : { limit: one }),
    ...(two === undefined ? {} : { remaining: two }),
    ...(three === undefined ? {} : { resetSec: three }),
  }
}

function numberAs<Name extends string>(name: Name, item: BareItem | undefined): { readonly [N in Name]?: number } {
  return item?.type === 'integer' ? ({ [name]: item.value } as { readonly [N in Name]: number }) : {}
}

const isString = (item: Member['item']): boolean => item !== 'inner-list' && item.type === 'string'

function nameOf({ item }: Member): unknown {
  return item === 'inner-list' ? undefined : item.value
}

/** Members that a list of limits must have, and may have (draft-ietf-httpapi-ratelimit-headers-11 sections 3 and 4). */
const SHAPES = {
  'RateLimit-Policy': { due: 'q', least: { q: 0, w: 1 } },
  RateLimit: { due: 'r', least: { r: 0, t: 0 } },
} as const satisfies Record<string, { readonly due: string; readonly least: Readonly<Record<string, number>> }>

/** What is wrong with the value of one of the fields: clauses in lower case, without key material. */
export function wrongWith(name: keyof typeof SHAPES, value: string): readonly string[] {
  const members = listOf(value)
  if (!members) return ['it is no list of structured items']
  if (members.length === 0 && name === 'RateLimit-Policy') return ['it is empty']
  const { due, least } = SHAPES[name]
  return members.flatMap(({ item, parameters }) => [
    ...(isString(item) ? [] : ['an item is no string']),
    ...(parameters.has(due) ? [] : [`${due} is missing`]),
    ...Object.entries(least).flatMap(([parameter, lowest]) => {
      const given = parameters.get(parameter)
      if (given === undefined || (given.type === 'integer' && given.value >= lowest)) return []
      return [`${parameter} is no whole number from ${lowest}`]
    }),
    ...(['bytes', undefined].includes(parameters.get('pk')?.type) ? [] : ['pk is no byte sequence']),
    ...(['string', undefined].includes(parameters.get('qu')?.type) ? [] : ['qu is no string']),
  ])
}

/** Partition keys, decoded. */
export function partitionsIn(value: string): readonly Uint8Array[] {
  return (listOf(value) ?? []).flatMap(({ parameters }) => {
    const pk = parameters.get('pk')
    return pk?.type === 'bytes' ? [pk.value] : []
  })
}

/** Shortest time of the value after which more is left: of the limits that are used up, or else of all. */
export function soonestIn(value: string): number | undefined {
  const members = (listOf(value) ?? []).map(({ parameters }) => ({
    ...numberAs('remaining', parameters.get('r')),
    ...numberAs('time', parameters.get('t')),
  }))
  const used = members.filter(({ remaining }) => remaining === 0)
  const times = (used.length > 0 ? used : members).flatMap(({ time }) => (time === undefined ? [] : [time]))
  return times.length === 0 ? undefined : Math.min(...times)
}
