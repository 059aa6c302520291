import type { Redis } from 'ioredis'
import { afterAll, describe, expect, test } from 'vitest'
import { movableClock } from '../../clock/clock.ts'
import { burst, requestOf, testContext, testPolicy } from '../policies/policies.testing.ts'
import { quotaInbound } from '../policies/quota-inbound.ts'
import { rateLimitInbound } from '../policies/rate-limit-inbound.ts'
import { startRedis } from '../redis-server.testing.ts'
import { connectRedis } from '../redis.ts'
import { createMemoryQuotas } from './memory-quotas.ts'
import { naiveLimits, randomTakes, seeded } from './naive.testing.ts'
import { createRedisLimits } from './redis-limits.ts'
import { createRedisQuotas } from './redis-quotas.ts'

const DAY_MS = 86_400_000

const server = await startRedis('limits and quotas in Redis')

const connections: Redis[] = []

/** An instance of a gateway, with a connection and a clock of its own. */
async function instance(url = server?.url ?? '') {
  const redis = await connectRedis(url)
  connections.push(redis)
  const clock = movableClock()
  const limits = createRedisLimits(redis, clock)
  const quotas = createRedisQuotas(redis, clock)
  const { context, events } = testContext({ clock, limits, quotas })
  return { redis, clock, limits, quotas, context, events }
}

afterAll(async () => {
  for (const redis of connections) redis.disconnect()
  await server?.[Symbol.asyncDispose]()
})

const byUser = { rateLimitBy: 'user', requestsAllowed: 100, timeWindowMinutes: 10 }
const daily = { period: 'daily', quotaBy: 'user', allowances: { requests: 100 } }

const crowd = (sub: string, size: number) => Array.from({ length: size }, () => requestOf(sub))

const admitted = (statuses: readonly number[]) => statuses.filter((status) => status === 200).length

describe.runIf(server)('limits', () => {
  test.each([1, 2])('admit exactly what a naive model admits, seed %i', async (seed) => {
    const { limits, clock } = await instance()
    const model = naiveLimits()
    // Redis has the time, and it goes on while the test runs. So that the model can know every answer nevertheless,
    // moments are hours apart, and windows end half an hour beside them.
    const hour = 3_600_000
    let modelMs = 0
    let refused = 0
    for (const { stepMs, takes } of randomTakes(seed, 2_000)) {
      modelMs += stepMs * hour
      clock.advance(stepMs * 3_600)
      const scaled = takes.map(({ key, rule, cost }) => ({
        key: `${seed} ${key}`,
        rule: { limit: rule.limit, windowMs: rule.windowMs * hour + hour / 2 },
        cost,
      }))
      const due = model(modelMs, scaled)
      const told = await limits.take(scaled)
      const inHalfHours = (ms: number) => Math.round(ms / (hour / 2))
      for (const [nth, { allowed, remaining, retryMs, moreMs }] of due.entries()) {
        expect(told[nth]).toMatchObject({ allowed, remaining })
        expect(inHalfHours(told[nth]?.retryMs ?? 0)).toBe(inHalfHours(retryMs))
        expect(inHalfHours(told[nth]?.moreMs ?? 0)).toBe(inHalfHours(moreMs))
        if (!allowed) refused += 1
      }
    }
    expect(refused).toBeGreaterThan(200)
  })

  test('three times as many at once over two instances: exactly as many as allowed', async () => {
    const policies = [await instance(), await instance()].map(({ context }) =>
      testPolicy(rateLimitInbound, byUser, context),
    )
    const statuses = await Promise.all(policies.map((policy) => burst(policy, crowd('alice', 150))))
    expect(admitted(statuses.flat())).toBe(100)
    const after = await Promise.all(policies.map((policy) => burst(policy, crowd('alice', 1))))
    expect(after).toEqual([[429], [429]])
  })

  test('the window moves on with a moved clock, also where not every instance moves', async () => {
    const [ahead, behind] = [await instance(), await instance()]
    const take = [{ key: 'moved', rule: { limit: 1, windowMs: 60_000 }, cost: 1 }]
    expect(await behind.limits.take(take)).toMatchObject([{ allowed: true }])
    expect(await ahead.limits.take(take)).toMatchObject([{ allowed: false }])
    ahead.clock.advance(60)
    expect(await ahead.limits.take(take)).toMatchObject([{ allowed: true }])
    // Time does not go back for a counter that has seen a later one.
    expect(await behind.limits.take(take)).toMatchObject([{ allowed: false, retryMs: 60_000 }])
  })

  test('a Redis that lost the script is sent it again', async () => {
    const { limits, redis } = await instance()
    const take = [{ key: 'flushed', rule: { limit: 1, windowMs: 60_000 }, cost: 1 }]
    await limits.take(take)
    await redis.script('FLUSH')
    expect(await limits.take(take)).toMatchObject([{ allowed: false }])
  })

  test('counters end by themselves, and refused callers leave none', async () => {
    const { limits, redis } = await instance()
    await limits.take([{ key: 'ending', rule: { limit: 1, windowMs: 60_000 }, cost: 1 }])
    await limits.take([{ key: 'refused', rule: { limit: 1, windowMs: 60_000 }, cost: 2 }])
    const ttl = await redis.pttl('limit:ending')
    expect(ttl).toBeGreaterThan(50_000)
    expect(ttl).toBeLessThanOrEqual(61_000)
    expect(await redis.exists('limit:refused')).toBe(0)
  })
})

