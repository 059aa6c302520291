import { NotApplicable } from '../../harness/model/errors.ts'
import type { Call, GatewayBench, Passage } from '../../harness/model/gateway-bench.ts'
import { secondsUntilFetch } from '../behaviour/bisect.ts'
import { retryAfterSec } from './answers.ts'
import { toldBy } from './fields.ts'

/** Requests after which a route counts as one without a limit. */
export const MOST_REQUESTS = 256

/** Longest real wait, in seconds, and longest time that the clock is moved to find a window. */
const LONGEST_WAIT_SEC = 3
const TWO_DAYS = 2 * 86_400

/** Seconds in steps of one that are tried for the end of a window that nothing tells of. */
const MOST_STEPS = 120

/** Part of a limit up to which what comes back at first has come drop by drop. */
const PART = 0.75

/** How a limiter counts. */
export type Limiter = 'fixed window' | 'sliding window' | 'token bucket'

/** The route whose limit is measured, with a caller that has used nothing of it. */
async function newCaller({ profile, freshKey, elapse, can, keys }: GatewayBench): Promise<Call> {
  const [limit] = profile.limits
  const route = limit?.route ?? profile.routes[0]
  if (limit === undefined || limit.scope === 'key' || limit.scope === 'consumer')
    return { route, key: await freshKey() }
  if (limit.windowSec > LONGEST_WAIT_SEC && !can('clock', 'a limit that nobody has used')) {
    throw new NotApplicable('What was used before counts, and its window is too long to wait for.')
  }
  await elapse(limit.windowSec + 1)
  const [key] = keys
  return { route, ...(key ? { key } : {}) }
}

interface Drained {
  readonly count: number
  /** The first that was not let through. */
  readonly throttled: Passage | undefined
}

async function drain({ observes }: GatewayBench, call: Call, most = MOST_REQUESTS): Promise<Drained> {
  for (let count = 0; count < most; count += 1) {
    const throttled = await observes(call, 'measurement')
    if (throttled.answer.outcome !== 'accepted') return { count, throttled }
  }
  return { count: most, throttled: undefined }
}

/** Requests let through one after the other before the first is throttled; undefined where none is. */
export async function limitFound(bench: GatewayBench): Promise<number | undefined> {
  const { count, throttled } = await drain(bench, await newCaller(bench))
  return throttled === undefined || count === 0 ? undefined : count
}

/** Seconds that a throttled answer names, the most likely first. */
function told({ now }: GatewayBench, throttled: Passage | undefined): readonly number[] {
  if (!throttled) return []
  const { answer } = throttled
  const [value] = answer.header('Retry-After')
  const named = [
    value === undefined ? undefined : retryAfterSec(value, now()),
    ...toldBy(answer).map((one) => one.resetSec),
  ]
  return named.filter((seconds) => seconds !== undefined && seconds >= 1 && seconds < TWO_DAYS) as number[]
}

const isLetThrough = async ({ observes }: GatewayBench, call: Call): Promise<boolean> =>
  (await observes(call, 'measurement')).answer.outcome === 'accepted'

interface Recovered {
  /** From the use of all there is until something is let through again. */
  readonly seconds: number
  /** What is let through then. */
  readonly back: number
}

/** How long it takes until something is let through again, to the second. */
async function recovery(bench: GatewayBench, call: Call): Promise<Recovered | undefined> {
  const { elapse } = bench
  const isMovable = bench.can('clock', 'measurement')
  const { throttled } = await atBorder(bench, call, isMovable)
  const recovered = async (seconds: number): Promise<Recovered> => {
    return { seconds, back: 1 + (await drain(bench, call)).count }
  }
  let passed = 0
  const hints = [...told(bench, throttled), ...bench.profile.limits.slice(0, 1).map(({ windowSec }) => windowSec)]
  for (const seconds of hints.toSorted((one, other) => one - other)) {
    if (seconds <= passed || (!isMovable && seconds > LONGEST_WAIT_SEC)) continue
    if (seconds - 1 > passed) {
      await elapse(seconds - 1 - passed)
      passed = seconds - 1
      if (await isLetThrough(bench, call)) break
    }
    await elapse(1)
    passed = seconds
    if (await isLetThrough(bench, call)) return await recovered(seconds)
  }
  if (!isMovable) return undefined
  // Nothing that was told is true: a second at a time, from one end of a window to the next.
  await drain(bench, call)
  if ((await steps(bench, call)) !== undefined) {
    await drain(bench, call)
    const seconds = await steps(bench, call)
    return seconds === undefined ? undefined : await recovered(seconds)
  }
  await elapse(TWO_DAYS)
  await drain(bench, call)
  const ask = async (): Promise<boolean> => (await drain(bench, call)).count > 0
  const seconds = await secondsUntilFetch({ elapse, ask, most: TWO_DAYS })
  if (seconds === undefined) return undefined
  await elapse(seconds)
  return (await isLetThrough(bench, call)) ? await recovered(seconds) : undefined
}

