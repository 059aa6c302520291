import { expect, test } from 'vitest'
import type { Take, Taken } from '../policy.ts'
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

const byUser = { rateLimitBy: 'user', requestsAllowed: 2, timeWindowMinutes: 1 }
const byFunction = { ...byUser, rateLimitBy: 'function', identifier: { module: 'own', export: 'identify' } }

test('admits as many as allowed in any window, and says when the next will be', async () => {
  const { context, clock } = testContext()
  const policy = testPolicy(rateLimitInbound, byUser, context)
  expect(statusOf(await policy(requestOf('alice')))).toBe(200)
  clock.move(40_000)
  expect(statusOf(await policy(requestOf('alice')))).toBe(200)
  const refused = await policy(requestOf('alice'))
  expect(refused).toMatchObject({ problem: 429, detail: 'Rate limit exceeded' })
  const wait = Number(headerOf(refused, 'Retry-After'))
  expect(wait).toBe(20)
  clock.move(wait * 1000)
  expect(statusOf(await policy(requestOf('alice')))).toBe(200)
  // A fixed window would have begun anew.
  expect(statusOf(await policy(requestOf('alice')))).toBe(429)
})

test('answers at once where the store does', () => {
  const { context } = testContext()
  expect(testPolicy(rateLimitInbound, byUser, context)(requestOf('alice'))).toBeUndefined()
})

test('counts each caller alone, and all requests of a caller together', async () => {
  const { context } = testContext()
  const policy = testPolicy(rateLimitInbound, byUser, context)
  const variants = [{}, { path: '/Orders/' }, { search: '?x=1' }, { method: 'POST', clientAddress: '192.0.2.9' }]
  const statuses = variants.map(async (given) => statusOf(await policy(requestOf('alice', given))))
  expect(await Promise.all(statuses)).toEqual([200, 200, 429, 429])
  expect(await burst(policy, [requestOf('bob'), requestOf('bob'), requestOf('bob')])).toEqual([200, 200, 429])
})

test('routes share the counters of a policy, and policies share none', async () => {
  const { context } = testContext()
  const routes = [testPolicy(rateLimitInbound, byUser, context), testPolicy(rateLimitInbound, byUser, context)]
  const statuses = [...routes, ...routes].map(async (policy) => statusOf(await policy(requestOf('alice'))))
  expect(await Promise.all(statuses)).toEqual([200, 200, 429, 429])
  const other = testPolicy(rateLimitInbound, byUser, { ...context, name: 'other' })
  expect(statusOf(await other(requestOf('alice')))).toBe(200)
})

test('three times as many at once: exactly as many as allowed', async () => {
  const { context } = testContext()
  const policy = testPolicy(rateLimitInbound, { ...byUser, requestsAllowed: 100 }, context)
  const statuses = await burst(
    policy,
    Array.from({ length: 300 }, () => requestOf('alice')),
  )
  expect(statuses.filter((status) => status === 200)).toHaveLength(100)
  expect(statuses.filter((status) => status === 429)).toHaveLength(200)
})

test('by ip: the address that the gateway found, whatever the caller writes', async () => {
  const { context } = testContext()
  const policy = testPolicy(rateLimitInbound, { ...byUser, rateLimitBy: 'ip' }, context)
  const statuses = ['a', 'b', 'c'].map(async (spoofed) => {
    const request = testRequest()
    request.headers.add('X-Forwarded-For', spoofed)
    return statusOf(await policy(request))
  })
  expect(await Promise.all(statuses)).toEqual([200, 200, 429])
  expect(statusOf(await policy(testRequest({ clientAddress: '192.0.2.2' })))).toBe(200)
})

test('by ip: one caller has one network of IPv6, not each of its addresses', async () => {
  const { context } = testContext()
  const policy = testPolicy(rateLimitInbound, { ...byUser, rateLimitBy: 'ip' }, context)
  const from = async (clientAddress: string) => statusOf(await policy(testRequest({ clientAddress })))
  expect(await from('2001:db8:0:1::1')).toBe(200)
  expect(await from('2001:db8:0:1:ffff::2')).toBe(200)
  expect(await from('2001:db8:0:1::3')).toBe(429)
  expect(await from('2001:db8:0:2::1')).toBe(200)
})

test('all callers together', async () => {
  const { context } = testContext()
  const policy = testPolicy(rateLimitInbound, { ...byUser, rateLimitBy: 'all' }, context)
  expect(await burst(policy, [requestOf('a'), testRequest(), requestOf('b')])).toEqual([200, 200, 429])
})

test('by user, of nobody: an error, told once', async () => {
  const { context, events } = testContext()
  const policy = testPolicy(rateLimitInbound, byUser, context)
  expect(await burst(policy, [testRequest(), testRequest()])).toEqual([500, 500])
  expect(events).toEqual([{ event: 'limit-without-user', policy: 'policy' }])
})

