import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createLocalJWKSet, jwtVerify } from 'jose'
import type { JSONWebKeySet } from 'jose'
import { expect, onTestFinished, test } from 'vitest'
import { movableClock } from '../../clock/clock.ts'
import { Headers } from '../headers.ts'
import type { Reply, Verdict } from '../reply.ts'
import { GATEWAY_ALGORITHMS } from '../settings.ts'
import type { GatewayAlgorithm } from '../settings.ts'
import { fileRing, memoryRing } from './ring-store.ts'
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

function isReply(verdict: Verdict | undefined): verdict is Reply {
  return verdict !== undefined && 'status' in verdict
}

function jwksOf(service: JwtService, lines: string[] = []): Reply {
  const reply = service.answer(`${BASE}/.well-known/jwks.json`, 'GET', new Headers(lines))
  if (!isReply(reply)) throw new TypeError('The JWKS was refused')
  return reply
}

const keysOf = (service: JwtService) => JSON.parse(jwksOf(service).body) as JSONWebKeySet

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
  const members = keysOf(service).keys.flatMap((key) => Object.keys(key))
  expect(members.filter((name) => ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'].includes(name))).toEqual([])
})

test('no two tokens have the same jti', async () => {
  await using service = await start()
  const jtis = Array.from({ length: 100 }, () => service.sign({ sub: 'a' }, 60).split('.')[1])

  expect(new Set(jtis).size).toBe(100)
})

test('the discovery document names the issuer and its keys', async () => {
  await using service = await start('RS256')
  const reply = service.answer(`${BASE}/.well-known/openid-configuration`, 'GET', new Headers([]))

  expect(isReply(reply) && JSON.parse(reply.body)).toMatchObject({
    issuer: service.issuer,
    jwks_uri: `${PUBLIC_URL}${BASE}/.well-known/jwks.json`,
    id_token_signing_alg_values_supported: ['RS256'],
  })
  expect(service.answer(`${BASE}/other`, 'GET', new Headers([]))).toBeUndefined()
  expect(service.answer(`${BASE}/.well-known/jwks.json`, 'POST', new Headers([]))).toMatchObject({ problem: 405 })
})

test('the JWKS may be kept for less than a key overlaps, and is asked for conditionally', async () => {
  await using service = await start()
  const first = jwksOf(service)
  const etag = first.headers.find(([name]) => name === 'ETag')?.[1] ?? ''

  expect(first.headers).toContainEqual(['Cache-Control', 'public, max-age=300'])
  expect(jwksOf(service, ['If-None-Match', `"x", ${etag}`])).toMatchObject({ status: 304, body: '' })
  await service.rotate()
  expect(jwksOf(service, ['If-None-Match', etag]).status).toBe(200)
})

test('a revoked key is gone from the JWKS and signs nothing more, and kept tokens are told to go', async () => {
  await using service = await start()
  const { kid } = JSON.parse(Buffer.from(service.sign({}, 60).split('.')[0] ?? '', 'base64url').toString()) as {
    kid: string
  }
  const before = service.generation()

  expect(await service.revoke(kid)).toBe(true)
  expect(keysOf(service).keys.map((key) => key.kid)).not.toContain(kid)
  const [header = ''] = service.sign({}, 60).split('.')
  expect(Buffer.from(header, 'base64url').toString()).not.toContain(kid)
  expect(service.generation()).toBeGreaterThan(before)
  expect(await service.revoke('no-such-kid')).toBe(false)
})

async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'trustspec-ring-'))
  onTestFinished(() => rm(made, { recursive: true }))
  return made
}

test('keys are kept across a restart, readable by their owner alone', async () => {
  const file = path.join(await folder(), 'keys', 'ring.json')
  const before = await start('ES256', fileRing(file))
  const token = before.sign({ aud: 'x' }, 60)
  const kids = keysOf(before).keys.map(({ kid }) => kid)
  await before[Symbol.asyncDispose]()
  await using after = await start('ES256', fileRing(file))

  expect(keysOf(after).keys.map(({ kid }) => kid)).toEqual(kids)
  await expect(jwtVerify(token, createLocalJWKSet(keysOf(after)), { audience: 'x' })).resolves.toBeDefined()
  expect((await stat(file)).mode & 0o777).toBe(0o600)
})

test('instances that share a file have the same keys, also when they start at once', async () => {
  const file = path.join(await folder(), 'ring.json')
  const services = await Promise.all(Array.from({ length: 4 }, () => start('EdDSA', fileRing(file))))
  const kids = services.map((service) => keysOf(service).keys.map(({ kid }) => kid))
  await Promise.all(services.map((service) => service[Symbol.asyncDispose]()))

  expect(new Set(kids.map((names) => names.join(' '))).size).toBe(1)
})

test('a damaged file is not replaced by new keys', async () => {
  const file = path.join(await folder(), 'ring.json')
  await writeFile(file, '{"keys": [')

  await expect(start('EdDSA', fileRing(file))).rejects.toMatchObject({ code: 'ERR_USAGE', fields: { file } })
  expect(await readFile(file, 'utf8')).toBe('{"keys": [')
})
