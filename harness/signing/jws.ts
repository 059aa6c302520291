import { constants, createHash, createHmac, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { rawOfDerEcdsa } from '../model/compact.ts'
import type { JsonObject } from '../model/json.ts'
import type { Algorithm } from '../model/token.ts'

/** HMAC of a JWS (RFC 7518 section 3.2); the key may be empty. */
export function hmac(secret: Uint8Array, algorithm: Algorithm, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac(digestOf(algorithm), secret).update(data).digest())
}

/** Octets of R or S, by curve (RFC 7518 section 3.4): a key signs with its curve, whatever the algorithm is called. */
const HALVES: Readonly<Record<string, number>> = { prime256v1: 32, secp384r1: 48, secp521r1: 66, secp256k1: 32 }

/** Octets of a JWS signature by a private key, with any asymmetric algorithm that its type can compute. */
export function signatureOf(key: KeyObject, algorithm: Algorithm, data: Uint8Array): Uint8Array {
  if (algorithm.startsWith('Ed')) return new Uint8Array(sign(null, data, key))
  const digest = digestOf(algorithm)
  if (algorithm.startsWith('ES')) {
    // Signing in DER and converting here costs half of what the encoding ieee-p1363 of node:crypto does.
    return rawOfDerEcdsa(
      new Uint8Array(sign(digest, data, key)),
      HALVES[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? 32,
    )
  }
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
  return new Uint8Array(sign(digest, data, algorithm.startsWith('PS') ? { key, ...pss } : key))
}

function digestOf(algorithm: Algorithm): string {
  return algorithm === 'ES256K' ? 'sha256' : `sha${algorithm.slice(2)}`
}

const PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e']

/** The members of an asymmetric JWK that are the public key (RFC 7518 section 6, RFC 8037 section 2). */
export function publicMembersOf(jwk: JsonObject): JsonObject {
  return Object.fromEntries(
    PUBLIC_MEMBERS.flatMap((name) => {
      const value = jwk[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

/** RFC 7638: SHA-256 over the required members in lexicographic order, base64url. */
export function thumbprintOf(jwk: JsonObject): string {
  const required = ['crv', 'e', 'k', 'kty', 'n', 'x', 'y'].filter((name) => jwk[name] !== undefined)
  const text = JSON.stringify(Object.fromEntries(required.map((name) => [name, jwk[name]])))
  return createHash('sha256').update(text).digest('base64url')
}
