/** What a value can be, as far as a configuration tells values apart. */
export type Kind = 'text' | 'number' | 'flag' | 'list' | 'object' | 'null' | 'any'

/** Longest text that is shown as it was given. */
const SHOWN_LENGTH = 60

/** Narrows to a JSON object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A value for a sentence; a text only where it is sure to be no credential. */
export function told(value: unknown, shown?: true): string {
  if (value === undefined) return 'nothing'
  if (value === '') return 'an empty text'
  if (typeof value === 'string') {
    const isShort = value.length <= SHOWN_LENGTH
    return shown && isShort ? JSON.stringify(value) : 'a text'
  }
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'function') return 'a function'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}

/** What the value is. */
export function kindOf(value: unknown): Kind {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'list'
  const kinds: Readonly<Record<string, Kind>> = { string: 'text', number: 'number', boolean: 'flag', object: 'object' }
  return kinds[typeof value] ?? 'any'
}

/** The path of a member of what is at the path. */
export function join(at: string, name: string): string {
  const isPlain = /^[\w$-]+$/u.test(name)
  if (!isPlain) return `${at}[${JSON.stringify(name)}]`
  return at === '' ? name : `${at}.${name}`
}
