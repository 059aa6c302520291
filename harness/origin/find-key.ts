import { createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { JsonObject } from '../model/json.ts'
import type { Lookup } from './jwks-client.ts'
import { INVALID_TOKEN } from './steps.ts'
import type { OriginContext, Parsed, Refusal, Steps, VerifyingKey } from './steps.ts'

const LONGEST_KID = 256

/** Key type and curve that an algorithm needs (RFC 7518 section 3.1, RFC 8037 section 3.1). */
const TYPES: Readonly<Record<string, { readonly kty: string; readonly crv?: string }>> = {
  RS: { kty: 'RSA' },
  PS: { kty: 'RSA' },
  ES256: { kty: 'EC', crv: 'P-256' },
  ES384: { kty: 'EC', crv: 'P-384' },
  ES512: { kty: 'EC', crv: 'P-521' },
  Ed: { kty: 'OKP', crv: 'Ed25519' },
}

/** The parts of finding a key, each of which can be replaced. */
export interface KeyParts {
  /** Whether the origin takes this algorithm at all. */
  readonly allows: (algorithm: unknown, context: OriginContext) => boolean
  readonly select: (parsed: Parsed, context: OriginContext) => Promise<Lookup>
  /** Whether the key is of the type and curve of the algorithm. */
  readonly fits: (jwk: JsonObject, algorithm: string) => boolean
  /** Whether the key is meant for signatures, and strong enough. */
  readonly suits: (jwk: JsonObject) => boolean
  /** Whether the key is bound to another algorithm than the token names. */
  readonly binds: (jwk: JsonObject, algorithm: string) => boolean
}

export const strictKeyParts: KeyParts = {
  allows: (algorithm, { profile }) => profile.algorithms?.some((allowed) => allowed === algorithm) ?? false,
  async select({ header }, { jwks }) {
    const { kid } = header
    if (typeof kid !== 'string' || kid === '' || kid.length > LONGEST_KID) return { kind: 'unknown' }
    return await jwks.find(kid)
  },
  fits(jwk, algorithm) {
    const type = TYPES[algorithm] ?? TYPES[algorithm.slice(0, 2)]
    return type !== undefined && jwk['kty'] === type.kty && (type.crv === undefined || jwk['crv'] === type.crv)
  },
  suits(jwk) {
    const { use, key_ops: operations, kty, n } = jwk
    if (use !== undefined && use !== 'sig') return false
    if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return false
    return kty !== 'RSA' || (typeof n === 'string' && Buffer.from(n, 'base64url').length >= 256)
  },
  binds: (jwk, algorithm) => jwk['alg'] === undefined || jwk['alg'] === algorithm,
}

const imported = new WeakMap<JsonObject, KeyObject>()

/** The key with its public half imported, once. */
export function importKey(jwk: JsonObject): VerifyingKey {
  const publicKey = imported.get(jwk) ?? createPublicKey({ key: jwk, format: 'jwk' })
  imported.set(jwk, publicKey)
  return { jwk, publicKey }
}

/** The step made of these parts. */
export function findKeyWith(parts: KeyParts): Steps['findKey'] {
  return async (parsed, context): Promise<VerifyingKey | Refusal> => {
    const { alg } = parsed.header
    if (!parts.allows(alg, context)) return INVALID_TOKEN
    const found = await parts.select(parsed, context)
    if (found.kind === 'unavailable') return { status: 503 }
    if (found.kind === 'unknown') return INVALID_TOKEN
    const algorithm = String(alg)
    const jwk = found.jwks.find((one) => parts.fits(one, algorithm))
    if (!jwk || !parts.suits(jwk) || !parts.binds(jwk, algorithm)) return INVALID_TOKEN
    try {
      return importKey(jwk)
    } catch {
      return INVALID_TOKEN
    }
  }
}
