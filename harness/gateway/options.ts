/** Says what an option should be where it is not; undefined where the value is good. */
export type OptionCheck = (value: unknown) => string | undefined

/** Options of a policy or handler by name, each with its check; an option that is not here stops the start-up. */
export interface OptionTable {
  readonly known: Readonly<Record<string, OptionCheck>>
  readonly required?: readonly string[]
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A text that is not empty. */
export const text: OptionCheck = (value) =>
  typeof value === 'string' && value !== '' ? undefined : 'a text that is not empty'

/** A text, empty too. */
export const anyText: OptionCheck = (value) => (typeof value === 'string' ? undefined : 'a text')

export const flag: OptionCheck = (value) => (typeof value === 'boolean' ? undefined : 'true or false')

/** A finite number of at least `least`. */
export const numberFrom =
  (least: number): OptionCheck =>
  (value) =>
    typeof value === 'number' && Number.isFinite(value) && value >= least ? undefined : `a number from ${least}`

/** A whole number of at least `least`. */
export const wholeFrom =
  (least: number): OptionCheck =>
  (value) =>
    Number.isSafeInteger(value) && Number(value) >= least ? undefined : `a whole number from ${least}`

/** One of the words. */
export const oneOf =
  (...words: readonly string[]): OptionCheck =>
  (value) =>
    words.includes(value as string) ? undefined : words.map((word) => JSON.stringify(word)).join(' or ')

/** A list whose every item passes. */
export const listOf =
  (item: OptionCheck): OptionCheck =>
  (value) => {
    if (!Array.isArray(value)) return 'a list'
    const wrong = value.map(item).find((due) => due !== undefined)
    return wrong === undefined ? undefined : `a list, each item ${wrong}`
  }

/** An object with these members, no others; `required` must be there. */
export const objectOf =
  (known: Readonly<Record<string, OptionCheck>>, required: readonly string[] = []): OptionCheck =>
  (value) => {
    if (!isObject(value)) return `an object with ${Object.keys(known).join(', ')}`
    const missing = required.find((name) => value[name] === undefined)
    if (missing !== undefined) return `an object with "${missing}"`
    for (const [name, member] of Object.entries(value)) {
      const due = Object.hasOwn(known, name)
        ? known[name]?.(member)
        : `left out (known: ${Object.keys(known).join(', ')})`
      if (due !== undefined) return `an object whose "${name}" is ${due}`
    }
    return undefined
  }

/** An object with any names, at least one, whose every member passes. */
export const mapOf =
  (item: OptionCheck): OptionCheck =>
  (value) => {
    if (!isObject(value) || Object.keys(value).length === 0) return 'an object with at least one member'
    const [name, due] = Object.entries(value)
      .map(([name, member]) => [name, item(member)] as const)
      .find(([, due]) => due !== undefined) ?? ['']
    return due === undefined ? undefined : `an object whose "${name}" is ${due}`
  }

/** Any JSON object. */
export const anyObject: OptionCheck = (value) => (isObject(value) ? undefined : 'an object')

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/u

/** A field name (RFC 9110 section 5.1). */
export const headerName: OptionCheck = (value) =>
  typeof value === 'string' && HEADER_NAME.test(value) ? undefined : 'a header name such as "X-Api-Key"'

/** A field value without control characters (RFC 9110 section 5.5). */
export const headerValue: OptionCheck = (value) =>
  // eslint-disable-next-line no-control-regex -- the octets that a field value must not hold
  typeof value === 'string' && !/[\u0000-\u0008\u000a-\u001f\u007f\u0100-\uffff]/u.test(value)
    ? undefined
    : 'a text without control characters'
