import type { KeyLocation } from '../../harness/model/gateway-profile.ts'
import { anatomyOf, replacedAt, withWrongChecksum } from './anatomy.ts'

/** What is sent in place of a key, with the name that reports give it. */
export type Variant = readonly [name: string, value: string]

/** Texts that differ little from a key. */
export function nearMisses(key: string): readonly Variant[] {
  const { prefix, secret } = anatomyOf(key)
  const from = key.indexOf(secret)
  const wrongChecksum = withWrongChecksum(key)
  const separator = Math.max(...['_', '-', '.'].map((one) => key.lastIndexOf(one)))
  return distinct(key, [
    ['the last character changed', replacedAt(key, key.length - 1)],
    ['the first character of the secret part changed', replacedAt(key, from)],
    ...(wrongChecksum === undefined ? [] : [['the checksum changed', wrongChecksum] as const]),
    ['two characters swapped', swapped(key, from + (secret.length >> 1))],
    ['the last character missing', key.slice(0, -1)],
    ['an "a" behind it', `${key}a`],
    ['twice in a row', `${key}${key}`],
    ['its prefix alone', prefix],
    ['its first 8 characters', key.slice(0, 8)],
    ['its first 16 characters', key.slice(0, 16)],
    ['the part before its last separator', separator > 0 ? key.slice(0, separator) : ''],
    ['a dot behind it', `${key}.`],
    ['%00 behind it', `${key}%00`],
  ])
}

/** The key in other case; none where it has no letters. */
export function folded(key: string): readonly Variant[] {
  const swap = key
    .split('')
    .map((one) => (one === one.toUpperCase() ? one.toLowerCase() : one.toUpperCase()))
    .join('')
  return distinct(key, [
    ['in upper case', key.toUpperCase()],
    ['in lower case', key.toLowerCase()],
    ['in swapped case', swap],
  ])
}

/** Values that mean something to databases, templates and objects. */
export const HOSTILE: readonly Variant[] = [
  ["' OR 1=1", "' OR 1=1"],
  ["'' OR 1=1", "'' OR 1=1"],
  ["' OR '1'='1", "' OR '1'='1"],
  ['";--', '";--'],
  ['{"$ne":""}', '{"$ne":""}'],
  ['[$ne]=1', '[$ne]=1'],
  ['*', '*'],
  ['%', '%'],
  ['_', '_'],
  ['*)(x=*', '*)(x=*'],
  // eslint-disable-next-line no-template-curly-in-string -- a template of log4j
  ['${jndi:…}', '${jndi:ldap://127.0.0.1:9/x}'],
  ['../', '../'],
  ['__proto__', '__proto__'],
  ['constructor', 'constructor'],
  ['toString', 'toString'],
  ['hasOwnProperty', 'hasOwnProperty'],
  ['nothing', ''],
  ['a space', ' '],
  ['null', 'null'],
  ['undefined', 'undefined'],
  ['0', '0'],
  ['false', 'false'],
  ['Bearer', 'Bearer'],
]

/**
 * A valid key that octets which no field value may hold take apart: put together or cut off there, it must not be one
 * again. In its middle, since what is replaced by spaces may be trimmed at an end (RFC 9110 section 5.5).
 */
export function brokenUp(key: string, injected: string): readonly Variant[] {
  const middle = key.length >> 1
  const [front, back] = [key.slice(0, middle), key.slice(middle)]
  const highBit = String.fromCharCode((key.codePointAt(middle) ?? 0) | 0x80)
  return [
    ['NUL in it', `${front}\0${back}`],
    ['a bare CR in it', `${front}\r${back}`],
    ['a bare LF in it', `${front}\n${back}`],
    ['a folded line in it', `${front}\r\n ${back}`],
    ['a line folded with a tab in it', `${front}\r\n\t${back}`],
    ['a bare CR and a header line behind it', `${key}\r${injected}`],
    ['NUL and a header line behind it', `${key}\0${injected}`],
    ['a bare LF and a header line in it', `${front}\n${injected}`],
    ['the octet 0x80 in it', `${front}\u0080${back}`],
    ['a no-break space in it', `${front}\u00c2\u00a0${back}`],
    ['the octet 0xFF in it', `${front}\u00ff${back}`],
    ['the high bit of one octet set', `${front}${highBit}${back.slice(1)}`],
    ['the octet 0xFF behind it', `${key}\u00ff`],
  ]
}

/** Percent-encoded, and what takes percent sequences for control characters would make of it. */
export function encoded(key: string, injected: string): readonly Variant[] {
  const all = [...Buffer.from(key)].map((octet) => `%${octet.toString(16).padStart(2, '0')}`).join('')
  return [
    ['every octet percent-encoded', all],
    ['its last character percent-encoded', `${key.slice(0, -1)}${all.slice(-3)}`],
    ['%0d%0a and a header line behind it', `${key}%0d%0a${injected}`],
  ]
}

/** The value of a header line that carries this in place of a key. */
export function lineOf({ scheme }: KeyLocation, value: string): string {
  return scheme === undefined || scheme === '' ? value : `${scheme} ${value}`
}

function distinct(key: string, variants: readonly Variant[]): readonly Variant[] {
  const seen = new Set(['', key])
  return variants.filter(([, value]) => {
    const isNew = !seen.has(value)
    seen.add(value)
    return isNew
  })
}

/** Two neighbours that differ in more than case swapped, at that place or the next one where there are such. */
function swapped(key: string, from: number): string {
  for (let at = from; at + 1 < key.length; at += 1) {
    if (key[at]?.toLowerCase() !== key[at + 1]?.toLowerCase())
      return `${key.slice(0, at)}${key[at + 1]}${key[at]}${key.slice(at + 2)}`
  }
  return key
}
