import { describe, expect, test } from 'vitest'
import type { Clock } from '../../harness/clock/clock.ts'
import type { LimitStore, Take, Taken } from '../../harness/gateway/policy.ts'
import type { LimitProfile } from '../../harness/model/gateway-profile.ts'
import type { Report } from '../../harness/model/result.ts'
import { runGateway } from '../../harness/runner/gateway-run.ts'
import type { GatewayFlaw } from '../../harness/targets/embedded-gateway.ts'
import { embeddedGateway } from '../../harness/targets/embedded-gateway.ts'
import { embeddedProfile } from '../../harness/targets/embedded-gateway-profile.ts'
import keyAuth from '../gateway/key-auth.ts'
import rateLimits from '../gateway/rate-limits.ts'
import { GATEWAY_MEASUREMENTS } from './gateway-measurements.ts'

const SLOW_MS = 30_000

interface Count {
  used: number
  atMs: number
  /** Used in the window before. */
  before?: number
}

type Counting = (count: Count, take: Take, nowMs: number) => { readonly left: number; readonly waitMs: number }

/** A store of limits that counts in its own way. */
function store(clock: Clock, counting: Counting): LimitStore {
  const counts = new Map<string, Count>()
  return {
    take(takes) {
      const nowMs = clock.nowMs()
      return takes.map((take): Taken => {
        const count = counts.get(take.key) ?? { used: 0, atMs: nowMs }
        counts.set(take.key, count)
        const { left, waitMs } = counting(count, take, nowMs)
        const allowed = left >= take.cost
        if (allowed) count.used += take.cost
        const remaining = Math.max(0, Math.floor(left - (allowed ? take.cost : 0)))
        return { allowed, remaining, retryMs: allowed ? 0 : waitMs, moreMs: waitMs }
      })
    },
  }
}

/** Windows with borders at multiples of their length. */
const fixed: Counting = (count, { rule: { limit, windowMs } }, nowMs) => {
  const startMs = nowMs - (nowMs % windowMs)
  if (count.atMs < startMs) count.used = 0
  count.atMs = nowMs
  return { left: limit - count.used, waitMs: startMs + windowMs - nowMs }
}

/** Windows that begin with the first use. */
const fixedFromFirst: Counting = (count, { rule: { limit, windowMs } }, nowMs) => {
  if (nowMs >= count.atMs + windowMs) Object.assign(count, { used: 0, atMs: nowMs })
  return { left: limit - count.used, waitMs: count.atMs + windowMs - nowMs }
}

/** A sliding window as it is estimated from this window and the one before. */
const estimate: Counting = (count, { rule: { limit, windowMs }, cost }, nowMs) => {
  const startMs = nowMs - (nowMs % windowMs)
  if (count.atMs < startMs) Object.assign(count, { before: count.atMs < startMs - windowMs ? 0 : count.used, used: 0 })
  count.atMs = nowMs
  const { used, before = 0 } = count
  const weight = 1 - (nowMs - startMs) / windowMs
  const hasRoom = used + cost <= limit
  const [from, room, weighed] = hasRoom
    ? [startMs, limit - cost - used, before]
    : [startMs + windowMs, limit - cost, used]
  const waitMs = Math.max(0, from + windowMs * (1 - room / Math.max(1, weighed)) - nowMs)
  return { left: limit - used - before * weight, waitMs }
}

/** A bucket that fills evenly. */
const bucket: Counting = (count, { rule: { limit, windowMs }, cost }, nowMs) => {
  const dropMs = windowMs / limit
  count.used = Math.max(0, count.used - (nowMs - count.atMs) / dropMs)
  count.atMs = nowMs
  const left = limit - count.used
  return { left, waitMs: Math.max(0, (cost - left) * dropMs) }
}

async function run(
  flaw: () => GatewayFlaw,
  declared: Partial<LimitProfile> | undefined,
  cases: boolean,
): Promise<Report> {
  const [limit] = embeddedProfile({ capture: '', secondCapture: '', keyListUrl: '' }).profile('').limits ?? []
  if (!limit) throw new Error('The embedded gateway has no limit')
  return await runGateway({
    suites: cases ? [rateLimits] : [keyAuth],
    select: cases ? {} : { cases: ['missing'] },
    start: (settings) => embeddedGateway(settings, flaw),
    profile: { ...(declared ? { limits: [{ ...limit, ...declared }] } : {}), rateLimitFields: false },
    seed: 1,
    deadlineMs: 2_000,
    on: () => undefined,
    signal: new AbortController().signal,
    measurements: GATEWAY_MEASUREMENTS,
  })
}

const withStore = (counting: Counting) => (): GatewayFlaw => ({
  options: { adapt: (services) => ({ ...services, limits: store(services.clock, counting) }) },
})

const measured = ({ behaviour }: Report) =>
  Object.fromEntries(behaviour.map(({ name, value, why }) => [name, value ?? why]))

test('the embedded gateway is what it declares', { timeout: SLOW_MS }, async () => {
  const report = await run(() => ({}), undefined, false)

  expect(measured(report)).toEqual({
    limit: 10,
    'limit-overshoot': 0,
    limiter: 'sliding window',
    'limit-window': 60,
    'ratelimit-fields': expect.stringContaining('structured fields'),
    'key-revocation-delay': 0,
    'leaked-key-delay': 0,
    'token-lifetime': 60,
    'largest-head': expect.any(Number),
    'largest-key': expect.any(Number),
    'jwks-max-age': 60,
  })
  // Half of the limit, the rest half a window later, and after a whole window the first half again.
  const limiter = report.behaviour.find(({ name }) => name === 'limiter')
  expect(limiter?.series?.points).toEqual([
    [0, 5],
    [30, 10],
    [60, 15],
  ])
})

describe.each([
  ['windows with borders of their own', fixed, 'fixed', 'fixed window'],
  ['windows that begin with the first use', fixedFromFirst, 'fixed', 'fixed window'],
  ['a token bucket', bucket, 'token-bucket', 'token bucket'],
  ['an estimated window', estimate, 'sliding', undefined],
] as const)('%s', (_, counting, algorithm, kind) => {
  test('passes every case, and is measured', { timeout: SLOW_MS }, async () => {
    const report = await run(withStore(counting), { algorithm, strict: algorithm !== 'sliding' }, true)

    const judged = report.cases.map(({ id, verdict, reason, findings }) => ({ id, verdict, reason, findings }))
    expect(judged.filter(({ verdict }) => !['pass', 'skip'].includes(verdict))).toEqual([])
    expect(judged.filter(({ verdict }) => verdict === 'skip').map(({ id }) => id)).toEqual([
      'gateway/rate-limits/ratelimit-fields',
    ])
    // What an estimate is cannot be told from its answers alone.
    const found = kind === undefined ? {} : { limiter: kind, 'limit-window': 60 }
    expect(measured(report)).toMatchObject({ limit: 10, 'limit-overshoot': 0, ...found })
  })
})
