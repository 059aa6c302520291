import type { Random } from '../bench/random.ts'
import { createPublicKey } from 'node:crypto'
import { thumbprintOf } from '../signing/jws.ts'
import type { KeyStore } from '../issuer/keys.ts'
import { octets, segmentsOf } from '../model/compact.ts'
import { TrustspecError } from '../model/errors.ts'
import type { JsonObject } from '../model/json.ts'
import type { ResolvedProfile } from '../model/profile.ts'
import { PUBLISHED_ALGORITHMS } from '../model/token.ts'
import type { Algorithm, KeyRole, Keys, SigningKey, Token } from '../model/token.ts'

/** The header and claims of a token that the user gave. */
export interface UserToken {
  readonly compact: string
  readonly header: JsonObject
  readonly claims: JsonObject
  /** The public key that its kid names, where the keys of its issuer are known. */
  readonly jwk?: JsonObject
}

/** Longest life of a control token, in seconds, where the profile does not bound it. */
const CONTROL_LIFETIME_SEC = 305

/** Reads a JWT that the user gave; ERR_USAGE, without its text, when it is none. */
export function readUserToken(given: string, jwks: readonly JsonObject[] = []): UserToken {
  const compact = given.trim()
  const { header, payload } = segmentsOf(compact)
  try {
    const read = { compact, header: jsonObject(header), claims: jsonObject(payload) }
    const jwk = jwks.length === 1 ? jwks[0] : jwks.find(({ kid }) => kid === read.header['kid'])
    return { ...read, ...(jwk ? { jwk } : {}) }
  } catch (error) {
    throw new TrustspecError(
      'ERR_USAGE',
      'The token is no signed JWT in compact form',
      { where: '--token or the output of --token-command', instead: 'three base64url segments joined by dots' },
      { cause: error },
    )
  }
}

function jsonObject(segment: string): JsonObject {
  const value: unknown = JSON.parse(Buffer.from(octets(segment)).toString('utf8'))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('Not a JSON object')
  return value as JsonObject
}

/** The user's token as a control. */
export function controlOf({ compact, claims }: UserToken, provenBy: KeyRole): Token {
  const { sub } = claims
  return { compact, control: true, provenBy, yours: true, ...(typeof sub === 'string' ? { subject: sub } : {}) }
}

/** The published key of an algorithm; the RS256 key for one that none is published for. */
function roleFor(algorithm: string): KeyRole {
  return PUBLISHED_ALGORITHMS.find((published) => published === algorithm) ?? 'RS256'
}

/** The keys as cases see them. Where the origin does not trust them, the main one is an attacker's, with the user's kid. */
export function keysFor(store: KeyStore, main: Algorithm, user?: UserToken): Keys {
  if (!user) return { main: store.get(roleFor(main)), get: store.get }
  const kid = user.header['kid']
  const algorithm = typeof user.header['alg'] === 'string' ? user.header['alg'] : main
  const role: KeyRole = algorithm.startsWith('ES')
    ? 'attacker-ec'
    : algorithm.startsWith('Ed')
      ? 'attacker-ed'
      : 'attacker-rsa'
  const attacker = { ...store.get(role), ...(user.jwk ? publicPartsOf(user.jwk) : {}) }
  return { main: { ...attacker, ...(typeof kid === 'string' ? { kid } : {}) }, get: store.get }
}

/** The forms of a real public key that a confused verifier could take for a secret. */
function publicPartsOf(jwk: JsonObject): Partial<SigningKey> {
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  return {
    jwk,
    spkiPem: key.export({ type: 'spki', format: 'pem' }).toString(),
    spkiDer: new Uint8Array(key.export({ type: 'spki', format: 'der' })),
    thumbprint: thumbprintOf(jwk),
    ...(jwk['kty'] === 'RSA' ? { pkcs1Pem: key.export({ type: 'pkcs1', format: 'pem' }).toString() } : {}),
  }
}

/** Header and claims of a control token: BASE of the catalogue, or those of the user's token. */
export function baseOf(profile: ResolvedProfile, nowSec: () => number, runId: string, user?: UserToken) {
  const lifetime = Math.min(CONTROL_LIFETIME_SEC, profile.maxLifetimeSec ?? CONTROL_LIFETIME_SEC)
  const scopes = profile.routes.flatMap(({ scope }) => scope ?? [])
  return (key: SigningKey, random: Random): { readonly header: JsonObject; readonly claims: JsonObject } => {
    if (user) return { header: { ...user.header, alg: key.alg, kid: key.kid }, claims: user.claims }
    const iat = Math.floor(nowSec()) - 5
    return {
      header: { alg: key.alg, kid: key.kid, typ: profile.typ ?? 'JWT' },
      claims: {
        iss: profile.issuer,
        ...(profile.audience === null ? {} : { aud: profile.audience }),
        sub: profile.subjects[0],
        iat,
        nbf: iat,
        exp: iat + lifetime,
        jti: `${runId}-${random.nonce()}`,
        ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
        ...profile.claims,
      },
    }
  }
}
