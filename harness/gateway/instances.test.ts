import { createRemoteJWKSet, jwtVerify } from 'jose'
import { request } from 'undici'
import { afterAll, describe, expect, test } from 'vitest'
import { exchangeOctets, GUARDED, policy, requestText, statusIn, testGateway } from './gateway.testing.ts'
import type { TestGateway } from './gateway.testing.ts'
import { startRedis } from './redis-server.testing.ts'

const PUBLIC_URL = 'https://api.example.com'
const LIMIT = 30
const [keyPolicy, tokenPolicy] = GUARDED

const limited = (throwOnFailure: boolean) => {
  const options = { rateLimitBy: 'user', requestsAllowed: LIMIT, timeWindowMinutes: 10, throwOnFailure }
  const limit = policy('rate-limit-inbound', options, `limit-${throwOnFailure ? 'closed' : 'open'}`)
  return keyPolicy && tokenPolicy ? [keyPolicy, limit, tokenPolicy] : []
}

async function send(one: TestGateway, key: string): Promise<number> {
  return statusIn(await exchangeOctets(one.port, requestText('GET /r', [`Authorization: Bearer ${key}`])))
}

const jwks = async (one: TestGateway) =>
  await (await request(`${one.gateway.url}/__zuplo/issuer/.well-known/jwks.json`)).body.text()

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(holds, { timeout: 5_000, interval: 10 }).toBe(true)
}

const redis = await startRedis('that instances of the gateway share limits, keys and signing keys')

afterAll(() => redis?.kill())

describe.runIf(redis)('two instances with one Redis', () => {
  const start = (throwOnFailure: boolean) =>
    testGateway({ state: { redis: redis?.url ?? '' }, publicUrl: PUBLIC_URL, policies: limited(throwOnFailure) })

  test('share a limit exactly, keys, revocations and signing keys', async () => {
    await using one = await start(false)
    await using other = await start(false)
    const { keys } = one.gateway
    await keys.createConsumer('default', 'shared', {})
    const { key, stored } = await keys.createKey('default', 'shared')
    await until(() => other.gateway.keys.find('default', key) !== undefined)
    const statuses = await Promise.all(
      Array.from({ length: 3 * LIMIT }, (_, at) => send(at % 2 === 0 ? one : other, key)),
    )
    const arrivals = [...one.origin.all(), ...other.origin.all()]

    expect(statuses.filter((status) => status === 200)).toHaveLength(LIMIT)
    expect(statuses.filter((status) => status === 429)).toHaveLength(2 * LIMIT)
    expect(arrivals).toHaveLength(LIMIT)

    expect(await jwks(one)).toBe(await jwks(other))
    const [token = ''] = one.origin.all()[0]?.header('authorization') ?? []
    const set = createRemoteJWKSet(new URL(`${other.gateway.url}/__zuplo/issuer/.well-known/jwks.json`))
    await jwtVerify(token.replace('Bearer ', ''), set, { issuer: `${PUBLIC_URL}/__zuplo/issuer` })

    const { kid = '' } = JSON.parse(Buffer.from(token.slice(7).split('.')[0] ?? '', 'base64url').toString()) as {
      kid?: string
    }
    await one.gateway.tokens?.revoke(kid)
    await until(async () => !(await jwks(other)).includes(kid))
    await keys.deleteKey('default', 'shared', stored.id)
    await until(async () => (await send(other, key)) === 401)
  })

  test('without Redis: open or closed as declared, and never without a key or a token', async () => {
    await using open = await start(false)
    await using closed = await start(true)
    await until(() => closed.gateway.keys.find('default', open.key) !== undefined)
    expect([await send(open, open.key), await send(closed, open.key)]).toEqual([200, 200])
    await redis?.kill()
    const before = [open.origin.mark(), closed.origin.mark()] as const

    expect(await send(open, open.key)).toBe(200)
    expect(await send(closed, open.key)).toBe(503)
    expect([await send(open, 'unknown'), await send(closed, 'unknown')]).toEqual([401, 401])
    expect(open.origin.since(before[0]).map((arrival) => arrival.header('authorization').length)).toEqual([1])
    expect(closed.origin.since(before[1])).toEqual([])
  })
})
