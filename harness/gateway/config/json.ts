/** What keeps a text from being JSON. */
export class JsonFault extends Error {
  /** Counted from 1. */
  readonly line: number
  /** The name that stands twice in one object, where that is the fault. */
  readonly twice: string | undefined

  constructor(message: string, line: number, twice?: string) {
    super(message)
    this.line = line
    this.twice = twice
  }
}

const SPACE = /[\t\n\r ]*/y
const SPACE_AND_COMMENTS = /(?:[\t\n\r ]|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y
// eslint-disable-next-line no-control-regex -- the characters that a string must not hold as they are
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4}))*"/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /true|false|null/y

/** Nesting that a file may have. */
const MOST_NESTING = 100

/**
 * Parses JSON (RFC 8259); `relaxed` permits comments and trailing commas. Unlike JSON.parse it always knows the line
 * of a fault, and a name that stands twice is one: else the last would win, and a secured route could be replaced by
 * an open one further down.
 */
export function parseJson(text: string, relaxed = false): unknown {
  const space = relaxed ? SPACE_AND_COMMENTS : SPACE
  let at = text.startsWith('\uFEFF') ? 1 : 0
  let depth = 0

  const fault = (message: string, twice?: string): JsonFault =>
    new JsonFault(message, text.slice(0, at).split('\n').length, twice)

  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    if (found === undefined) return undefined
    at += found.length
    return found
  }

  /** The next character that is no white space. */
  const peek = (): string => {
    take(space)
    return text[at] ?? ''
  }

  const expected = (what: string): JsonFault => {
    const found = peek()
    return fault(found === '' ? `${what} expected, but the file ends` : `${what} expected before ${found}`)
  }

  const string = (what: string): string => {
    const found = peek() === '"' ? take(STRING) : undefined
    if (found === undefined) throw expected(what)
    return JSON.parse(found) as string
  }

  /** Items up to the closing bracket, with commas between them. */
  const items = (end: string, item: () => void): void => {
    at += 1
    depth += 1
    if (depth > MOST_NESTING) throw fault('nested too deep')
    while (peek() !== end) {
      item()
      if (peek() === ',') {
        at += 1
        if (!relaxed && peek() === end) throw expected('a value')
      } else if (peek() !== end) throw expected(`, or ${end}`)
    }
    at += 1
    depth -= 1
  }

  const object = (): unknown => {
    const members = new Map<string, unknown>()
    items('}', () => {
      const name = string('a name in double quotes')
      if (members.has(name)) throw fault('a name stands twice', name)
      if (peek() !== ':') throw expected(':')
      at += 1
      members.set(name, value())
    })
    return Object.fromEntries(members)
  }

  const list = (): unknown => {
    const values: unknown[] = []
    items(']', () => {
      values.push(value())
    })
    return values
  }

  const value = (): unknown => {
    const next = peek()
    if (next === '{') return object()
    if (next === '[') return list()
    if (next === '"') return string('a whole string')
    const plain = take(WORD) ?? take(NUMBER)
    if (plain === undefined) throw expected('a value')
    return JSON.parse(plain)
  }

  const whole = value()
  if (peek() !== '') throw expected('the end')
  return whole
}
