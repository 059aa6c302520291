/** Alphabets of base 62 in use. */
const ALPHABETS = [
  '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
  '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ',
] as const

/** Characters of a CRC-32 in base 62. */
const CHECKSUM_LENGTH = 6

/** Characters that a key has to have behind what is taken for its prefix. */
const LEAST_SECRET = 16

/** What a key is made of, as far as it shows. */
export interface Anatomy {
  /** Words that all keys begin with, such as `sk_live_`; empty where there are none. */
  readonly prefix: string
  /** Its longest run of letters and digits, if that is most of it; otherwise all but the prefix. */
  readonly secret: string
  /** Present where the last six characters are a CRC-32 of what is before them. */
  readonly checksum: Checksum | undefined
}

/** How the checksum of a key is made of the text before it. */
export type Checksum = (before: string) => string

/** Takes a key apart. */
export function anatomyOf(key: string): Anatomy {
  const prefix = prefixOf(key)
  const checksum = checksumOf(key, prefix)
  const body = key.slice(prefix.length, checksum ? -CHECKSUM_LENGTH : undefined)
  const runs = body.match(/[A-Za-z0-9]+/gu) ?? []
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '')
  return { prefix, secret: longest.length * 2 >= body.length ? longest : body, checksum }
}

/** Another key of the same form that nobody has: its checksum is right, where keys have one. */
export function madeUpLike(key: string, random: (length: number) => Uint8Array): string {
  const { prefix, checksum } = anatomyOf(key)
  const body = scrambled(key.slice(prefix.length, checksum ? -CHECKSUM_LENGTH : undefined), random)
  return `${prefix}${body}${checksum?.(`${prefix}${body}`) ?? ''}`
}

/** The key with the character at that place replaced by another of its kind. */
export function replacedAt(key: string, at: number): string {
  const given = key[at] ?? ''
  const isHex = /^[0-9a-f-]+$/iu.test(key)
  const others = kindOf(given, isHex).replace(given, '')
  // The last character of base64 has bits that nobody reads: it has to differ in one of the upper two.
  const other =
    `${others}${ALPHABETS[0]}`.split('').find((one) => (sextet(one) ^ sextet(given)) >> 4 !== 0) ?? others[0] ?? 'A'
  return `${key.slice(0, at)}${other}${key.slice(at + 1)}`
}

/** The key with a checksum that is wrong; undefined where keys have none. */
export function withWrongChecksum(key: string): string | undefined {
  return anatomyOf(key).checksum && replacedAt(key, key.length - CHECKSUM_LENGTH)
}

function prefixOf(key: string): string {
  if (/^[0-9a-f-]+$/iu.test(key)) return ''
  const words = /^(?:[A-Za-z]{1,12}[_-])+/u.exec(key)?.[0] ?? ''
  if (key.length - words.length >= LEAST_SECRET) return words
  return /^[A-Za-z]{1,12}[_-]/u.exec(key)?.[0] ?? ''
}

function checksumOf(key: string, prefix: string): Checksum | undefined {
  const before = key.slice(0, -CHECKSUM_LENGTH)
  // Separators between a text and its checksum are seldom part of the text, and prefixes not always.
  const bases = [0, prefix.length].flatMap((from) => [
    (text: string): string => text.slice(from),
    (text: string): string => text.slice(from).replace(/[^A-Za-z0-9]$/u, ''),
  ])
  const ways = ALPHABETS.flatMap((alphabet) =>
    bases.map(
      (base): Checksum =>
        (text) =>
          base62(crc32(base(text)), alphabet),
    ),
  )
  return ways.find((way) => way(before) === key.slice(-CHECKSUM_LENGTH))
}

function base62(value: number, alphabet: string): string {
  let rest = value
  let text = ''
  for (let at = 0; at < CHECKSUM_LENGTH; at += 1) {
    text = (alphabet[rest % 62] ?? '') + text
    rest = Math.floor(rest / 62)
  }
  return text
}

/** CRC-32 as in gzip (RFC 1952 section 8). */
function crc32(text: string): number {
  let crc = 0xffffffff
  for (const octet of Buffer.from(text)) {
    crc ^= octet
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}

const DIGITS = '0123456789'
const LOWER = 'abcdefghijklmnopqrstuvwxyz'
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'

/** Characters that may stand in place of this one; itself alone where it separates. */
function kindOf(character: string, isHex: boolean): string {
  if (/\d/u.test(character)) return DIGITS
  if (/[a-z]/u.test(character)) return isHex ? LOWER.slice(0, 6) : LOWER
  return /[A-Z]/u.test(character) ? (isHex ? UPPER.slice(0, 6) : UPPER) : character
}

function scrambled(text: string, random: (length: number) => Uint8Array): string {
  const octets = random(text.length)
  const isHex = /^[0-9a-f-]+$/iu.test(text)
  return text
    .split('')
    .map((character, at) => {
      const kind = kindOf(character, isHex)
      return kind[(octets[at] ?? 0) % kind.length] ?? character
    })
    .join('')
}

/** Value of a character in base64; 0 where it is none. */
function sextet(character: string): number {
  return Math.max(0, `${UPPER}${LOWER}${DIGITS}-_`.indexOf(character))
}
