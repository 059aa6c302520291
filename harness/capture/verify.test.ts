import { generateKeyPairSync, sign } from 'node:crypto'
import { importJWK, SignJWT } from 'jose'
import type { JWK } from 'jose'
import { describe, expect, test } from 'vitest'
import { embeddedKeys } from '../../fixtures/keys/keys.ts'
import { createMint } from '../issuer/mint.ts'
import type { TokenExpectation, TokenProblemKind } from '../model/capture.ts'
import { base64url, derOfRawEcdsa, joined, segmentsOf } from '../model/compact.ts'
import type { Change, Json, JsonObject } from '../model/json.ts'
import { PUBLISHED_ALGORITHMS } from '../model/token.ts'
import type { KeyRole, MintOptions } from '../model/token.ts'
import { carriedToken, verifyArrival } from './carried.ts'
import { proveVerifier } from './prove-verifier.ts'
import { verifyGatewayToken } from './verify.ts'

const NOW = 1_800_000_000
const keys = embeddedKeys()
const JWKS = { keys: keys.published() }
const CLAIMS = {
  iss: 'https://gateway.example.com',
  aud: 'https://orders.example.com',
  sub: 'ada',
  iat: NOW,
  nbf: NOW,
  exp: NOW + 60,
  jti: 'one',
}
const EXPECTED = {
  issuer: CLAIMS.iss,
  audience: CLAIMS.aud,
  algorithms: PUBLISHED_ALGORITHMS,
  nowSec: NOW,
  maxLifetimeSec: 60,
  typ: 'at+jwt',
} as const satisfies TokenExpectation

const mint = createMint({
  keys,
  main: keys.get('ES256'),
  base: ({ alg, kid }) => ({ header: { alg, kid, typ: 'at+jwt' }, claims: CLAIMS }),
  trusted: true,
})
const token = (claims: Change = {}, options: MintOptions = {}): string => mint(claims, options).compact
const kinds = (
  compact: string,
  expected: TokenExpectation = EXPECTED,
  jwks: Json = JWKS,
): readonly TokenProblemKind[] => verifyGatewayToken(compact, jwks, expected).problems.map(({ kind }) => kind)

/** Signed by jose, which knows nothing of our octets. */
async function signed(role: KeyRole, claims: JsonObject = CLAIMS): Promise<string> {
  const { alg, kid } = keys.get(role)
  const key = await importJWK(keys.stored[role] as JWK, alg)
  return await new SignJWT(claims).setProtectedHeader({ alg, kid, typ: 'at+jwt' }).sign(key)
}

describe('tokens of jose', () => {
  test.each(PUBLISHED_ALGORITHMS)('%s is valid, and every corrupted copy of it is not', async (role) => {
    const compact = await signed(role)

    expect(verifyGatewayToken(compact, JWKS, EXPECTED)).toEqual({
      header: { alg: role, kid: keys.get(role).kid, typ: 'at+jwt' },
      claims: CLAIMS,
      problems: [],
    })
    expect(proveVerifier(compact, JWKS, EXPECTED)).toEqual([])
  })

  test('Ed448 under both of its names', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed448')
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k' } as JsonObject
    for (const alg of ['EdDSA', 'Ed448']) {
      const input = `${base64url(JSON.stringify({ alg, kid: 'k', typ: 'at+jwt' }))}.${base64url(JSON.stringify(CLAIMS))}`
      const compact = `${input}.${base64url(sign(null, Buffer.from(input), privateKey))}`
      expect(kinds(compact, { ...EXPECTED, algorithms: [alg] }, { keys: [jwk] })).toEqual([])
    }
  })

  test('the proof fails for a token that is not signed', async () => {
    const unsigned = joined(segmentsOf(await signed('RS256')), { signature: base64url(new Uint8Array(256)) })

    expect(proveVerifier(unsigned, JWKS, EXPECTED)).toContain('a signature that it accepts')
  })
})

test('what is not declared is not judged', () => {
  const compact = token({ iss: 'else', aud: ['a', 'b'], exp: NOW + 1e6 }, { header: { typ: undefined } })

  expect(kinds(compact, { nowSec: NOW })).toEqual([])
})

test('aud may be a list with what is declared beside it', () => {
  const compact = token({ aud: [CLAIMS.aud, 'https://stock.example.com'] })

  expect(kinds(compact, { ...EXPECTED, alsoAudiences: ['https://stock.example.com'] })).toEqual([])
  expect(kinds(compact)).toEqual(['audience-undeclared'])
})

test.each(['application/at+jwt', 'AT+JWT'])('typ %s is at+jwt', (typ) => {
  expect(kinds(token({}, { header: { typ } }))).toEqual([])
})