test.each([
  ['at once', (details: unknown) => details],
  ['later', (details: unknown) => Promise.resolve(details)],
])('by a function that answers %s: its key, limit and window', async (_, answered) => {
  const seen: unknown[] = []
  const details: Record<string, object | undefined> = {
    '/gold': { key: 'a', requestsAllowed: 3 },
    '/short': { key: 'a', requestsAllowed: 1, timeWindowMinutes: 0.03 },
    '/plain': { key: 'b' },
  }
  const { context, clock } = testContext({
    functions: {
      'own#identify': (request: { readonly path: string }, name: string) => {
        seen.push(name)
        return answered(details[request.path])
      },
    },
  })
  const policy = testPolicy(rateLimitInbound, byFunction, context)
  const ask = (path: string, count: number) =>
    burst(
      policy,
      Array.from({ length: count }, () => testRequest({ path })),
    )
  expect(await ask('/gold', 4)).toEqual([200, 200, 200, 429])
  expect(await ask('/plain', 3)).toEqual([200, 200, 429])
  // Another window is another counter.
  expect(await ask('/short', 2)).toEqual([200, 429])
  clock.move(1_800)
  expect(await ask('/short', 2)).toEqual([200, 429])
  expect(await ask('/nobody', 3)).toEqual([200, 200, 200])
  expect(new Set(seen)).toEqual(new Set(['policy']))
})

test.each([
  [null, 'all'],
  ['alice', 'all'],
  [{}, 'key'],
  [{ key: '' }, 'key'],
  [{ key: 7 }, 'key'],
  [{ key: 'a', requestsAllowed: 1.5 }, 'requestsAllowed'],
  [{ key: 'a', requestsAllowed: -1 }, 'requestsAllowed'],
  [{ key: 'a', timeWindowMinutes: 0 }, 'timeWindowMinutes'],
  [{ key: 'a', timeWindowMinutes: '1' }, 'timeWindowMinutes'],
])('by a function that gives %j: an error that names the member', async (details, member) => {
  const { context, events } = testContext({ functions: { 'own#identify': () => details } })
  const policy = testPolicy(rateLimitInbound, byFunction, context)
  expect(statusOf(await policy(testRequest()))).toBe(500)
  expect(events).toEqual([{ event: 'limit-identifier-invalid', policy: 'policy', member }])
})

test('a function that fails lets nobody through', async () => {
  const { context } = testContext({ functions: { 'own#identify': () => Promise.reject(new Error('Broken')) } })
  const policy = testPolicy(rateLimitInbound, byFunction, context)
  await expect(policy(testRequest())).rejects.toThrow('Broken')
})

test('header modes: none, and the standard fields', async () => {
  const { context, clock } = testContext()
  const none = testPolicy(rateLimitInbound, { ...byUser, headerMode: 'none', requestsAllowed: 1 }, context)
  await none(requestOf('alice'))
  expect(await none(requestOf('alice'))).toMatchObject({ problem: 429, headers: [] })

  const named = { ...context, name: 'per "user"' }
  const standard = testPolicy(rateLimitInbound, { ...byUser, headerMode: 'ratelimit' }, named)
  const first = requestOf('carol')
  await standard(first)
  const [, policy = '', , limit = ''] = first.answerLines
  const partition = /pk=:[A-Za-z\d+/]{12}:$/u
  expect(policy).toMatch(partition)
  expect(policy.replace(partition, '')).toBe(String.raw`"per \"user\"";q=2;w=60;`)
  expect(limit.replace(partition, '')).toBe(String.raw`"per \"user\"";r=1;t=60;`)
  expect(policy).not.toContain('carol')

  clock.move(30_000)
  await standard(requestOf('carol'))
  const refused = requestOf('carol')
  const verdict = await standard(refused)
  expect(headerOf(verdict, 'Retry-After')).toBe('30')
  const [name, same, , spent = ''] = refused.answerLines
  expect([name, same]).toEqual(['RateLimit-Policy', policy])
  expect(spent.replace(partition, '')).toBe(String.raw`"per \"user\"";r=0;t=30;`)
  const other = requestOf('dave')
  await standard(other)
  expect(other.answerLines[1]).not.toBe(policy)
})

test('a refusal names no moment later than Retry-After, also of a policy before', async () => {
  const { context } = testContext()
  const options = { ...byUser, headerMode: 'ratelimit' }
  const hour = testPolicy(rateLimitInbound, { ...options, timeWindowMinutes: 60 }, { ...context, name: 'hour' })
  const minute = testPolicy(rateLimitInbound, { ...options, requestsAllowed: 1 }, { ...context, name: 'minute' })
  await hour(requestOf('alice'))
  await minute(requestOf('alice'))
  const request = requestOf('alice')
  await hour(request)
  const verdict = await minute(request)
  expect(headerOf(verdict, 'Retry-After')).toBe('60')
  const fields = request.answerLines.filter((_, at) => request.answerLines[at - 1] === 'RateLimit')
  expect(fields).toHaveLength(1)
  expect(fields[0]).toMatch(/^"minute";r=0;t=60;/u)
})

