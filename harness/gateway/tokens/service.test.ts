import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { calculateJwkThumbprint, createLocalJWKSet, jwtVerify } from 'jose'
import type { JSONWebKeySet } from 'jose'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { movableClock } from '../../clock/clock.ts'
import { Headers } from '../headers.ts'
import { GATEWAY_ALGORITHMS } from '../settings.ts'
import type { GatewayAlgorithm } from '../settings.ts'
import { fileRing } from './ring-file.ts'
import { memoryRing } from './ring-store.ts'
import { startJwtService } from './service.ts'
import type { JwtService } from './service.ts'

const BASE = '/__zuplo/issuer'
const PUBLIC_URL = 'https://api.example.com'

const start = (algorithm: GatewayAlgorithm = 'EdDSA', store = memoryRing(), clock = movableClock()) =>
  startJwtService({
    settings: { basePath: BASE, lifetimeSec: 300, algorithm },
    publicUrl: PUBLIC_URL,
    clock,
    store,
    report: () => undefined,
  })

function bodyOf(service: JwtService, name: string): string {
  const verdict = service.answer(`${BASE}/.well-known/${name}`, 'GET', new Headers([]))
  if (!verdict || !('body' in verdict)) throw new TypeError('The document was refused')
  return verdict.body
}

const keysOf = (service: JwtService) => JSON.parse(bodyOf(service, 'jwks.json')) as JSONWebKeySet

const segment = (token: string, at: number) =>
  JSON.parse(Buffer.from(token.split('.')[at] ?? '', 'base64url').toString()) as Readonly<Record<string, unknown>>

const kidOf = (token: string) => String(segment(token, 0)['kid'])

test.each(GATEWAY_ALGORITHMS)('%s: an independent library verifies the token', async (algorithm) => {
  await using service = await start(algorithm)
  const token = service.sign({ sub: 'consumer-one', aud: 'https://orders.example.com' }, 60)

  const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(keysOf(service)), {
    issuer: `${PUBLIC_URL}${BASE}`,
    audience: 'https://orders.example.com',
    algorithms: [algorithm],
    requiredClaims: ['exp', 'iat', 'jti', 'sub'],
  })

  expect(protectedHeader).toMatchObject({ alg: algorithm, typ: 'JWT' })
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60)
})

test.each([
  ['EdDSA', ['alg', 'crv', 'kid', 'kty', 'use', 'x']],
  ['ES256', ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']],
  ['RS256', ['alg', 'e', 'kid', 'kty', 'n', 'use']],
  ['PS256', ['alg', 'e', 'kid', 'kty', 'n', 'use']],
] as const)(
  '%s: a published key has its public members, and its RFC 7638 thumbprint for a name',
  async (alg, names) => {
    await using service = await start(alg)
    const { keys } = keysOf(service)

    expect(keys).toHaveLength(2)
    for (const key of keys) {
      expect(Object.keys(key).toSorted()).toEqual(names)
      expect(key).toMatchObject({ use: 'sig', alg, kid: await calculateJwkThumbprint(key) })
    }
  },
)

test('no two tokens have the same jti, and a token has what it was told and nothing else', async () => {
  await using service = await start()
  const payloads = Array.from({ length: 100 }, () => segment(service.sign({ sub: 'a', plan: 'team' }, 60), 1))

  expect(new Set(payloads.map(({ jti }) => jti)).size).toBe(100)
  expect(Object.keys(payloads[0] ?? {}).toSorted()).toEqual(['exp', 'iat', 'iss', 'jti', 'plan', 'sub'])
})

test('while the algorithm changes, the discovery document names both', async () => {
  const store = memoryRing()
  const before = await start('RS256', store)
  expect(JSON.parse(bodyOf(before, 'openid-configuration'))).toMatchObject({
    issuer: `${PUBLIC_URL}${BASE}`,
    jwks_uri: `${PUBLIC_URL}${BASE}/.well-known/jwks.json`,
    id_token_signing_alg_values_supported: ['RS256'],
  })
  await before[Symbol.asyncDispose]()
  await using after = await start('EdDSA', store)

  expect(segment(after.sign({}, 60), 0)['alg']).toBe('RS256')
  expect(JSON.parse(bodyOf(after, 'openid-configuration'))).toMatchObject({
    id_token_signing_alg_values_supported: ['RS256', 'EdDSA'],
  })
})

test('a revoked key is gone from the JWKS and signs nothing more, and kept tokens are told to go', async () => {
  await using service = await start()
  const kid = kidOf(service.sign({}, 60))
  const before = service.generation()

  expect(await service.revoke(kid)).toBe(true)
  expect(keysOf(service).keys.map((key) => key.kid)).not.toContain(kid)
  const taking = kidOf(service.sign({}, 60))
  expect(taking).not.toBe(kid)
  expect(keysOf(service).keys.map((key) => key.kid)).toContain(taking)
  expect(service.generation()).toBeGreaterThan(before)
  expect(await service.revoke('no-such-kid')).toBe(false)
})

test('keys are kept across a restart', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-tokens-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = path.join(folder, 'ring.json')
  const run = async (used: (service: JwtService) => Promise<void> | void) => {
    await using store = fileRing(file)
    await using service = await start('ES256', store)
    await used(service)
  }
  let token = ''
  let body = ''
  await run((service) => {
    token = service.sign({ aud: 'x' }, 60)
    body = bodyOf(service, 'jwks.json')
  })
  await run(async (service) => {
    expect(bodyOf(service, 'jwks.json')).toBe(body)
    await jwtVerify(token, createLocalJWKSet(keysOf(service)), { audience: 'x' })
    await service.revoke(kidOf(token))
  })
  await run(async (service) => {
    await expect(jwtVerify(token, createLocalJWKSet(keysOf(service)))).rejects.toMatchObject({
      code: 'ERR_JWKS_NO_MATCHING_KEY',
    })
  })
})

