import { constants, createPublicKey, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Json, JsonObject } from '../model/json.ts'

/** An asymmetric signature algorithm of JOSE, and the keys that it takes. */
export interface SignatureAlgorithm {
  readonly kty: 'RSA' | 'EC' | 'OKP'
  /** Curves by name, with the octets of a signature; none for RSA. */
  readonly curves: Readonly<Record<string, number>>
  /** Undefined where the curve brings its own. */
  readonly digest?: string
  readonly pss?: boolean
}

const rsa = (digest: string, pss: boolean): SignatureAlgorithm => ({ kty: 'RSA', curves: {}, digest, pss })
const ec = (digest: string, crv: string, octets: number): SignatureAlgorithm => ({
  kty: 'EC',
  curves: { [crv]: octets },
  digest,
})

/** RFC 7518 section 3.1, RFC 8037 section 3.1, RFC 8812 section 3.2, RFC 9864 section 2.2. */
const ALGORITHMS: ReadonlyMap<Json | undefined, SignatureAlgorithm> = new Map<string, SignatureAlgorithm>([
  ['RS256', rsa('sha256', false)],
  ['RS384', rsa('sha384', false)],
  ['RS512', rsa('sha512', false)],
  ['PS256', rsa('sha256', true)],
  ['PS384', rsa('sha384', true)],
  ['PS512', rsa('sha512', true)],
  ['ES256', ec('sha256', 'P-256', 64)],
  ['ES384', ec('sha384', 'P-384', 96)],
  ['ES512', ec('sha512', 'P-521', 132)],
  ['ES256K', ec('sha256', 'secp256k1', 64)],
  ['EdDSA', { kty: 'OKP', curves: { Ed25519: 64, Ed448: 114 } }],
  ['Ed25519', { kty: 'OKP', curves: { Ed25519: 64 } }],
  ['Ed448', { kty: 'OKP', curves: { Ed448: 114 } }],
])

/** The algorithm of that name; undefined for none, for a symmetric and for an unknown one. */
export function algorithmNamed(alg: Json | undefined): SignatureAlgorithm | undefined {
  return ALGORITHMS.get(alg)
}

/** Whether the key is of the type and the curve that the algorithm takes. */
export function fits({ kty, curves }: SignatureAlgorithm, jwk: JsonObject): boolean {
  return jwk['kty'] === kty && (kty === 'RSA' || Object.hasOwn(curves, String(jwk['crv'])))
}

/** Octets of base64url in its one unpadded form (RFC 7515 section 2); undefined for anything else. */
export function canonicalOctets(text: Json | undefined): Buffer | undefined {
  if (typeof text !== 'string') return undefined
  const octets = Buffer.from(text, 'base64url')
  return octets.toString('base64url') === text ? octets : undefined
}

/** Why an RSA key is too weak (RFC 7518 section 3.3, RFC 8017 section 3.1); undefined for one that is not, and for others. */
export function weaknessOf({ kty, n, e }: JsonObject): string | undefined {
  if (kty !== 'RSA' || typeof n !== 'string' || typeof e !== 'string') return undefined
  const bits = numberOf(n).toString(2).length
  if (bits < 2048) return `the modulus has ${bits} bits`
  const exponent = numberOf(e)
  return exponent < 3n || exponent % 2n === 0n ? 'the exponent is even or below 3' : undefined
}

function numberOf(text: string): bigint {
  return BigInt(`0x${Buffer.from(text, 'base64url').toString('hex') || '0'}`)
}

const PUBLIC = ['kty', 'crv', 'x', 'y', 'n', 'e']

/** The members that are the public key, and nothing that could make an import fail for another reason. */
export function publicOnly(jwk: JsonObject): JsonObject {
  return Object.fromEntries(PUBLIC.flatMap((name) => (jwk[name] === undefined ? [] : [[name, jwk[name]]])))
}

/** The public key; undefined where it is none, such as a point that is not on its curve. */
export function imported(jwk: JsonObject): KeyObject | undefined {
  try {
    return createPublicKey({ key: publicOnly(jwk), format: 'jwk' })
  } catch {
    return undefined
  }
}

/** Octets that a signature by the key has. */
export function signatureSize({ curves }: SignatureAlgorithm, jwk: JsonObject): number {
  // A modulus may be written with a zero in front: the signature has none for it.
  return curves[String(jwk['crv'])] ?? Math.ceil(numberOf(String(jwk['n'])).toString(2).length / 8)
}

/** Whether the signature is that of the key over the data. */
export function isSignature(
  { kty, digest, pss = false }: SignatureAlgorithm,
  key: KeyObject,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  const padding = pss ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : {}
  try {
    return verify(digest ?? null, data, { key, ...(kty === 'EC' ? { dsaEncoding: 'ieee-p1363' } : padding) }, signature)
  } catch {
    // A key too small for the digest signs nothing.
    return false
  }
}
