import { describe, expect, test } from 'vitest'
import { embeddedKeys } from '../../fixtures/keys/keys.ts'
import type { JwksProblemKind } from '../model/capture.ts'
import { base64url } from '../model/compact.ts'
import type { Change, Json, JsonObject } from '../model/json.ts'
import { PUBLISHED_ALGORITHMS } from '../model/token.ts'
import type { KeyRole } from '../model/token.ts'
import { checkJwks } from './jwks.ts'

const keys = embeddedKeys()
const jwk = (role: KeyRole, change: Change = {}): JsonObject =>
  JSON.parse(JSON.stringify({ ...keys.get(role).jwk, ...change })) as JsonObject
const kinds = async (source: string | Json): Promise<readonly JwksProblemKind[]> =>
  (await checkJwks(source)).map(({ kind }) => kind)

test('finds nothing in a good set, as text or as value', async () => {
  const set = { keys: PUBLISHED_ALGORITHMS.map((role) => jwk(role)) }

  expect(await checkJwks(set)).toEqual([])
  expect(await checkJwks(JSON.stringify(set, null, 2))).toEqual([])
  expect(await checkJwks({ keys: [jwk('secp256k1'), jwk('ES256', { use: undefined, key_ops: ['verify'] })] })).toEqual(
    [],
  )
})

const DOCUMENTS: readonly (readonly [string, JwksProblemKind])[] = [
  ['<!doctype html>', 'not-json'],
  ['', 'not-json'],
  ['[]', 'not-object'],
  ['{}', 'keys'],
  ['{"keys":{}}', 'keys'],
  ['{"keys":[]}', 'keys'],
  ['{"keys":[null]}', 'keys'],
]

test.each(DOCUMENTS)('%j: %s', async (document, kind) => {
  expect(await kinds(document)).toEqual([kind])
})

test('members that are there twice, and a document that is too deep', async () => {
  const text = JSON.stringify(jwk('ES256'))

  expect(await kinds(`{"keys":[${text.replace('{', '{"kty":"EC",')}]}`)).toEqual(['duplicate-member'])
  expect(await kinds(`{"x":${'['.repeat(50)}${']'.repeat(50)},"keys":[${text}]}`)).toEqual(['too-deep'])
})

const rsa = (change: Change): JsonObject => jwk('RS256', change)
const ec = (change: Change): JsonObject => jwk('ES256', change)
const withZero = (text: unknown): string =>
  base64url(Buffer.concat([Buffer.of(0), Buffer.from(String(text), 'base64url')]))

const KEYS: readonly (readonly [name: string, key: JsonObject, ...due: JwksProblemKind[]])[] = [
  ['kty missing', ec({ kty: undefined }), 'key-member', 'alg-of-key'],
  ['an unknown kty', ec({ kty: 'XYZ' }), 'key-type', 'alg-of-key'],
  ['kty of an inherited name', ec({ kty: 'constructor' }), 'key-type', 'alg-of-key'],
  ['an unknown curve', ec({ crv: 'P-257' }), 'key-type', 'alg-of-key'],
  ['a curve for agreement', jwk('EdDSA', { crv: 'X25519' }), 'key-type', 'alg-of-key'],
  ['a member missing', ec({ y: undefined }), 'key-member'],
  ['a member that is a number', rsa({ e: 65_537 }), 'key-member'],
  ['padding', ec({ x: `${String(keys.get('ES256').jwk['x'])}=` }), 'key-encoding'],
  ['a short coordinate', ec({ x: base64url(new Uint8Array(31)) }), 'key-encoding'],
  ['a short key of Ed25519', jwk('EdDSA', { x: base64url(new Uint8Array(31)) }), 'key-encoding'],
  ['leading zeros', rsa({ n: withZero(keys.get('RS256').jwk['n']) }), 'key-zeros'],
  ['1024 bits', jwk('rsa-1024'), 'key-weak'],
  ['the exponent 1', rsa({ e: 'AQ' }), 'key-weak'],
  ['an even exponent', rsa({ e: 'AQAA' }), 'key-weak'],
  ['a point that is not on the curve', ec({ y: base64url(new Uint8Array(32).fill(1)) }), 'key-invalid'],
  ['the private member', ec({ d: 'AA' }), 'private-member'],
  [
    'all private members',
    rsa({ d: 'A', p: 'A', q: 'A', dp: 'A', dq: 'A', qi: 'A' }),
    ...Array<'private-member'>(6).fill('private-member'),
  ],
  [
    'a symmetric key',
    { kty: 'oct', k: 'AA', kid: 'k', use: 'sig', alg: 'HS256' },
    'private-member',
    'symmetric-key',
    'alg-of-key',
  ],
  ['no kid', ec({ kid: undefined }), 'kid-missing'],
  ['an empty kid', ec({ kid: '' }), 'kid-missing'],
  ['neither use nor key_ops', ec({ use: undefined }), 'use'],
  ['use enc', ec({ use: 'enc' }), 'use'],
  ['operations without verify', ec({ key_ops: ['encrypt'] }), 'key-operations'],
  ['operations twice', ec({ key_ops: ['verify', 'verify'] }), 'key-operations'],
  ['operations in a string', ec({ key_ops: 'verify' }), 'key-operations'],
  ['no alg', ec({ alg: undefined }), 'alg-missing'],
  ['alg of another type', ec({ alg: 'RS256' }), 'alg-of-key'],
  ['alg of another curve', ec({ alg: 'ES384' }), 'alg-of-key'],
]

describe('a key with', () => {
  test.each(KEYS)('%s', async (_, key, ...due) => {
    const problems = await checkJwks({ keys: [jwk('RS512'), key] })

    expect(problems.map(({ kind }) => kind)).toEqual(due)
    expect(new Set(problems.map(({ key: position }) => position))).toEqual(new Set([1]))
  })

  test('the kid of an earlier one', async () => {
    expect(
      await checkJwks({ keys: [jwk('RS256'), jwk('ES256'), jwk('ES384', { kid: keys.get('ES256').kid })] }),
    ).toEqual([{ kind: 'kid-repeated', key: 2, detail: 'an earlier key has the same kid' }])
  })
})

test('tells of private members by name alone', async () => {
  const secret = String(keys.stored['ES256']['d'])
  const problems = await checkJwks({ keys: [jwk('ES256', { d: secret })] })

  expect(problems).toEqual([{ kind: 'private-member', key: 0, detail: 'it has d' }])
})