const rawClaims = (text: string | Uint8Array): string => token({}, { payloadText: text })
const text = JSON.stringify(CLAIMS)
const deep = JSON.stringify({ ...CLAIMS, x: JSON.parse(`${'['.repeat(40)}${']'.repeat(40)}`) as Json })
const es256 = segmentsOf(token())
const spare = (key: KeyRole, change: Change = {}): JsonObject =>
  JSON.parse(JSON.stringify({ ...keys.get(key).jwk, ...change })) as JsonObject
const swapped = (change: Change, role: KeyRole = 'ES256'): Json => ({ keys: [spare(role, change)] })

const NEIGHBOURS: Readonly<Record<string, string>> = { A: 'B', Q: 'R', g: 'h', w: 'x' }

interface Wrong {
  readonly name: string
  readonly compact: string
  readonly jwks?: Json
  readonly kinds: readonly TokenProblemKind[]
}

const WRONG: readonly Wrong[] = [
  { name: 'two segments', compact: 'a.b', kinds: ['not-compact'] },
  { name: 'five segments', compact: 'a.b.c.d.e', kinds: ['not-compact'] },
  { name: 'no signature', compact: joined(es256, { signature: '' }), kinds: ['not-compact'] },
  { name: 'padding in the signature', compact: `${token()}==`, kinds: ['base64url'] },
  {
    name: 'a header with padding',
    compact: joined(es256, { header: `${es256.header}=` }),
    kinds: ['base64url', 'signature'],
  },
  {
    name: 'trailing bits of base64',
    // The last character has four bits that encode nothing: its neighbour in the alphabet differs in those alone.
    compact: joined(es256, { signature: es256.signature.replace(/.$/u, (last) => NEIGHBOURS[last] ?? '') }),
    kinds: ['base64url'],
  },
  {
    name: 'octets that are no UTF-8',
    compact: rawClaims(Buffer.from('{"a":"\xff"}', 'latin1')),
    kinds: ['utf8'],
  },
  { name: 'a byte order mark', compact: rawClaims(`\ufeff${text}`), kinds: ['not-json'] },
  { name: 'a comma too many', compact: rawClaims(text.replace('}', ',}')), kinds: ['not-json'] },
  { name: 'claims in an array', compact: rawClaims(`[${text}]`), kinds: ['not-object'] },
  { name: 'null for claims', compact: rawClaims('null'), kinds: ['not-object'] },
  { name: 'a claim twice', compact: rawClaims(text.replace('{', '{"sub":"bob",')), kinds: ['duplicate-member'] },
  {
    name: 'a claim twice, once escaped, far from its colon',
    compact: rawClaims(text.replace('{', `{"s\\u0075b"${' '.repeat(200)}:"\\"}{",`)),
    kinds: ['duplicate-member'],
  },
  {
    name: 'a nested member twice',
    compact: rawClaims(text.replace('{', '{"x":[{"a":1,"b":{"a":2},"a":3}],')),
    kinds: ['duplicate-member'],
  },
  { name: 'forty arrays', compact: rawClaims(deep), kinds: ['too-deep'] },
  {
    name: 'a header member twice',
    compact: token({}, { headerText: `{"alg":"ES256","alg":"ES256","kid":"${keys.get('ES256').kid}","typ":"at+jwt"}` }),
    kinds: ['duplicate-member'],
  },
  { name: 'crit', compact: token({}, { header: { crit: ['exp'] } }), kinds: ['crit'] },
  { name: 'b64', compact: token({}, { header: { b64: true } }), kinds: ['b64'] },
  { name: 'zip', compact: token({}, { header: { zip: 'DEF' } }), kinds: ['zip'] },
  { name: 'exp in a string', compact: token({ exp: String(NOW + 60) }), kinds: ['claim-type'] },
  { name: 'exp null', compact: token({ exp: null }), kinds: ['claim-type'] },
  { name: 'exp without end', compact: rawClaims(text.replace(String(NOW + 60), '1e999')), kinds: ['claim-type'] },
  { name: 'sub and jti in numbers', compact: token({ sub: 1, jti: 2 }), kinds: ['claim-type', 'claim-type'] },
  { name: 'aud null', compact: token({ aud: null }), kinds: ['claim-type', 'audience-missing'] },
  { name: 'aud of numbers', compact: token({ aud: [CLAIMS.aud, 1] }), kinds: ['claim-type', 'audience-missing'] },
  { name: 'no alg', compact: token({}, { header: { alg: undefined } }), kinds: ['alg-missing'] },
  {
    name: 'alg none',
    compact: token({}, { header: { alg: 'none' } }),
    kinds: ['alg-undeclared', 'alg-not-asymmetric'],
  },
  {
    name: 'HMAC with the public key',
    compact: token({}, { key: keys.get('RS256').spkiDer, header: { kid: keys.get('RS256').kid } }),
    kinds: ['alg-undeclared', 'alg-not-asymmetric'],
  },
  {
    name: 'an algorithm that is not declared',
    compact: token({}, { key: keys.get('secp256k1') }),
    kinds: ['alg-undeclared'],
  },
  {
    name: 'another algorithm than the key is for',
    compact: token({}, { key: keys.get('RS256'), header: { alg: 'PS256' } }),
    kinds: ['alg-of-key'],
  },
  { name: 'no JWKS', compact: token(), jwks: 'gone', kinds: ['jwks'] },
  { name: 'keys in an object', compact: token(), jwks: { keys: {} }, kinds: ['jwks'] },
  { name: 'no kid', compact: token({}, { header: { kid: undefined } }), kinds: ['kid-missing'] },
  { name: 'kid a number', compact: token({}, { header: { kid: 7 } }), kinds: ['kid-missing'] },
  { name: 'a kid of no key', compact: token({}, { header: { kid: 'else' } }), kinds: ['kid-unknown'] },
  {
    name: 'a key that is not published',
    compact: token({}, { key: keys.get('attacker-ec') }),
    kinds: ['kid-unknown', 'signature'],
  },
  {
    name: 'a kid of two keys',
    compact: token(),
    jwks: { keys: [spare('ES256'), spare('no-alg-ec', { kid: keys.get('ES256').kid })] },
    kinds: ['kid-ambiguous'],
  },
  {
    name: 'a kid of a key of another type',
    compact: token({}, { header: { kid: keys.get('RS256').kid } }),
    kinds: ['key-type'],
  },
  {
    name: 'a key of another curve',
    compact: token({}, { header: { kid: keys.get('ES384').kid } }),
    kinds: ['key-type'],
  },
  { name: 'a key for encryption', compact: token({}, { key: keys.get('use-enc') }), kinds: ['key-use'] },
  {
    name: 'a key with other operations',
    compact: token({}, { key: keys.get('key-ops-encrypt') }),
    kinds: ['key-operations'],
  },
  { name: 'a key of 1024 bits', compact: token({}, { key: keys.get('rsa-1024') }), kinds: ['key-weak'] },
  {
    name: 'a point that is not on the curve',
    compact: token(),
    jwks: swapped({ y: base64url(new Uint8Array(32).fill(1)) }),
    kinds: ['key-invalid'],
  },
  {
    name: 'an ECDSA signature in DER',
    compact: token({}, { signature: derOfRawEcdsa }),
    kinds: ['signature-size'],
  },
  {
    name: 'a signature of another token',
    compact: joined(es256, { signature: segmentsOf(token({ sub: 'bob' })).signature }),
    kinds: ['signature'],
  },
  {
    name: 'a signature with another digest',
    compact: token({}, { key: keys.get('RS256'), signAs: 'RS512' }),
    kinds: ['signature'],
  },
  { name: 'no typ', compact: token({}, { header: { typ: undefined } }), kinds: ['typ'] },
  { name: 'another typ', compact: token({}, { header: { typ: 'JWT' } }), kinds: ['typ'] },
  { name: 'iss with a slash behind', compact: token({ iss: `${CLAIMS.iss}/` }), kinds: ['issuer'] },
  { name: 'no iss', compact: token({ iss: undefined }), kinds: ['issuer'] },
  { name: 'another aud', compact: token({ aud: '*' }), kinds: ['audience-missing', 'audience-undeclared'] },
  { name: 'no aud', compact: token({ aud: undefined }), kinds: ['audience-missing'] },
  { name: 'a list without aud', compact: token({ aud: [] }), kinds: ['audience-missing'] },
  { name: 'no exp', compact: token({ exp: undefined }), kinds: ['exp-missing'] },
  { name: 'a day', compact: token({ exp: NOW + 86_400 }), kinds: ['lifetime'] },
  { name: 'a day without iat', compact: token({ exp: NOW + 86_400, iat: undefined }), kinds: ['lifetime'] },
  { name: 'exp at the arrival', compact: token({ exp: NOW }), kinds: ['expired'] },
  { name: 'iat three seconds ahead', compact: token({ iat: NOW + 3 }), kinds: ['iat-ahead'] },
  { name: 'nbf three seconds ahead', compact: token({ nbf: NOW + 3 }), kinds: ['nbf-ahead'] },
]

