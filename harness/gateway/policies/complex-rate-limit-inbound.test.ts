import { expect, test } from 'vitest'
import { setIncrements } from '../limits/increments.ts'
import type { Take } from '../policy.ts'
import type { GatewayRequest } from '../request.ts'
import { complexRateLimitInbound } from './complex-rate-limit-inbound.ts'
import {
  burst,
  faultOf,
  headerOf,
  requestOf,
  statusOf,
  testContext,
  testPolicy,
  testRequest,
} from './policies.testing.ts'
import { rateLimitInbound } from './rate-limit-inbound.ts'

const options = { rateLimitBy: 'user', timeWindowMinutes: 0.6, limits: { requests: 3, compute: 10 } }

/** A request that adds so much to each limit. */
function costing(increments: Readonly<Record<string, number>>): GatewayRequest {
  const request = requestOf('alice')
  setIncrements(request, increments)
  return request
}

test('adds 1 to each limit; the least one refuses', async () => {
  const { context, clock } = testContext()
  const policy = testPolicy(complexRateLimitInbound, options, context)
  expect(
    await burst(
      policy,
      [1, 2, 3, 4].map(() => requestOf('alice')),
    ),
  ).toEqual([200, 200, 200, 429])
  expect(statusOf(await policy(requestOf('bob')))).toBe(200)
  clock.move(36_000)
  expect(statusOf(await policy(requestOf('alice')))).toBe(200)
})

test('adds what custom code set, and nothing to any limit where one is exceeded', async () => {
  const { context } = testContext()
  const policy = testPolicy(complexRateLimitInbound, options, context)
  expect(statusOf(await policy(costing({ compute: 9 })))).toBe(200)
  expect(statusOf(await policy(costing({ compute: 2 })))).toBe(429)
  expect(statusOf(await policy(costing({ compute: 2 })))).toBe(429)
  // The refused ones took nothing of the limit that had enough left either.
  expect(statusOf(await policy(costing({ compute: 1 })))).toBe(200)
  expect(statusOf(await policy(costing({ compute: 0 })))).toBe(200)
  expect(statusOf(await policy(costing({ compute: 0 })))).toBe(429)
})

test('the last increment of a name counts, and names of no limit count nowhere', async () => {
  const { context } = testContext()
  const policy = testPolicy(complexRateLimitInbound, { ...options, limits: { compute: 5 } }, context)
  const request = costing({ compute: 100, bananas: 7 })
  setIncrements(request, { compute: 5 })
  expect(statusOf(await policy(request))).toBe(200)
  expect(statusOf(await policy(costing({ compute: 1 })))).toBe(429)
})

test('Retry-After is when enough has left, not when something has', async () => {
  const { context, clock } = testContext()
  const policy = testPolicy(complexRateLimitInbound, { ...options, limits: { compute: 10 } }, context)
  for (const compute of [1, 4, 5]) {
    await policy(costing({ compute }))
    clock.move(10_000)
  }
  const refused = await policy(costing({ compute: 5 }))
  expect(headerOf(refused, 'Retry-After')).toBe('16')
  clock.move(16_000)
  expect(statusOf(await policy(costing({ compute: 5 })))).toBe(200)
})

test('Retry-After is when all limits that refuse have enough left', async () => {
  const { context, clock } = testContext()
  const policy = testPolicy(complexRateLimitInbound, { ...options, limits: { a: 2, b: 2 } }, context)
  await policy(costing({ a: 2, b: 0 }))
  clock.move(10_000)
  await policy(costing({ a: 0, b: 2 }))
  expect(headerOf(await policy(costing({})), 'Retry-After')).toBe('36')
})

test('a request that can never pass is not told to come back', async () => {
  const { context } = testContext()
  const policy = testPolicy(complexRateLimitInbound, options, context)
  expect(await policy(costing({ compute: 11 }))).toMatchObject({
    problem: 429,
    detail: 'The request needs more than the rate limit ever allows',
    headers: [],
  })
})

test('async: a request that can never pass is not held against the next', async () => {
  const { context } = testContext()
  const limits = { take: async (takes: readonly Take[]) => await Promise.resolve(context.limits.take(takes)) }
  const policy = testPolicy(complexRateLimitInbound, { ...options, mode: 'async' }, { ...context, limits })
  const pass = async (compute: number) => {
    const status = statusOf(await policy(costing({ compute })))
    await new Promise(setImmediate)
    return status
  }
  expect([await pass(11), await pass(10), await pass(1), await pass(1)]).toEqual([200, 200, 200, 429])
})

test('three times as many at once: exactly as many as every limit allows', async () => {
  const { context } = testContext()
  const limits = { requests: 200, compute: 100 }
  const policy = testPolicy(complexRateLimitInbound, { ...options, limits }, context)
  const statuses = await burst(
    policy,
    Array.from({ length: 150 }, () => costing({ compute: 2 })),
  )
  expect(statuses.filter((status) => status === 200)).toHaveLength(50)
})

test('standard fields have an item for each limit', async () => {
  const { context } = testContext()
  const policy = testPolicy(
    complexRateLimitInbound,
    { ...options, rateLimitBy: 'all', headerMode: 'ratelimit' },
    context,
  )
  const request = testRequest()
  setIncrements(request, { compute: 4 })
  await policy(request)
  expect(request.answerLines).toEqual([
    'RateLimit-Policy',
    '"policy.requests";q=3;w=36, "policy.compute";q=10;w=36',
    'RateLimit',
    '"policy.requests";r=2;t=36, "policy.compute";r=6;t=36',
  ])
})

test('shares no counter with a policy whose name only looks the same', async () => {
  const { context } = testContext()
  const complex = testPolicy(complexRateLimitInbound, { ...options, limits: { b: 1 } }, { ...context, name: 'a' })
  const simple = testPolicy(
    rateLimitInbound,
    { rateLimitBy: 'user', timeWindowMinutes: 0.6, requestsAllowed: 1 },
    { ...context, name: 'a.b' },
  )
  expect(statusOf(await complex(requestOf('alice')))).toBe(200)
  expect(statusOf(await simple(requestOf('alice')))).toBe(200)
})

test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('an increment of %d is refused', (amount) => {
  expect(() => costing({ compute: amount })).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }))
})

test('an increment that comes after it was counted is refused, not lost', async () => {
  const { context } = testContext()
  const policy = testPolicy(complexRateLimitInbound, { ...options, limits: { compute: 5 } }, context)
  const request = requestOf('alice')
  await policy(request)
  expect(() => {
    setIncrements(request, { compute: 5 })
  }).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }))
  setIncrements(request, { other: 5 })
})

test.each([
  [{ ...options, limits: {} }, 'limits: an object with at least one member'],
  [{ ...options, limits: { a: 0 } }, 'limits: an object whose "a" is a whole number from 1'],
  [{ ...options, limits: { a: 1, b: '2' } }, 'limits: an object whose "b" is a whole number from 1'],
  [{ ...options, limits: [1] }, 'limits: an object with at least one member'],
  [{ ...options, requestsAllowed: 5 }, 'requestsAllowed: not known'],
  [options, undefined],
])('options %j', (given, fault) => {
  expect(faultOf(complexRateLimitInbound, given)).toBe(fault)
})
