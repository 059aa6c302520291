import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { base64url, octets } from '../model/compact.ts'
import type { JsonObject } from '../model/json.ts'
import { PUBLISHED_ALGORITHMS } from '../model/token.ts'
import type { Algorithm, KeyRole, SigningKey, SpareRole } from '../model/token.ts'
import { hmac, publicMembersOf, signatureOf, thumbprintOf } from '../signing/jws.ts'

/** Private JWKs by role, as they are written to a file. */
export type StoredKeys = Readonly<Record<KeyRole, JsonObject>>

/** The issuer's keys. The private halves stay in here. */
export interface KeyStore {
  readonly get: (role: KeyRole) => SigningKey
  /** Octets of a JWS signature by the key of that role, with any algorithm that its type can compute. */
  readonly sign: (role: KeyRole, algorithm: Algorithm, data: Uint8Array) => Uint8Array
  /** JWKs in the order of the JWKS; `plain` leaves out the unusual ones. */
  readonly published: (options?: { readonly plain?: boolean }) => readonly JsonObject[]
  readonly stored: StoredKeys
}

type Made = 'rsa' | 'rsa-1024' | 'P-256' | 'P-384' | 'P-521' | 'secp256k1' | 'ed25519' | 'oct'

interface Kind {
  readonly made: Made
  readonly alg: Algorithm
  /** Members of the JWK besides the key itself and `kid`; absent: never published. */
  readonly jwk?: JsonObject
  readonly unusual?: boolean
}

const CURVES: Readonly<Record<string, Made>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }

function ordinary(alg: Algorithm): Kind {
  const made = CURVES[alg] ?? (alg.startsWith('Ed') ? 'ed25519' : 'rsa')
  return { made, alg, jwk: { use: 'sig', alg } }
}

const SPARES = ([1, 2, 3, 4, 5, 6, 7, 8] as const).flatMap((number): [SpareRole, Kind][] => [
  [`spare-rsa-${number}`, { made: 'rsa', alg: 'RS256' }],
  [`spare-p256-${number}`, { made: 'P-256', alg: 'ES256' }],
  [`spare-p384-${number}`, { made: 'P-384', alg: 'ES384' }],
  [`spare-p521-${number}`, { made: 'P-521', alg: 'ES512' }],
  [`spare-ed-${number}`, { made: 'ed25519', alg: 'EdDSA' }],
])

const KINDS: Readonly<Record<KeyRole, Kind>> = {
  ...(Object.fromEntries(SPARES) as Record<SpareRole, Kind>),
  ...(Object.fromEntries(PUBLISHED_ALGORITHMS.map((alg) => [alg, ordinary(alg)])) as Record<
    (typeof PUBLISHED_ALGORITHMS)[number],
    Kind
  >),
  'no-alg-rsa': { made: 'rsa', alg: 'RS256', jwk: { use: 'sig' }, unusual: true },
  'no-alg-ec': { made: 'P-256', alg: 'ES256', jwk: { use: 'sig' }, unusual: true },
  'use-enc': { made: 'rsa', alg: 'RS256', jwk: { use: 'enc', alg: 'RS256' }, unusual: true },
  'key-ops-encrypt': { made: 'rsa', alg: 'RS256', jwk: { key_ops: ['encrypt'], alg: 'RS256' }, unusual: true },
  'rsa-1024': { made: 'rsa-1024', alg: 'RS256', jwk: { use: 'sig', alg: 'RS256' }, unusual: true },
  secp256k1: { made: 'secp256k1', alg: 'ES256K', jwk: { use: 'sig', alg: 'ES256K' }, unusual: true },
  oct: { made: 'oct', alg: 'HS256' },
  'attacker-rsa': { made: 'rsa', alg: 'RS256' },
  'attacker-ec': { made: 'P-256', alg: 'ES256' },
  'attacker-ed': { made: 'ed25519', alg: 'EdDSA' },
}

const ROLES = Object.keys(KINDS) as KeyRole[]

/** Makes a key for every role that `held` lacks; takes a few seconds. */
export function generateKeys(held: Partial<StoredKeys> = {}): KeyStore {
  const made = ROLES.map((role) => [role, held[role] ?? privateJwk(KINDS[role].made)] as const)
  return keysFrom(Object.fromEntries(made) as Record<KeyRole, JsonObject>)
}

function privateJwk(made: Made): JsonObject {
  if (made === 'oct') return { kty: 'oct', k: base64url(randomBytes(32)) }
  const { privateKey } =
    made === 'ed25519'
      ? generateKeyPairSync('ed25519')
      : made === 'rsa' || made === 'rsa-1024'
        ? generateKeyPairSync('rsa', { modulusLength: made === 'rsa' ? 2048 : 1024 })
        : generateKeyPairSync('ec', { namedCurve: made })
  return privateKey.export({ format: 'jwk' }) as JsonObject
}

/** The store of keys that were made before. A role that is missing throws a TypeError when it is asked for. */
export function keysFrom(stored: StoredKeys): KeyStore {
  const signing = new Map<KeyRole, SigningKey>()
  const privateKeys = new Map<KeyRole, KeyObject>()
  const get = (role: KeyRole): SigningKey => {
    const key = signing.get(role) ?? signingKey(role, stored[role])
    signing.set(role, key)
    return key
  }
  const privateKey = (role: KeyRole): KeyObject => {
    const key = privateKeys.get(role) ?? createPrivateKey({ key: stored[role], format: 'jwk' })
    privateKeys.set(role, key)
    return key
  }
  return {
    get,
    stored,
    sign: (role, algorithm, data) =>
      algorithm.startsWith('HS')
        ? hmac(octets(String(stored[role]['k'])), algorithm, data)
        : signatureOf(privateKey(role), algorithm, data),
    published: ({ plain = false } = {}) =>
      ROLES.filter((role) => KINDS[role].jwk && !(plain && KINDS[role].unusual)).map((role) => get(role).jwk),
  }
}

/** Whether the store has a key for every role. */
export function isComplete(stored: Partial<StoredKeys>): stored is StoredKeys {
  return ROLES.every((role) => stored[role] !== undefined)
}

function signingKey(role: KeyRole, stored: JsonObject): SigningKey {
  const { alg, jwk: members, made } = KINDS[role]
  const own = publicMembersOf(stored)
  const thumbprint = thumbprintOf(made === 'oct' ? stored : own)
  const kid = `${role.toLowerCase()}-${thumbprint.slice(0, 8)}`
  const jwk: JsonObject = { ...(made === 'oct' ? stored : own), kid, ...(members ?? { use: 'sig', alg }) }
  const base = { role, kid, kty: jwk['kty'] as SigningKey['kty'], alg, jwk, thumbprint }
  if (made === 'oct') return { ...base, spkiPem: '', spkiDer: new Uint8Array() }
  let imported: KeyObject | undefined
  const publicKey = (): KeyObject => (imported ??= createPublicKey({ key: own, format: 'jwk' }))
  return {
    ...base,
    get spkiPem() {
      return publicKey().export({ type: 'spki', format: 'pem' }).toString()
    },
    get spkiDer() {
      return new Uint8Array(publicKey().export({ type: 'spki', format: 'der' }))
    },
    ...(made.startsWith('rsa') ? { pkcs1Pem: publicKey().export({ type: 'pkcs1', format: 'pem' }).toString() } : {}),
  }
}
