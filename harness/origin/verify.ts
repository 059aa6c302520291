import { constants, verify as verifySignature } from 'node:crypto'
import type { JsonObject } from '../model/json.ts'
import type { Parsed, VerifyingKey } from './steps.ts'

/** Octets of R||S by algorithm (RFC 7518 section 3.4). */
const ECDSA_OCTETS: Readonly<Record<string, number>> = { ES256: 64, ES384: 96, ES512: 132 }

/** The claims, if the signature is that of the key with the algorithm of the header. */
export function verify(parsed: Parsed, key: VerifyingKey): JsonObject | undefined {
  return isSigned(parsed, key, String(parsed.header['alg'])) ? parsed.claims : undefined
}

/** Whether the signature is that of the key with the given algorithm. */
export function isSigned(
  { signingInput, signature }: Pick<Parsed, 'signingInput' | 'signature'>,
  { publicKey }: VerifyingKey,
  algorithm: string,
): boolean {
  if (algorithm === 'EdDSA' || algorithm === 'Ed25519') return verifySignature(null, signingInput, publicKey, signature)
  const digest = `sha${algorithm.slice(2)}`
  if (algorithm.startsWith('ES')) {
    if (signature.length !== ECDSA_OCTETS[algorithm]) return false
    return verifySignature(digest, signingInput, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)
  }
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
  return verifySignature(
    digest,
    signingInput,
    algorithm.startsWith('PS') ? { key: publicKey, ...pss } : publicKey,
    signature,
  )
}
