import { createHash } from 'node:crypto'
import type { Place, Secret } from '../model/capture.ts'
import type { HeaderLines } from '../model/http.ts'
import { findSecret, SLICE } from './search.ts'
import type { Searchable } from './search.ts'

/** A request with nothing in it. */
export const NOTHING: Searchable = {
  method: 'GET',
  target: '/',
  version: 'HTTP/1.1',
  headers: [],
  trailers: [],
  body: { framing: 'none', octets: new Uint8Array(), raw: new Uint8Array(), total: 0 },
  tunnelled: new Uint8Array(),
}

/** A way in which a decoy can be written, and what has to be found of it. */
type Spelling = readonly [name: string, spelled: string, what?: Place['what']]

/**
 * What the search could not be shown to find; empty when it is proven. The decoy must be in the arrival, raw, as it
 * was planted; it is then written in every way that the search claims to see through, and in every part.
 */
export function proveSearch(arrival: Searchable, decoy: Secret): readonly string[] {
  const finds = (within: Searchable, what: Place['what'] = 'value', secret = decoy): boolean =>
    findSecret(within, secret).some((place) => place.what === what)
  const another = { name: 'another', value: rotated(decoy.value) }
  return [
    ...(finds(arrival) ? [] : ['the decoy that was planted']),
    ...(findSecret(arrival, another).length === 0 ? [] : ['that what was not planted is not there']),
    ...spellingsOf(decoy.value, decoy.part ?? decoy.value).flatMap(([name, spelled, what]) =>
      finds({ ...NOTHING, headers: [['X-Proof', spelled]] }, what) ? [] : [name],
    ),
    ...Object.entries(partsWith(decoy.value)).flatMap(([name, part]) => (finds({ ...NOTHING, ...part }) ? [] : [name])),
  ]
}

function spellingsOf(value: string, part: string): readonly Spelling[] {
  const octets = Buffer.from(value)
  const each = (write: (octet: number, at: number) => string): string => [...octets].map(write).join('')
  const hex = (octet: number): string => octet.toString(16).padStart(2, '0')
  const encoded = (['base64', 'base64url'] as const).flatMap((encoding) =>
    ['', 'a', 'ab'].map((front): Spelling => {
      const text = Buffer.concat([Buffer.from(front), octets, Buffer.from('zz')]).toString(encoding)
      return [`${encoding} behind ${front.length}`, text]
    }),
  )
  const last = part.length - SLICE
  const slices = last < 0 ? [] : [...new Set([0, last >> 1, last])]
  return [
    ['raw', value],
    ...encoded,
    ['hex', octets.toString('hex')],
    ['HEX', octets.toString('hex').toUpperCase()],
    ['percent', each((octet) => `%${hex(octet)}`)],
    ['PERCENT', each((octet) => `%${hex(octet).toUpperCase()}`)],
    ['percent in part', each((octet, at) => (at % 3 === 0 ? `%${hex(octet)}` : String.fromCharCode(octet)))],
    ['JSON escapes', each((octet) => `\\u00${hex(octet)}`)],
    ['JSON ESCAPES', each((octet) => `\\u00${hex(octet).toUpperCase()}`)],
    ['percent in base64', Buffer.from(each((octet) => `%${hex(octet)}`)).toString('base64')],
    ['reversed', value.split('').reverse().join('')],
    ['upper case', value.toUpperCase()],
    ['lower case', value.toLowerCase()],
    ...slices.map((at): Spelling => [`slice at ${at}`, `<${part.slice(at, at + SLICE)}>`, sliceOr(value)]),
    ...(['sha256', 'md5'] as const).flatMap((what) =>
      (['hex', 'base64', 'base64url'] as const).map((encoding): Spelling => [
        `${what} in ${encoding}`,
        createHash(what).update(octets).digest(encoding),
        what,
      ]),
    ),
  ]
}

/** A slice of a value that is no longer than a slice is the value. */
function sliceOr(value: string): Place['what'] {
  return value.length === SLICE ? 'value' : 'slice'
}

function partsWith(value: string): Readonly<Record<string, Partial<Searchable>>> {
  const octets = Buffer.from(value)
  const framed = Buffer.from(`1;${value}\r\nx\r\n0\r\n\r\n`)
  const token = [{ alg: 'none' }, { sub: value }].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  const headers = (name: string, text: string): { headers: HeaderLines } => ({ headers: [[name, text]] })
  return {
    'the target': { target: `/?key=${value}` },
    'a header name': headers(value, ''),
    'a cookie': headers('Cookie', `a=b; k=${value}; c=d`),
    'a claim': headers('Authorization', `Bearer ${token.join('.')}.c2ln`),
    'the body': { body: { framing: 'content-length', octets, raw: octets, total: octets.length } },
    'the framing of a body': { body: { framing: 'chunked', octets: Buffer.from('x'), raw: framed, total: 1 } },
    'a trailer': { trailers: [['X-Trailer', value]] },
    'a tunnel': { tunnelled: octets },
  }
}

/** Another value of the same length and kind of characters, none of its own slices in it. */
function rotated(value: string): string {
  return value.replaceAll(/[a-z0-9]/giu, (character) => {
    if (/\d/u.test(character)) return String((Number(character) + 5) % 10)
    const base = character < 'a' ? 65 : 97
    return String.fromCharCode(((character.charCodeAt(0) - base + 13) % 26) + base)
  })
}