describe.runIf(server)('quotas', () => {
  test.each([1, 2])('know what memory knows, seed %i', async (seed) => {
    const { quotas, clock } = await instance()
    const memory = createMemoryQuotas(clock)
    const random = seeded(seed)
    const below = (most: number) => Math.floor(random() * most)
    let refused = 0
    let day = 0
    for (let nth = 0; nth < 1_000; nth += 1) {
      if (below(30) === 0) day += 1
      const key = `${seed} ${below(3)}`
      const startMs = (day - (below(10) === 0 ? 1 : 0)) * DAY_MS
      if (below(4) === 0) {
        const change = { requests: -below(2), 'a "meter"': below(5) / 4 }
        memory.add(key, startMs, change)
        await quotas.add(key, startMs, change)
        continue
      }
      expect(await quotas.anchor(key, nth)).toBe(memory.anchor(key, nth))
      const reservation = {
        key,
        startMs,
        endMs: startMs + DAY_MS,
        meters: { requests: 1 + below(2) },
        allowances: { requests: 9, 'a "meter"': 6.5 },
      }
      const due = memory.reserve(reservation)
      expect(await quotas.reserve(reservation)).toEqual(due)
      if (!due.allowed) refused += 1
    }
    expect(refused).toBeGreaterThan(50)
  })

  test('three times as many at once over two instances: exactly the allowance; what is given back, to both', async () => {
    const policies = [await instance(), await instance()].map(({ context }) => testPolicy(quotaInbound, daily, context))
    const requests = policies.map(() => crowd('bob', 150))
    const statuses = await Promise.all(policies.map((policy, nth) => burst(policy, requests[nth] ?? [])))
    expect(admitted(statuses.flat())).toBe(100)
    const open = requests.flat().filter(({ onStatus }) => onStatus.length > 0)
    for (const { onStatus } of open.slice(0, 10)) for (const told of onStatus) told(500)
    // Commands of one connection keep their order: what is asked from here on comes behind what was given back.
    await Promise.all(connections.map((redis) => redis.ping()))
    const again = await Promise.all(policies.map((policy) => burst(policy, crowd('bob', 15))))
    expect(admitted(again.flat())).toBe(10)
  })

  test('periods end by themselves, anchors do not', async () => {
    const { quotas, redis, clock } = await instance()
    await quotas.anchor('ending', 5)
    const startMs = Math.floor(clock.nowMs())
    await quotas.reserve({ key: 'ending', startMs, endMs: startMs + DAY_MS, meters: { a: 1 }, allowances: {} })
    const ttl = await redis.pttl('quota:ending')
    expect(ttl).toBeGreaterThan(DAY_MS)
    expect(ttl).toBeLessThanOrEqual(DAY_MS + 60_000)
    expect(await redis.pttl('quota-anchor:ending')).toBe(-1)
  })
})

describe.runIf(server)('Redis is gone', () => {
  test.each([
    [{}, 200],
    [{ throwOnFailure: true }, 503],
  ])('limits with %j answer %i, quotas 503', async (options, status) => {
    await using own = await startRedis('limits without Redis')
    const { context, events } = await instance(own?.url)
    const policy = testPolicy(rateLimitInbound, { ...byUser, ...options }, context)
    const quota = testPolicy(quotaInbound, daily, context)
    expect(await burst(policy, crowd('alice', 2))).toEqual([200, 200])
    expect(await burst(quota, crowd('alice', 2))).toEqual([200, 200])
    await own?.kill()
    expect(await burst(policy, crowd('alice', 200))).toEqual(Array.from({ length: 200 }, () => status))
    expect(await burst(quota, crowd('alice', 2))).toEqual([503, 503])
    expect(events.map(({ event }) => event)).toEqual(['limit-store-down', 'quota-store-down'])
  })
})
