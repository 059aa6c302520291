import { expect, test } from 'vitest'
import { getUsage, setMeters } from '../limits/meters.ts'
import type { Inbound, PolicyContext, QuotaStore } from '../policy.ts'
import type { GatewayRequest } from '../request.ts'
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
import { quotaInbound } from './quota-inbound.ts'

const HOUR_MS = 3_600_000
const daily = { period: 'daily', quotaBy: 'user', allowances: { requests: 2 } }
const own = { ...daily, quotaBy: 'function', identifier: { module: 'own' } }

/** Tells a request the status of its answer. */
function answered(request: GatewayRequest, status = 200): void {
  for (const told of request.onStatus) told(status)
}

/** Sends a request of that caller through and answers it; gives the status. */
async function send(policy: Inbound, status = 200, request = requestOf('alice')): Promise<number> {
  const verdict = statusOf(await policy(request))
  answered(request, verdict === 200 ? status : verdict)
  // What is given back may go through a promise.
  await new Promise(setImmediate)
  return verdict
}

test('admits the allowance of a period, from the first call on, and says when the next begins', async () => {
  const { context, clock } = testContext()
  const policy = testPolicy(quotaInbound, daily, context)
  expect(await send(policy)).toBe(200)
  clock.move(20 * HOUR_MS)
  expect(await send(policy)).toBe(200)
  const refused = await policy(requestOf('alice'))
  expect(refused).toMatchObject({ problem: 429, detail: 'Quota exceeded' })
  const wait = Number(headerOf(refused, 'Retry-After'))
  expect(wait).toBe(4 * 3_600)
  expect(await send(policy, 200, requestOf('bob'))).toBe(200)
  clock.move(wait * 1000)
  expect(await send(policy)).toBe(200)
  // A day begins at the time of the first call, however late in a day the others came.
  clock.move(23 * HOUR_MS)
  expect(await send(policy)).toBe(200)
  expect(await send(policy)).toBe(429)
  clock.move(HOUR_MS)
  expect(await send(policy)).toBe(200)
})

test('answers at once where the store does', () => {
  const { context } = testContext()
  expect(testPolicy(quotaInbound, daily, context)(requestOf('alice'))).toBeUndefined()
})

test('a month from the 31st ends with the last day of February', async () => {
  const { context, clock } = testContext()
  const policy = testPolicy(quotaInbound, { ...daily, period: 'monthly', allowances: { requests: 1 } }, context)
  expect(await send(policy)).toBe(200)
  clock.move(Date.UTC(2024, 1, 29, 4, 29, 59) - clock.nowMs())
  expect(headerOf(await policy(requestOf('alice')), 'Retry-After')).toBe('1')
  clock.move(1_000)
  expect(await send(policy)).toBe(200)
})

test('only answers of the listed statuses count', async () => {
  const { context } = testContext()
  const policy = testPolicy(quotaInbound, { ...daily, quotaOnStatusCodes: '200-299, 404' }, context)
  for (const status of [500, 401, 302, 429, 503]) expect(await send(policy, status)).toBe(200)
  expect(await send(policy, 404)).toBe(200)
  expect(await send(policy, 204)).toBe(200)
  expect(await send(policy)).toBe(429)
})

test('a status that is told twice is taken once', async () => {
  const { context } = testContext()
  const policy = testPolicy(quotaInbound, daily, context)
  const request = requestOf('alice')
  await policy(request)
  answered(request, 500)
  answered(request, 500)
  answered(request, 200)
  expect(await send(policy)).toBe(200)
  expect(await send(policy)).toBe(200)
  expect(await send(policy)).toBe(429)
})

test('three times as many at once: exactly the allowance, though no answer is there yet', async () => {
  const { context } = testContext()
  const policy = testPolicy(quotaInbound, { ...daily, allowances: { requests: 100 } }, context)
  const requests = Array.from({ length: 300 }, () => requestOf('alice'))
  const statuses = await burst(policy, requests)
  expect(statuses.filter((status) => status === 200)).toHaveLength(100)
  // Ten of the answers do not count: as many may come again.
  const admitted = requests.filter(({ onStatus }) => onStatus.length > 0)
  for (const [nth, request] of admitted.entries()) answered(request, nth < 10 ? 500 : 200)
  const again = await burst(
    policy,
    Array.from({ length: 30 }, () => requestOf('alice')),
  )
  expect(again.filter((status) => status === 200)).toHaveLength(10)
})

