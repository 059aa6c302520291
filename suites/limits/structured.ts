/** A bare item of a structured field (RFC 9651 section 3.3), with its type. */
export type BareItem =
  | { readonly type: 'integer' | 'decimal' | 'date'; readonly value: number }
  | { readonly type: 'string' | 'token' | 'display-string'; readonly value: string }
  | { readonly type: 'bytes'; readonly value: Uint8Array }
  | { readonly type: 'boolean'; readonly value: boolean }

/** A member of a list: an item with its parameters; inner lists have no value of their own. */
export interface Member {
  readonly item: BareItem | 'inner-list'
  readonly parameters: ReadonlyMap<string, BareItem>
}

class NotStructured extends Error {}

const NUMBER = /^-?\d+(?:\.\d+)?/u
const STRING = /^"((?:[ !#-[\]-~]|\\["\\])*)"/u
const TOKEN = /^[A-Za-z*][!#$%&'*+\-.^_`|~\w:/]*/u
const BYTES = /^:([A-Za-z0-9+/=]*):/u
const DISPLAY = /^%"((?:[ !#-$&-~]|%[\da-f]{2})*)"/u
const KEY = /^[a-z*][a-z0-9_\-.*]*/u
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/u

/** The members of a List (RFC 9651 section 4.2.1); undefined where the text is none. */
export function listOf(text: string): readonly Member[] | undefined {
  try {
    return new Parser(text).list()
  } catch (error) {
    if (error instanceof NotStructured) return undefined
    throw error
  }
}

/** The parser of section 4.2, strict: whatever it does not know ends it. */
class Parser {
  #rest: string

  constructor(text: string) {
    this.#rest = text.replace(/^ +/u, '').replace(/ +$/u, '')
  }

  list(): readonly Member[] {
    const members: Member[] = []
    while (this.#rest !== '') {
      members.push(this.#member())
      this.#skip(/^[ \t]*/u)
      if (this.#rest === '') return members
      this.#take(/^,[ \t]*/u)
      // A comma at the end (step 2.6).
      if (this.#rest === '') throw new NotStructured()
    }
    return members
  }

  #member(): Member {
    if (this.#rest.startsWith('(')) {
      this.#innerList()
      return { item: 'inner-list', parameters: this.#parameters() }
    }
    return { item: this.#bare(), parameters: this.#parameters() }
  }

  #innerList(): void {
    this.#take(/^\(/u)
    for (;;) {
      this.#skip(/^ */u)
      if (this.#rest.startsWith(')')) break
      this.#bare()
      this.#parameters()
      if (!/^[ )]/u.test(this.#rest)) throw new NotStructured()
    }
    this.#take(/^\)/u)
  }

  #parameters(): ReadonlyMap<string, BareItem> {
    const parameters = new Map<string, BareItem>()
    while (this.#rest.startsWith(';')) {
      this.#take(/^; */u)
      const [key] = this.#take(KEY)
      let value: BareItem = { type: 'boolean', value: true }
      if (this.#rest.startsWith('=')) {
        this.#take(/^=/u)
        value = this.#bare()
      }
      // The last of several counts, at the place of the first.
      parameters.set(key, value)
    }
    return parameters
  }

  #bare(): BareItem {
    const first = this.#rest[0] ?? ''
    if (/[-\d]/u.test(first)) return this.#number()
    if (first === '"') return { type: 'string', value: (this.#take(STRING)[1] ?? '').replaceAll(/\\(["\\])/gu, '$1') }
    if (first === ':') return this.#bytes()
    if (first === '?') return { type: 'boolean', value: this.#take(/^\?[01]/u)[0] === '?1' }
    if (first === '@') return this.#date()
    if (first === '%') return { type: 'display-string', value: this.#take(DISPLAY)[1] ?? '' }
    return { type: 'token', value: this.#take(TOKEN)[0] }
  }

  #number(): BareItem {
    const [text] = this.#take(NUMBER)
    const [whole = '', fraction] = text.replace('-', '').split('.')
    const isInteger = fraction === undefined
    if (isInteger ? whole.length > 15 : whole.length > 12 || fraction.length > 3) throw new NotStructured()
    return { type: isInteger ? 'integer' : 'decimal', value: Number(text) }
  }

  #date(): BareItem {
    this.#take(/^@/u)
    const number = this.#number()
    if (number.type !== 'integer') throw new NotStructured()
    return { type: 'date', value: number.value }
  }

  #bytes(): BareItem {
    const [, text = ''] = this.#take(BYTES)
    if (!BASE64.test(text)) throw new NotStructured()
    return { type: 'bytes', value: Uint8Array.from(atob(text), (octet) => octet.codePointAt(0) ?? 0) }
  }

  #take(pattern: RegExp): readonly [string, ...string[]] {
    const found = pattern.exec(this.#rest)
    if (!found) throw new NotStructured()
    this.#rest = this.#rest.slice(found[0].length)
    return found as unknown as readonly [string, ...string[]]
  }

  #skip(pattern: RegExp): void {
    this.#rest = this.#rest.replace(pattern, '')
  }
}
