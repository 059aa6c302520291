/** Markup that may stand in a page as it is: made by `markup` alone, so that whatever came from outside is escaped. */
export class Markup {
  readonly #text: string

  private constructor(text: string) {
    this.#text = text
  }

  /** Only for constants of this project, such as its style sheet: nothing is escaped. */
  static trusted(text: string): Markup {
    return new Markup(text)
  }

  toString(): string {
    return this.#text
  }
}

/** What may be put into a template: text is escaped, undefined and false leave nothing. */
export type Content = Markup | string | number | undefined | false | readonly Content[]

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Characters that show nothing, or that turn the text around them: they are made visible. */
const HIDDEN = /[^\P{C}\t\n]|[\u2028\u2029]/gu

/** Text for an element or a quoted attribute; control characters and such are shown instead of obeyed. */
export function escaped(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replace(HIDDEN, shown)
    .replace(/[&<>"']/gu, (character) => ENTITIES[character] ?? character)
}

function shown(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x20) return String.fromCodePoint(0x24_00 + code)
  if (code === 0x7f) return '\u2421'
  return `[U+${code.toString(16).toUpperCase().padStart(4, '0')}]`
}

/** Markup from a template: every value is escaped unless it is markup itself. */
export function markup(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return Markup.trusted(
    strings.map((string, at) => `${string}${at < values.length ? rendered(values[at]) : ''}`).join(''),
  )
}

function rendered(content: Content): string {
  if (content === undefined || content === false) return ''
  if (content instanceof Markup) return content.toString()
  if (typeof content === 'number') return String(content)
  if (typeof content === 'string') return escaped(content)
  return content.map(rendered).join('')
}

/** A link where the address is one of the web, else its text alone. */
export function link(url: string, text: Content): Markup {
  return /^https?:\/\//iu.test(url) ? markup`<a href="${url}" rel="noreferrer">${text}</a>` : markup`${text}`
}
