import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, importJWK, jwtVerify, SignJWT } from 'jose'
import type { CryptoKey, JWK } from 'jose'
import { request } from 'undici'
import { describe, expect, test } from 'vitest'
import { movableClock } from '../clock/clock.ts'
import { createJwksClient } from './jwks-client.ts'
import { parseWith, strictParts } from './parse.ts'
import { REFERENCE_PROFILE } from './profile.ts'
import { startReferenceOrigin } from './server.ts'
import { strictObject } from './strict-json.ts'

const ISSUER = 'https://issuer.example.com'
const { algorithms, audience, typ } = REFERENCE_PROFILE

interface Pair {
  readonly algorithm: string
  readonly privateKey: CryptoKey
  readonly jwk: JWK
}

const pairs: readonly Pair[] = await Promise.all(
  algorithms.map(async (algorithm) => {
    const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
    return {
      algorithm,
      privateKey,
      jwk: { ...(await exportJWK(publicKey)), kid: `kid-${algorithm}`, alg: algorithm, use: 'sig' },
    }
  }),
)

/** A JWKS endpoint whose answer can be changed, and that counts. */
async function startJwks(handle?: http.RequestListener) {
  const state = {
    fetches: 0,
    handle: handle ?? ((_, response) => response.end(JSON.stringify({ keys: pairs.map(({ jwk }) => jwk) }))),
  }
  const server = http.createServer((incoming, response) => {
    state.fetches += 1
    state.handle(incoming, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    state,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

const serving =
  (...keys: readonly object[]): http.RequestListener =>
  (_, response) =>
    response.end(JSON.stringify({ keys }))

function signed({ algorithm, privateKey }: Pair, claims: object = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({
    iss: ISSUER,
    aud: audience,
    sub: 'consumer-ada',
    iat: now,
    exp: now + 60,
    jti: `${Math.random()}`,
    ...claims,
  })
    .setProtectedHeader({ alg: algorithm, kid: `kid-${algorithm}`, typ })
    .sign(privateKey)
}

describe('the strict verifier against jose', () => {
  test.each(pairs)('$algorithm: what jose signs is accepted, and jose accepts it too', async (pair) => {
    await using jwks = await startJwks()
    await using origin = await startReferenceOrigin({
      issuer: ISSUER,
      jwksUrl: jwks.url,
      audience,
      profile: { ...REFERENCE_PROFILE, jwks: {} },
      clock: movableClock(),
      port: 0,
    })
    const token = await signed(pair)
    const ask = async (text: string) => {
      const { statusCode, body } = await request(`${origin.url}/protected`, {
        headers: { authorization: `Bearer ${text}` },
      })
      return { status: statusCode, body: await body.json() }
    }

    expect(await ask(token)).toMatchObject({ status: 200, body: { sub: 'consumer-ada' } })
    await expect(jwtVerify(token, await importJWK(pair.jwk), { issuer: ISSUER, audience, typ })).resolves.toBeDefined()
    expect((await ask(await signed(pair, { aud: 'https://other.example.com' }))).status).toBe(401)
    expect((await ask(await signed(pair, { iss: `${ISSUER}/` }))).status).toBe(401)
    expect((await ask(`${token.slice(0, -4)}AAAA`)).status).toBe(401)
    expect((await ask(await signed(pair, { exp: 1 }))).status).toBe(401)
  })
})

describe('strict JSON', () => {
  const parse = (text: string | Uint8Array) => strictObject(Buffer.from(text as string))?.value

  test.each([
    '{}',
    '{"a":{"a":1},"b":[{"a":1},{"a":2}]}',
    String.raw`{"a":"\"}:{,\"a\":1"}`,
    '{"a":"}"}',
    ' {"a" : 1} ',
  ])('takes %s', (text) => {
    expect(parse(text)).toEqual(JSON.parse(text))
  })

  test.each([
    '[]',
    'null',
    '1',
    '"x"',
    '',
    '{"a":1}x',
    '{"a":1,"a":2}',
    String.raw`{"a":1,"\u0061":2}`,
    '{"x":{"b":1,"b":1}}',
    '\uFEFF{}',
    `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`,
    '{a:1}',
  ])('refuses %s', (text) => {
    expect(parse(text)).toBeUndefined()
  })

  test('refuses octets that are no UTF-8', () => {
    expect(parse(Buffer.from('{"a":"x"}', 'utf16le'))).toBeUndefined()
    expect(parse(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d))).toBeUndefined()
  })
})

test.each([
  '',
  'a',
  'a.b',
  'e30.e30',
  'e30.e30.',
  '.e30.e30',
  'e30.e30.AA.AA',
  'e30=.e30.AA',
  'e31.e30.AA',
  'e30.e30.A',
  'e30.e30.A+',
  'e30.bnVsbA.AA',
])('parse refuses %s', (compact) => {
  expect(parseWith(strictParts)(compact)).toMatchObject({ status: 401 })
})

describe('the JWKS client', () => {
  const jwkOf = (index: number): object => pairs[index]?.jwk ?? {}
  const OPTIONS = {
    maxAgeSec: 100,
    cooldownSec: 10,
    staleSec: 50,
    timeoutMs: 200,
    maxBytes: 10_000,
    honoursCacheControl: false,
  }

  async function client(handle?: http.RequestListener) {
    const jwks = await startJwks(handle)
    const clock = movableClock()
    return { jwks, clock, keys: createJwksClient({ ...OPTIONS, from: { jwksUrl: jwks.url }, clock }) }
  }

  test('fetches once for many, keeps the set for its age, and then fetches again', async () => {
    const { jwks, clock, keys } = await client()
    await using _ = jwks
    const found = await Promise.all(Array.from({ length: 20 }, () => keys.find('kid-RS256')))

    expect(found.every(({ kind }) => kind === 'found')).toBe(true)
    expect(jwks.state.fetches).toBe(1)
    clock.advance(99)
    await keys.find('kid-RS256')
    expect(jwks.state.fetches).toBe(1)
    clock.advance(2)
    await keys.find('kid-RS256')
    expect(jwks.state.fetches).toBe(2)
  })

  test('fetches again for an unknown kid, at most once in a cooldown', async () => {
    const { jwks, clock, keys } = await client(serving(jwkOf(0)))
    await using _ = jwks
    expect((await keys.find(`kid-${algorithms[1]}`)).kind).toBe('unknown')
    await keys.find('nobody')
    expect(jwks.state.fetches).toBe(1)
    jwks.state.handle = serving(jwkOf(0), jwkOf(1))
    clock.advance(10)
    expect((await keys.find(`kid-${algorithms[1]}`)).kind).toBe('found')
    expect(jwks.state.fetches).toBe(2)
  })

  test('serves the old set while the issuer is away, but not for ever', async () => {
    const { jwks, clock, keys } = await client()
    await using _ = jwks
    await keys.find('kid-RS256')
    jwks.state.handle = (__, response) => response.writeHead(503).end()
    clock.advance(120)
    expect((await keys.find('kid-RS256')).kind).toBe('found')
    clock.advance(40)
    expect((await keys.find('kid-RS256')).kind).toBe('unavailable')
  })

  test.each<readonly [string, http.RequestListener]>([
    ['an error', (_, response) => response.writeHead(500).end('{}')],
    ['a redirect', (_, response) => response.writeHead(302, { location: '/else' }).end()],
    ['silence', () => undefined],
    ['too much', (_, response) => response.end(`{"keys":[]${' '.repeat(20_000)}}`)],
    ['no JSON', (_, response) => response.end('<html>')],
    ['no set', (_, response) => response.end('[]')],
  ])('%s is no set: nothing can be said', async (_, handle) => {
    const { jwks, keys } = await client(handle)
    await using __ = jwks

    expect((await keys.find('kid-RS256')).kind).toBe('unavailable')
  })

  test('leaves out private and symmetric keys, keys without kid, and both of two with one kid', async () => {
    const twin = { ...jwkOf(0), kid: 'twin' }
    const { jwks, keys } = await client(
      serving(
        { ...jwkOf(0), d: 'x', kid: 'private' },
        { kty: 'oct', k: 'AA', kid: 'oct' },
        { ...jwkOf(0), kid: 1 },
        twin,
        twin,
        jwkOf(0),
      ),
    )
    await using _ = jwks

    expect((await keys.find('kid-RS256')).kind).toBe('found')
    expect(keys.held().map(({ kid }) => kid)).toEqual(['kid-RS256'])
  })
})
