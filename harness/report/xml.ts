/** An element with its attributes and what is in it; text is a string. */
export interface XmlElement {
  readonly name: string
  readonly attributes: Readonly<Record<string, string | number>>
  readonly children?: readonly (XmlElement | string)[]
}

/** An XML 1.0 document. What XML cannot hold is left out of texts, and stands as U+FFFD where it is half a character. */
export function xmlDocument(root: XmlElement): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${drawn(root, '')}\n`
}

function drawn({ name, attributes, children = [] }: XmlElement, indent: string): string {
  const pairs = Object.entries(attributes).map(([key, value]) => ` ${key}="${quoted(String(value))}"`)
  const start = `${indent}<${name}${pairs.join('')}`
  if (children.length === 0) return `${start}/>`
  // White space beside text would be part of it.
  if (children.some((child) => typeof child === 'string')) {
    return `${start}>${children.map((child) => (typeof child === 'string' ? escaped(child) : drawn(child, ''))).join('')}</${name}>`
  }
  const inner = children.map((child) => (typeof child === 'string' ? child : drawn(child, `${indent}  `)))
  return [`${start}>`, ...inner, `${indent}</${name}>`].join('\n')
}

/** Characters outside of production 2 of XML 1.0. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/gu

function escaped(text: string): string {
  return (
    text
      .toWellFormed()
      .replaceAll(FORBIDDEN, '')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      // A parser would make a line feed of it.
      .replaceAll('\r', '&#13;')
  )
}

/** For an attribute, where parsers make spaces of other white space. */
function quoted(text: string): string {
  return escaped(text).replaceAll('"', '&quot;').replaceAll('\n', '&#10;').replaceAll('\t', '&#9;')
}
