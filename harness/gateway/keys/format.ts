import { hash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Characters of the random part: 190 bits. */
const RANDOM_LENGTH = 32

const CHECKSUM_LENGTH = 6

const FORM = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}$/u

/** Words that a key may begin with: they tell scanners whose key it is. */
export const PREFIX = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/u

/** Makes a key `PREFIX_random_checksum`: a scanner can tell a real one from its checksum alone. */
export function makeKeyText(prefix: string): string {
  const body = `${prefix}_${randomText()}`
  return `${body}_${checksumOf(body)}`
}

/** Whether the text has the form of a key, and its checksum is right. */
export function isKeyText(text: string): boolean {
  if (!FORM.test(text)) return false
  const at = text.length - CHECKSUM_LENGTH - 1
  return text.slice(at + 1) === checksumOf(text.slice(0, at))
}

/** What is kept in place of a key: SHA-256, base64url. A key has so much chance in it that no slow hash is needed. */
export function hashOf(key: string): string {
  return hash('sha256', key, 'base64url')
}

/** Texts whose hashes are remembered at most; then all are forgotten. */
const MOST_REMEMBERED = 10_000

/** `hashOf` that remembers: a hash costs more than everything else that is done to find a key. */
export function rememberedHashes(): (key: string) => string {
  const remembered = new Map<string, string>()
  return (key) => {
    let known = remembered.get(key)
    if (known === undefined) {
      if (remembered.size >= MOST_REMEMBERED) remembered.clear()
      known = hashOf(key)
      remembered.set(key, known)
    }
    return known
  }
}

function randomText(): string {
  let text = ''
  while (text.length < RANDOM_LENGTH) {
    // Octets beyond the last multiple of 62 would make some characters likelier than others.
    for (const octet of randomBytes(RANDOM_LENGTH)) {
      if (octet < 248 && text.length < RANDOM_LENGTH) text += BASE62[octet % 62] ?? ''
    }
  }
  return text
}

/** CRC-32 in base 62. */
function checksumOf(body: string): string {
  let rest = crc32(body)
  let text = ''
  for (let at = 0; at < CHECKSUM_LENGTH; at += 1) {
    text = (BASE62[rest % 62] ?? '') + text
    rest = Math.floor(rest / 62)
  }
  return text
}