/** Complete by its type: a kind that is added has to be shown too. */
const ALL_KINDS: Readonly<Record<TokenProblemKind, true>> = {
  'token-missing': true,
  'token-header-repeated': true,
  'several-tokens': true,
  scheme: true,
  'not-compact': true,
  base64url: true,
  utf8: true,
  'not-json': true,
  'not-object': true,
  'duplicate-member': true,
  'too-deep': true,
  crit: true,
  b64: true,
  zip: true,
  'claim-type': true,
  'alg-missing': true,
  'alg-not-asymmetric': true,
  'alg-undeclared': true,
  'alg-of-key': true,
  jwks: true,
  'kid-missing': true,
  'kid-unknown': true,
  'kid-ambiguous': true,
  'key-type': true,
  'key-use': true,
  'key-operations': true,
  'key-weak': true,
  'key-invalid': true,
  'signature-size': true,
  signature: true,
  typ: true,
  issuer: true,
  'audience-missing': true,
  'audience-undeclared': true,
  'exp-missing': true,
  lifetime: true,
  expired: true,
  'iat-ahead': true,
  'nbf-ahead': true,
}

describe('names what is wrong', () => {
  test.each(WRONG)('$name', ({ compact, jwks, kinds: due }) => {
    const wrong = kinds(compact, EXPECTED, jwks ?? JWKS)

    expect(wrong).toEqual(due)
  })

  test('two seconds ahead is not', () => {
    expect(kinds(token({ iat: NOW + 2, nbf: NOW + 2 }))).toEqual([])
  })

  test('without token text', () => {
    const told = WRONG.filter(({ compact, jwks }) => {
      const { problems } = verifyGatewayToken(compact, jwks ?? JWKS, EXPECTED)
      const segments = compact.split('.').filter((segment) => segment.length > 8)
      return problems.some(({ detail }) => segments.some((segment) => detail.includes(segment)))
    })

    expect(told.map(({ name }) => name)).toEqual([])
  })

  test('in every kind there is, of those that a token alone can have', () => {
    const seen = new Set(WRONG.flatMap(({ kinds: due }) => due))
    const carrying: readonly TokenProblemKind[] = ['token-missing', 'token-header-repeated', 'several-tokens', 'scheme']

    expect([...new Set([...seen, ...carrying])].toSorted()).toEqual(Object.keys(ALL_KINDS).toSorted())
  })
})

