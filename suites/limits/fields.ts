import type { Answer } from '../../harness/model/http.ts'

/** An item of a List with its parameters (RFC 9651 sections 3.1 and 3.1.2). */
export interface Item {
  readonly value: string
  readonly parameters: Readonly<Record<string, string | number | boolean | Uint8Array>>
}

const STRING = /^"((?:[\u0020\u0021\u0023-\u005b\u005d-\u007e]|\\["\\])*)"/u
const PARAMETER =
  /^; *([a-z*][a-z0-9_.*-]*)(?:=(?:(-?\d{1,15})(?![\d.])|"((?:[\u0020\u0021\u0023-\u005b\u005d-\u007e]|\\["\\])*)"|:([A-Za-z0-9+/]*={0,2}):|\?([01])|([A-Za-z*][\w!#$%&'*+.^`|~:/-]*)))?/u

/** A List of Strings; undefined where it is none. */
export function stringList(text: string): readonly Item[] | undefined {
  const items: Item[] = []
  let rest = text.trim()
  for (;;) {
    const string = STRING.exec(rest)
    if (!string) return undefined
    rest = rest.slice(string[0].length)
    const parameters: Record<string, string | number | boolean | Uint8Array> = {}
    for (let found = PARAMETER.exec(rest); found; found = PARAMETER.exec(rest)) {
      const [whole, name = '', integer, quoted, octets, flag, token] = found
      if (octets !== undefined) parameters[name] = Buffer.from(octets, 'base64')
      else if (integer !== undefined) parameters[name] = Number(integer)
      else parameters[name] = quoted ?? token ?? flag !== '0'
      rest = rest.slice(whole.length)
    }
    items.push({ value: string[1] ?? '', parameters })
    if (rest === '') return items
    const comma = /^[ \t]*,[ \t]*(?=.)/u.exec(rest)
    if (!comma) return undefined
    rest = rest.slice(comma[0].length)
  }
}

/** A field of several lines is one list (RFC 9110 section 5.3). */
export function fieldOf(answer: Answer, name: string): string | undefined {
  const lines = answer.header(name)
  return lines.length === 0 ? undefined : lines.join(', ')
}

/** What is wrong with the fields of draft-ietf-httpapi-ratelimit-headers-11, sections 3 and 4; empty where nothing is. */
export function wrongInFields(answer: Answer): readonly string[] {
  const wrong: string[] = []
  const read = (name: string): readonly Item[] => {
    const text = fieldOf(answer, name)
    if (text === undefined) return []
    const items = stringList(text)
    if (!items) wrong.push(`${name} is no List of Strings`)
    return items ?? []
  }
  const count = (item: Item, name: string, field: string, least: number, due: boolean): void => {
    const value = item.parameters[name]
    if (value === undefined && !due) return
    if (!Number.isInteger(value) || (value as number) < least) {
      wrong.push(`${name} of ${field} is no integer from ${least}`)
    }
  }
  const partition = (item: Item, field: string): void => {
    const { pk } = item.parameters
    if (pk !== undefined && !(pk instanceof Uint8Array)) wrong.push(`pk of ${field} is no Byte Sequence`)
  }
  for (const item of read('RateLimit-Policy')) {
    count(item, 'q', 'RateLimit-Policy', 0, true)
    count(item, 'w', 'RateLimit-Policy', 1, false)
    partition(item, 'RateLimit-Policy')
  }
  for (const item of read('RateLimit')) {
    count(item, 'r', 'RateLimit', 0, true)
    count(item, 't', 'RateLimit', 0, false)
    partition(item, 'RateLimit')
  }
  return wrong
}

/** Seconds that a Retry-After asks to wait, or undefined where it is neither of its two forms (RFC 9110 section 10.2.3). */
export function retrySeconds(text: string, nowSec: number): number | undefined {
  if (/^\d+$/u.test(text)) return Number(text)
  return HTTP_DATE.test(text) ? Date.parse(text) / 1000 - nowSec : undefined
}

/** The three forms of an HTTP-date (RFC 9110 section 5.6.7). */
const HTTP_DATE =
  /^(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, \d{2}-\w{3}-\d{2} \d{2}:\d{2}:\d{2} GMT|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \w{3} [\d ]\d \d{2}:\d{2}:\d{2} \d{4})$/u

/** Names of the older fields that answers had, in lower case. */
export function legacyFields(answer: Answer): readonly string[] {
  const names = answer.headers.map(([name]) => name.toLowerCase())
  return [
    ...new Set(
      names.filter((name) => /^(?:x-ratelimit-|x-rate-limit-|ratelimit-(?:limit|remaining|reset)$)/u.test(name)),
    ),
  ]
}

/** What is wrong with an answer of application/problem+json (RFC 9457 section 3.1); undefined where nothing is. */
export function wrongInProblem({ header, body, status }: Answer): string | undefined {
  if (!/^application\/problem\+json\b/iu.test(header('content-type')[0] ?? '') || body === '') return undefined
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return 'the problem is no JSON'
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'the problem is no object'
  const { status: told, type, 'violated-policies': violated } = value as Readonly<Record<string, unknown>>
  if (told !== undefined && told !== status) return `its status member is ${JSON.stringify(told)}, the status ${status}`
  if (type !== undefined && (typeof type !== 'string' || !URL.canParse(type, 'https://example.com'))) {
    return 'type is no URI reference'
  }
  const isList = Array.isArray(violated) && violated.every((name) => typeof name === 'string')
  return violated === undefined || isList ? undefined : 'violated-policies is no array of strings'
}