test('a caller that goes away before the answer has used its quota', async () => {
  const { context } = testContext()
  const policy = testPolicy(quotaInbound, daily, context)
  await policy(requestOf('alice'))
  await policy(requestOf('alice'))
  expect(await send(policy)).toBe(429)
})

test('what a late answer gives back goes to its own period', async () => {
  const { context, clock } = testContext()
  const policy = testPolicy(quotaInbound, daily, context)
  const late = requestOf('alice')
  await policy(late)
  clock.move(24 * HOUR_MS)
  await send(policy)
  await send(policy)
  answered(late, 500)
  expect(await send(policy)).toBe(429)
})

test('meters of custom code: reserved where they are set before, counted with the answer where after', async () => {
  const { context } = testContext()
  const policy = testPolicy(quotaInbound, { ...daily, allowances: { bananas: 10 } }, context)
  const before = requestOf('alice')
  setMeters(before, { bananas: 5, oranges: 3.5 })
  expect(await send(policy, 200, before)).toBe(200)
  const tooMuch = requestOf('alice')
  setMeters(tooMuch, { bananas: 6 })
  expect(await send(policy, 200, tooMuch)).toBe(429)
  const failing = requestOf('alice')
  setMeters(failing, { bananas: 5 })
  expect(await send(policy, 500, failing)).toBe(200)

  const after = requestOf('alice')
  expect(statusOf(await policy(after))).toBe(200)
  setMeters(after, { bananas: 5 })
  answered(after)
  // Used up: nothing more passes, whatever it may come to need.
  const next = requestOf('alice')
  expect(await send(policy, 200, next)).toBe(429)
  expect(getUsage(next, 'policy')?.meters).toEqual({ requests: 2, bananas: 10, oranges: 3.5 })
})

test('usage is what was counted before, with the ends of the period', async () => {
  const { context, clock } = testContext()
  const policy = testPolicy(quotaInbound, daily, context)
  const anchorDate = new Date(clock.nowMs()).toISOString()
  const [first, second] = [requestOf('alice'), requestOf('alice')]
  expect(getUsage(first, 'policy')).toBeUndefined()
  await send(policy, 200, first)
  clock.move(25 * HOUR_MS)
  await send(policy)
  await send(policy, 200, second)
  expect(getUsage(first, 'policy')).toEqual({ anchorDate, nextResetDate: '2024-02-01T04:30:00.000Z', meters: {} })
  expect(getUsage(second, 'policy')).toEqual({
    anchorDate,
    nextResetDate: '2024-02-02T04:30:00.000Z',
    meters: { requests: 1 },
  })
  expect(getUsage(second, 'other')).toBeUndefined()
})

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('a meter of %d is refused', (amount) => {
  expect(() => {
    setMeters(testRequest(), { bananas: amount })
  }).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }))
})

test('a request that can never pass is not told to come back', async () => {
  const { context } = testContext()
  const policy = testPolicy(quotaInbound, { ...daily, allowances: { requests: 0 } }, context)
  expect(await policy(requestOf('alice'))).toMatchObject({
    problem: 429,
    detail: 'The request needs more than the quota ever allows',
    headers: [],
  })
})

test.each([
  ['at once', (given: unknown) => given],
  ['later', (given: unknown) => Promise.resolve(given)],
])('by functions that answer %s: key, allowances and anchor', async (_, given) => {
  const midnight = new Date(Date.UTC(2024, 0, 31))
  const { context, clock } = testContext({
    functions: {
      'own#getQuotaDetail': ({ path }: GatewayRequest) =>
        given(path === '/gold' ? { key: 'org', allowances: { requests: 3 } } : { key: 'org' }),
      'own#getAnchorDate': () => given(midnight),
    },
  })
  const policy = testPolicy(quotaInbound, { ...own, quotaAnchorMode: 'function' }, context)
  expect(await send(policy, 200, testRequest())).toBe(200)
  expect(await send(policy, 200, testRequest())).toBe(200)
  expect(await send(policy, 200, testRequest())).toBe(429)
  expect(await send(policy, 200, testRequest({ path: '/gold' }))).toBe(200)
  const refused = await policy(testRequest({ path: '/gold' }))
  // It is 04:30 and the day began at midnight.
  expect(headerOf(refused, 'Retry-After')).toBe(String(19.5 * 3_600))
  clock.move(19.5 * HOUR_MS)
  expect(await send(policy, 200, testRequest())).toBe(200)
})