describe('the token of a request', () => {
  const request = (...lines: readonly string[]) => ({ header: () => lines, atMs: NOW * 1000 })
  const place = { header: 'Authorization', scheme: 'Bearer' }
  const one = token()
  const two = token({ sub: 'bob' })

  test.each([
    ['none', [], []],
    ['another credential', ['Basic YTpi'], []],
    ['one', [`Bearer ${one}`], [one]],
    ['one in other case', [`bearer  ${one}`], [one]],
    ['without the scheme', [one], [one, 'scheme']],
    ['with another scheme', [`JWT ${one}`], [one, 'scheme']],
    ['with something behind', [`Bearer ${one} x`], [one, 'scheme']],
    ['with padding', [`Bearer ${one}==`], [`${one}==`]],
    ['two in one line', [`Bearer ${one}, Bearer ${two}`], [one, 'several-tokens']],
    ['two lines', [`Bearer ${one}`, `Bearer ${two}`], [one, 'token-header-repeated', 'several-tokens']],
    ['an empty line beside', [`Bearer ${one}`, ''], [one, 'token-header-repeated']],
  ] as const)('%s', (_, lines, [compact, ...due]) => {
    const carried = carriedToken(request(...lines), place)

    expect(carried.compact).toBe(compact)
    expect(carried.problems.map(({ kind }) => kind)).toEqual(compact === undefined ? ['token-missing'] : due)
  })

  test('alone, where no scheme is declared', () => {
    expect(carriedToken(request(one), { header: 'X-Token' }).problems).toEqual([])
    expect(carriedToken(request(`Bearer ${one}`), { header: 'X-Token' }).problems).toMatchObject([{ kind: 'scheme' }])
  })

  test('is verified at its arrival, by the clock of the gateway', () => {
    expect(verifyArrival(request(`Bearer ${one}`), place, JWKS, EXPECTED)).toMatchObject({
      problems: [],
      claims: CLAIMS,
    })
    const late = verifyArrival(request(`Bearer ${one}`), place, JWKS, EXPECTED, 60)
    expect(late.problems).toMatchObject([{ kind: 'expired' }])
    expect(verifyArrival(request(), place, JWKS, EXPECTED)).toMatchObject({ problems: [{ kind: 'token-missing' }] })
  })
})