/** Lets seconds pass one by one until something is let through. */
async function steps(bench: GatewayBench, call: Call): Promise<number | undefined> {
  for (let step = 1; step <= MOST_STEPS; step += 1) {
    await bench.elapse(1)
    if (await isLetThrough(bench, call)) return step
  }
  return undefined
}

/** Uses all there is at the beginning of a window, where windows have borders: a throttled answer tells when one comes. */
async function atBorder(bench: GatewayBench, call: Call, isMovable: boolean): Promise<Drained> {
  const first = await drain(bench, call)
  const [hint = 0] = told(bench, first.throttled)
  if (hint > (isMovable ? TWO_DAYS : LONGEST_WAIT_SEC)) return first
  if (hint > 0) await bench.elapse(hint)
  else if (isMovable) await steps(bench, call)
  return await drain(bench, call)
}

interface Found {
  readonly kind: Limiter
  readonly windowSec: number
  /** What was let through of more than enough: seconds since the first request, and how many there and then. */
  readonly through: readonly (readonly [atSec: number, count: number])[]
}

/** How the limiter counts and the length of its window; undefined where that cannot be told. */
export async function limiterFound(bench: GatewayBench, limit: number): Promise<Found | undefined> {
  if (limit < 4) return undefined
  const recovered = await recovery(bench, await newCaller(bench))
  if (recovered === undefined) return undefined
  if (recovered.back <= PART * limit) return await bucketFound(bench, limit, recovered)
  const { seconds } = recovered
  return { ...(await windowFound(bench, limit, seconds)), windowSec: seconds }
}

/** A token bucket gives back drop by drop: over a longer time, what is rounded to seconds matters less. */
async function bucketFound(bench: GatewayBench, limit: number, { seconds, back }: Recovered) {
  const call = await newCaller(bench)
  const { count: all } = await drain(bench, call)
  const times = Math.max(1, Math.floor(limit / 2 / back))
  await bench.elapse(seconds * times)
  const { count } = await drain(bench, call)
  const windowSec = Math.round((10 * seconds * times * limit) / Math.max(1, count)) / 10
  const through = [
    [0, all],
    [seconds * times, count],
  ] as const
  return { kind: 'token bucket', windowSec, through } as const
}

/**
 * Half is used at once and the rest half a window later. A whole window after the first half, a sliding window gives
 * back that half, and a fixed one all, unless it had given back all before.
 */
async function windowFound(bench: GatewayBench, limit: number, seconds: number): Promise<Omit<Found, 'windowSec'>> {
  const call = await newCaller(bench)
  const half = Math.floor(limit / 2)
  await drain(bench, call, half)
  await bench.elapse(seconds / 2)
  const { count: rest } = await drain(bench, call)
  await bench.elapse(seconds / 2)
  const { count: back } = await drain(bench, call)
  const isFixed = back >= 0.9 * limit || rest >= 0.9 * limit
  const through = [
    [0, half],
    [seconds / 2, rest],
    [seconds, back],
  ] as const
  return { kind: isFixed ? 'fixed window' : 'sliding window', through }
}

/** Requests beyond the limit that are let through of three times as many at the same moment. */
export async function overshootFound(bench: GatewayBench, limit: number): Promise<number> {
  const call = await newCaller(bench)
  const passages = await bench.burst(
    Array.from({ length: 3 * limit }, () => call),
    'measurement',
  )
  return passages.filter(({ answer }) => answer.outcome === 'accepted').length - limit
}