/** A store that is away until it is told otherwise. */
function brokenStore() {
  const state = { isAway: true, taken: 0 }
  const take = async (takes: readonly Take[]): Promise<readonly Taken[]> => {
    if (state.isAway) throw Object.assign(new Error('redis://user:secret@127.0.0.1'), { code: 'ECONNREFUSED' })
    state.taken += takes.length
    return await Promise.resolve(takes.map(() => ({ allowed: true, remaining: 1, retryMs: 0, moreMs: 1 })))
  }
  return { state, take }
}

test.each([
  [{}, 200],
  [{ throwOnFailure: false }, 200],
  [{ throwOnFailure: true }, 503],
])('store away, %j: status %i, told once; and once that it is back', async (options, status) => {
  const { state, take } = brokenStore()
  const { context, events } = testContext({ limits: { take } })
  const policy = testPolicy(rateLimitInbound, { ...byUser, ...options }, context)
  expect(await burst(policy, [requestOf('alice'), requestOf('alice')])).toEqual([status, status])
  expect(events).toEqual([{ event: 'limit-store-down', policy: 'policy', error: 'ECONNREFUSED' }])
  state.isAway = false
  expect(await burst(policy, [requestOf('alice'), requestOf('alice')])).toEqual([200, 200])
  expect(events.slice(1)).toEqual([{ event: 'limit-store-up', policy: 'policy' }])
})

test('async: nobody waits, and the verdict is the next request’s', async () => {
  const { context, clock } = testContext()
  const asked: PromiseWithResolvers<undefined>[] = []
  const slow = {
    async take(takes: readonly Take[]) {
      const gate = Promise.withResolvers<undefined>()
      asked.push(gate)
      await gate.promise
      return await context.limits.take(takes)
    },
  }
  const options = { ...byUser, requestsAllowed: 1, mode: 'async' }
  const policy = testPolicy(rateLimitInbound, options, { ...context, limits: slow })
  const pass = () => policy(requestOf('alice'))
  expect(pass()).toBeUndefined()
  expect(pass()).toBeUndefined()
  for (const gate of asked) gate.resolve(undefined)
  await new Promise(setImmediate)
  const refused = await pass()
  expect(statusOf(refused)).toBe(429)
  expect(headerOf(refused, 'Retry-After')).toBe('60')
  expect(statusOf(await policy(requestOf('bob')))).toBe(200)
  clock.move(59_000)
  expect(headerOf(await pass(), 'Retry-After')).toBe('1')
  clock.move(1_000)
  expect(pass()).toBeUndefined()
})

test('async: a store that is away lets requests through, and is told of', async () => {
  const { take } = brokenStore()
  const { context, events } = testContext({ limits: { take } })
  const policy = testPolicy(rateLimitInbound, { ...byUser, mode: 'async' }, context)
  expect(policy(requestOf('alice'))).toBeUndefined()
  await new Promise(setImmediate)
  expect(events).toEqual([{ event: 'limit-store-down', policy: 'policy', error: 'ECONNREFUSED' }])
})

test('keys of any length are kept in a bounded one', async () => {
  const keys: string[] = []
  const { context } = testContext({
    functions: { 'own#identify': ({ path }: { readonly path: string }) => ({ key: path }) },
  })
  const limits = {
    take(takes: readonly Take[]) {
      keys.push(...takes.map(({ key }) => key))
      return context.limits.take(takes)
    },
  }
  const policy = testPolicy(rateLimitInbound, byFunction, { ...context, limits })
  for (const path of ['x'.repeat(10_000), 'x'.repeat(10_001)]) await policy(testRequest({ path }))
  expect(new Set(keys).size).toBe(2)
  expect(Math.max(...keys.map((key) => key.length))).toBeLessThan(100)
})

test.each([
  [{ ...byUser, requestsAllowed: 0 }, 'requestsAllowed: a whole number from 1'],
  [{ ...byUser, requestsAllowed: '2' }, 'requestsAllowed: a whole number from 1'],
  [{ ...byUser, timeWindowMinutes: 0 }, 'timeWindowMinutes: a number above 0'],
  [{ ...byUser, timeWindowMinutes: Number.NaN }, 'timeWindowMinutes: a number above 0'],
  [{ ...byUser, rateLimitBy: 'key' }, 'rateLimitBy: "user" or "ip" or "function" or "all"'],
  [{ rateLimitBy: 'user', requestsAllowed: 2 }, 'timeWindowMinutes is missing'],
  [{ ...byUser, identifier: { module: 'own' } }, 'identifier: an object with "export"'],
  [{ ...byUser, mode: 'lazy' }, 'mode: "strict" or "async"'],
  [{ ...byUser, burst: 5 }, 'burst: not known'],
  [{ ...byUser, timeWindowMinutes: 0.03, headerMode: 'ratelimit', throwOnFailure: true, mode: 'async' }, undefined],
])('options %j', (options, fault) => {
  expect(faultOf(rateLimitInbound, options)).toBe(fault)
})

test('by function without a function: no start', () => {
  const { context } = testContext()
  expect(() => testPolicy(rateLimitInbound, { ...byUser, rateLimitBy: 'function' }, context)).toThrow(
    expect.objectContaining({ code: 'ERR_USAGE' }),
  )
})