test('tokens that would live longer than their keys are published do not start', async () => {
  const settings = { basePath: BASE, lifetimeSec: 86_401, algorithm: 'EdDSA' } as const
  const options = { settings, publicUrl: PUBLIC_URL, clock: movableClock(), report: () => undefined }

  await expect(startJwtService({ ...options, store: memoryRing() })).rejects.toMatchObject({
    code: 'ERR_GATEWAY_PROJECT',
    fields: { option: 'tokenExpiration', instead: 'at most 86400 s' },
  })
  const times = { longestLifetimeSec: 90_000 }
  await using service = await startJwtService({ ...options, store: memoryRing(), times })
  expect(service.longestLifetimeSec).toBe(90_000)
})

afterEach(() => {
  vi.useRealTimers()
})

test('through rotations, restarts and another algorithm, a library verifies every token with any JWKS that it may hold', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'], now: Date.UTC(2026, 0, 1) })
  const times = { maxAgeSec: 120, longestLifetimeSec: 300, rotateEverySec: 1_200 }
  const store = memoryRing()
  const run = (algorithm: GatewayAlgorithm) =>
    startJwtService({
      settings: { basePath: BASE, lifetimeSec: 300, algorithm },
      publicUrl: PUBLIC_URL,
      clock: { nowMs: Date.now },
      store,
      report: () => undefined,
      times,
    })
  let service = await run('ES256')
  let tokens: { token: string; expMs: number }[] = []
  let copies: { atMs: number; set: JSONWebKeySet }[] = []
  const seen = new Set<string>()
  let verified = 0
  for (let step = 0; step < 150; step += 1) {
    await vi.advanceTimersByTimeAsync(30_000)
    if (step % 40 === 39) await service.rotate()
    if (step % 50 === 49) {
      await service[Symbol.asyncDispose]()
      service = await run(step === 49 ? 'EdDSA' : 'ES256')
    }
    const nowMs = Date.now()
    copies = copies.filter(({ atMs }) => atMs > nowMs - times.maxAgeSec * 1000)
    copies.push({ atMs: nowMs, set: keysOf(service) })
    tokens = tokens.filter(({ expMs }) => expMs > nowMs)
    tokens.push({ token: service.sign({ sub: 'a', aud: 'x' }, 300), expMs: nowMs + 300_000 })
    seen.add(kidOf(tokens.at(-1)?.token ?? ''))
    for (const { set } of copies) {
      const known = createLocalJWKSet(set)
      for (const { token } of tokens) {
        await jwtVerify(token, known, { audience: 'x', issuer: service.issuer, currentDate: new Date() })
        verified += 1
      }
    }
  }
  await service[Symbol.asyncDispose]()

  expect(seen.size).toBeGreaterThan(5)
  expect(verified).toBeGreaterThan(3_000)
})
