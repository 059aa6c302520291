import { TrustspecError } from '../../model/errors.ts'
import { nearest } from '../../model/nearest.ts'

/** Characters of a field that are shown. */
const MOST_CHARACTERS = 250

/** Where in a project something stands. */
export interface Place {
  /** Relative to the folder of the project. */
  readonly file: string
  /** JSON pointer in it (RFC 6901). */
  readonly at: string
}

/** A project that cannot be started: what is wrong, where, and what to write instead. */
export function wrong(
  message: string,
  { file, at }: Place,
  fields: Readonly<Record<string, string | number>>,
  cause?: unknown,
): TrustspecError {
  const { instead, ...what } = fields
  const details = Object.entries(at === '' ? what : { at, ...what }).map(([name, value]) => [name, readable(value)])
  return new TrustspecError(
    'ERR_GATEWAY_PROJECT',
    message,
    { file, ...(Object.fromEntries(details) as typeof fields), ...(instead === undefined ? {} : { instead }) },
    cause === undefined ? {} : { cause },
  )
}

/** A field in the length of a sentence, and in one line, whatever a file of a project holds. */
function readable(value: string | number): string | number {
  if (typeof value === 'number') return value
  const text = value.length > MOST_CHARACTERS ? `${value.slice(0, MOST_CHARACTERS)}…` : value
  return text.replaceAll(/\p{Cc}/gu, (control) => `\\u00${control.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

/** The place of a member. */
export function within({ file, at }: Place, ...members: readonly (string | number)[]): Place {
  const tail = members.map((member) => `/${String(member).replaceAll('~', '~0').replaceAll('/', '~1')}`)
  return { file, at: `${at}${tail.join('')}` }
}

/** Narrows to a JSON object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object at a place, whose members are among the known ones. */
export function objectAt(value: unknown, place: Place, known?: readonly string[]): Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw wrong('This has to be an object', place, { given: kindOf(value), instead: 'an object' })
  const unknown = known && Object.keys(value).find((name) => !known.includes(name))
  if (unknown !== undefined && known) {
    throw wrong('There is no such member', within(place, unknown), { given: unknown, instead: nearest(unknown, known) })
  }
  return value
}

/** The list at a place. */
export function listAt(value: unknown, place: Place): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw wrong('This has to be a list', place, { given: kindOf(value), instead: 'a list' })
}

/** The text at a place. */
export function textAt(value: unknown, place: Place, instead: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw wrong('This has to be a text', place, { given: value === '' ? 'an empty text' : kindOf(value), instead })
}

/** True or false at a place; `otherwise` where nothing stands there. */
export function flagAt(value: unknown, otherwise: boolean, place: Place): boolean {
  if (value === undefined) return otherwise
  if (typeof value === 'boolean') return value
  throw wrong('This has to be true or false', place, { given: kindOf(value), instead: String(otherwise) })
}

/** A text as it stands, and of any other value its kind. */
export function shown(value: unknown): string {
  return typeof value === 'string' ? value : kindOf(value)
}

/** What kind of value something is, without the value: it may hold a secret of the environment. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string') return 'a text'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