test.each([
  [undefined, 'all'],
  ['org', 'all'],
  [{}, 'key'],
  [{ key: '' }, 'key'],
  [{ key: 'org', allowances: { requests: -1 } }, 'allowances'],
  [{ key: 'org', allowances: 5 }, 'allowances'],
])('a function that gives %j: an error that names the member', async (detail, member) => {
  const { context, events } = testContext({ functions: { 'own#getQuotaDetail': () => detail } })
  expect(statusOf(await testPolicy(quotaInbound, own, context)(testRequest()))).toBe(500)
  expect(events).toEqual([{ event: 'quota-identifier-invalid', policy: 'policy', member }])
})

test.each([undefined, '2024-01-31', new Date(Number.NaN)])('an anchor of %s is an error', async (date) => {
  const { context, events } = testContext({ functions: { 'own#start': () => date } })
  const identifier = { module: 'own', getAnchorDateExport: 'start' }
  const policy = testPolicy(quotaInbound, { ...daily, quotaAnchorMode: 'function', identifier }, context)
  expect(statusOf(await policy(requestOf('alice')))).toBe(500)
  expect(events).toEqual([{ event: 'quota-identifier-invalid', policy: 'policy', member: 'date' }])
})

test('by user, of nobody: an error, told once', async () => {
  const { context, events } = testContext()
  const policy = testPolicy(quotaInbound, daily, context)
  expect(await burst(policy, [testRequest(), testRequest()])).toEqual([500, 500])
  expect(events).toEqual([{ event: 'limit-without-user', policy: 'policy' }])
})

/** The store of the context, away until it is told otherwise, by a promise that is rejected or by throwing. */
function breakable(context: PolicyContext, throws: boolean) {
  const state = { isAway: true }
  const fail = (): Promise<never> => {
    const error = Object.assign(new Error('No space left'), { code: 'ENOSPC' })
    if (throws) throw error
    return Promise.reject(error)
  }
  const quotas: QuotaStore = {
    anchor: (key, anchorMs) => (state.isAway ? fail() : context.quotas.anchor(key, anchorMs)),
    reserve: (reservation) => (state.isAway ? fail() : context.quotas.reserve(reservation)),
    add: (key, startMs, meters) => (state.isAway ? fail() : context.quotas.add(key, startMs, meters)),
  }
  return { state, quotas }
}

test.each([true, false])(
  'what cannot be counted is not let through; told once, and once that it is back; throws: %s',
  async (throws) => {
    const { context, events } = testContext()
    const { state, quotas } = breakable(context, throws)
    const policy = testPolicy(quotaInbound, daily, { ...context, quotas })
    expect(await burst(policy, [requestOf('alice'), requestOf('alice')])).toEqual([503, 503])
    state.isAway = false
    expect(await send(policy)).toBe(200)
    const failing = requestOf('alice')
    await policy(failing)
    state.isAway = true
    answered(failing, 500)
    await new Promise(setImmediate)
    expect(events.map(({ event }) => event)).toEqual(['quota-store-down', 'quota-store-up', 'quota-store-down'])
    expect(events[0]).toEqual({ event: 'quota-store-down', policy: 'policy', error: 'ENOSPC' })
  },
)

test.each([
  [{ quotaBy: 'user' }, 'period is missing'],
  [{ period: 'daily' }, 'quotaBy is missing'],
  [{ ...daily, period: 'yearly' }, 'period: "hourly" or "daily" or "weekly" or "monthly"'],
  [{ ...daily, quotaBy: 'ip' }, 'quotaBy: "user" or "function"'],
  [
    { ...daily, quotaOnStatusCodes: '2xx' },
    'quotaOnStatusCodes: a list of status codes and ranges such as "200-299, 404"',
  ],
  [{ ...daily, allowances: {} }, 'allowances: an object with at least one member'],
  [{ ...daily, allowances: { requests: -1 } }, 'allowances: an object whose "requests" is a number from 0'],
  [{ ...daily, identifier: {} }, 'identifier: an object with "module"'],
  [{ ...daily, throwOnFailure: true }, 'throwOnFailure: not known'],
  [{ ...own, quotaAnchorMode: 'function', quotaOnStatusCodes: '200-399' }, undefined],
])('options %j', (options, fault) => {
  expect(faultOf(quotaInbound, options)).toBe(fault)
})

test.each([
  { ...daily, quotaBy: 'function' },
  { ...daily, quotaAnchorMode: 'function' },
])('by function without a function: no start, %j', (options) => {
  expect(() => testPolicy(quotaInbound, options, testContext().context)).toThrow(
    expect.objectContaining({ code: 'ERR_USAGE' }),
  )
})
