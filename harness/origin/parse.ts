import { strictObject } from './strict-json.ts'
import { INVALID_TOKEN } from './steps.ts'
import type { Parsed, Refusal } from './steps.ts'
import type { JsonObject } from '../model/json.ts'

/** The parts of parsing, each of which can be replaced. */
export interface ParseParts {
  /** Characters that a token may have. */
  readonly longest: number
  /** The three segments of a compact JWS; undefined for anything else. */
  readonly split: (compact: string) => readonly [string, string, string] | undefined
  /** Octets of base64url without padding, in its one canonical form; undefined for anything else. */
  readonly decode: (segment: string) => Uint8Array | undefined
  readonly object: (
    octets: Uint8Array,
    part: 'header' | 'claims',
  ) => { readonly text: string; readonly value: JsonObject } | undefined
  /** Whether every extension that the header demands is understood: none is. */
  readonly understands: (header: JsonObject) => boolean
}

export const strictParts: ParseParts = {
  longest: 16 * 1024,
  split(compact) {
    const [header, claims, signature, ...more] = compact.split('.', 5)
    if (!header || !claims || !signature || more.length > 0) return undefined
    return [header, claims, signature]
  },
  decode(segment) {
    const octets = Buffer.from(segment, 'base64url')
    return octets.toString('base64url') === segment ? octets : undefined
  },
  object: strictObject,
  understands: (header) => !Object.hasOwn(header, 'crit') && !Object.hasOwn(header, 'b64'),
}

/** The parse step made of these parts. */
export function parseWith(parts: ParseParts): (compact: string) => Parsed | Refusal {
  return (compact) => {
    if (compact.length > parts.longest) return { status: 431 }
    const segments = parts.split(compact)
    if (!segments) return INVALID_TOKEN
    const [first, second, third] = segments
    const octets = [parts.decode(first), parts.decode(second), parts.decode(third)] as const
    const [headerOctets, claimsOctets, signature] = octets
    if (!headerOctets || !claimsOctets || !signature) return INVALID_TOKEN
    const header = parts.object(headerOctets, 'header')
    if (!header || !parts.understands(header.value)) return INVALID_TOKEN
    const claims = parts.object(claimsOctets, 'claims')
    if (!claims) return INVALID_TOKEN
    return {
      compact,
      header: header.value,
      claims: claims.value,
      claimsText: claims.text,
      signingInput: Buffer.from(`${first}.${second}`, 'latin1'),
      signature,
    }
  }
}
