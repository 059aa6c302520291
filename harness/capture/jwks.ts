import { subtle } from 'node:crypto'
import type { JwksProblem, JwksProblemKind } from '../model/capture.ts'
import type { Json, JsonObject } from '../model/json.ts'
import { algorithmNamed, canonicalOctets, fits, imported, publicOnly, weaknessOf } from './algorithms.ts'
import { isObject, readObject } from './json.ts'

/** Members of the public key by type, and the octets of each by curve (RFC 7518 section 6, RFC 8037 section 2). */
const MEMBERS: Readonly<Record<string, readonly string[]>> = { RSA: ['n', 'e'], EC: ['x', 'y'], OKP: ['x'] }
const CURVES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  EC: { 'P-256': 32, 'P-384': 48, 'P-521': 66, secp256k1: 32 },
  OKP: { Ed25519: 32, Ed448: 57 },
}

/** RFC 7518 sections 6.2.2, 6.3.2 and 6.4. */
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

type Finding = readonly [kind: JwksProblemKind, detail: string]

/** Everything that is wrong with a published JWKS, given as its text or as its value. */
export async function checkJwks(source: string | Json): Promise<readonly JwksProblem[]> {
  const { value, problem } = readObject(Buffer.from(typeof source === 'string' ? source : JSON.stringify(source)))
  const document: JwksProblem[] =
    problem === undefined
      ? []
      : [{ kind: problem === 'utf8' ? 'not-json' : problem, detail: 'the document as a whole' }]
  if (!value) return document
  const { keys } = value
  if (!Array.isArray(keys)) return [...document, { kind: 'keys', detail: 'keys is not an array' }]
  if (keys.length === 0) return [...document, { kind: 'keys', detail: 'keys is empty' }]
  const entries = keys as readonly Json[]
  const found = await Promise.all(
    entries.map(async (jwk, key) => {
      const findings: readonly Finding[] = isObject(jwk)
        ? [...(await materialFindings(jwk)), ...metadataFindings(jwk, entries.slice(0, key))]
        : [['keys', 'the entry is not an object']]
      return findings.map(([kind, detail]): JwksProblem => ({ kind, key, detail }))
    }),
  )
  return [...document, ...found.flat()]
}

async function materialFindings(jwk: JsonObject): Promise<readonly Finding[]> {
  const { kty } = jwk
  const secret = PRIVATE.filter((name) => Object.hasOwn(jwk, name))
  const exposed: readonly Finding[] = secret.map((name) => ['private-member', `it has ${name}`])
  if (typeof kty !== 'string') return [...exposed, ['key-member', 'kty is not a string']]
  if (kty === 'oct') return [...exposed, ['symmetric-key', 'it is symmetric']]
  const members = Object.hasOwn(MEMBERS, kty) ? MEMBERS[kty] : undefined
  if (!members) return [...exposed, ['key-type', 'kty is none of RSA, EC and OKP']]
  const missing = members.filter((name) => typeof jwk[name] !== 'string')
  if (missing.length > 0)
    return [...exposed, ...missing.map((name): Finding => ['key-member', `${name} is not a string`])]
  return [...exposed, ...(await publicFindings(jwk, kty, members))]
}

async function publicFindings(jwk: JsonObject, kty: string, members: readonly string[]): Promise<readonly Finding[]> {
  const size = CURVES[kty]?.[String(jwk['crv'])]
  if (kty !== 'RSA' && size === undefined) return [['key-type', 'the curve is none for signatures']]
  const encoding = members.flatMap((name): Finding[] => {
    const octets = canonicalOctets(jwk[name])
    if (!octets) return [['key-encoding', `${name} is not canonical base64url`]]
    return size === undefined || octets.length === size ? [] : [['key-encoding', `${name} has not ${size} octets`]]
  })
  const zeros = members
    .filter((name) => kty === 'RSA' && canonicalOctets(jwk[name])?.[0] === 0)
    .map((name): Finding => ['key-zeros', `${name} has leading zeros`])
  const weakness = weaknessOf(jwk)
  const weak: readonly Finding[] = weakness === undefined ? [] : [['key-weak', weakness]]
  const importable = encoding.length > 0 || (imported(jwk) !== undefined && (await isWebKey(jwk)))
  return [...encoding, ...zeros, ...weak, ...(importable ? [] : [['key-invalid', 'it cannot be imported'] as const])]
}

/** Whether WebCrypto imports the key, where WebCrypto has its curve. */
async function isWebKey(jwk: JsonObject): Promise<boolean> {
  const { kty, crv } = jwk
  if (crv === 'secp256k1' || crv === 'Ed448') return true
  const algorithm =
    kty === 'RSA'
      ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
      : kty === 'EC'
        ? { name: 'ECDSA', namedCurve: String(crv) }
        : { name: 'Ed25519' }
  try {
    await subtle.importKey('jwk', publicOnly(jwk), algorithm, true, ['verify'])
    return true
  } catch {
    return false
  }
}

function metadataFindings(jwk: JsonObject, before: readonly Json[]): readonly Finding[] {
  const { kid, use, key_ops: operations, alg } = jwk
  const algorithm = algorithmNamed(alg)
  const repeated = typeof kid === 'string' && before.some((other) => isObject(other) && other['kid'] === kid)
  return [
    ...(typeof kid === 'string' && kid !== '' ? [] : [['kid-missing', 'it has no kid that is a string'] as const]),
    ...(repeated ? [['kid-repeated', 'an earlier key has the same kid'] as const] : []),
    ...(use === 'sig' || (use === undefined && operations !== undefined)
      ? []
      : [['use', use === undefined ? 'it has neither use nor key_ops' : 'use is not sig'] as const]),
    ...(operations === undefined || isForVerifying(operations)
      ? []
      : [['key-operations', 'key_ops is not an array of distinct operations with verify'] as const]),
    ...(alg === undefined ? [['alg-missing', 'it has no alg'] as const] : []),
    ...(alg !== undefined && !(algorithm && fits(algorithm, jwk))
      ? [['alg-of-key', 'alg is no signature algorithm of such a key'] as const]
      : []),
  ]
}

/** RFC 7517 section 4.3: operations are distinct. */
function isForVerifying(operations: Json): boolean {
  return Array.isArray(operations) && new Set(operations).size === operations.length && operations.includes('verify')
}
