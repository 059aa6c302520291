import type { GatewayBench, Call, Passage } from '../../harness/model/gateway-bench.ts'
import type { ApiKey, LimitProfile } from '../../harness/model/gateway-profile.ts'

/** Requests of a limit at most for cases that use it up. */
const MOST_REQUESTS = 200

/** Longest window that is waited for, in seconds, where there is no clock to move. */
const LONGEST_WAIT_SEC = 3

/** Calls of one portion that differ in what must not count. */
const MOST_VARIANTS = 8

/** A limit with a key whose count nobody has touched. */
export interface FreshLimit {
  readonly limit: LimitProfile
  readonly key: ApiKey
  /** `GET /limited` with its number where there are several. */
  readonly name: string
}

/** What a run of requests under a limit came to. */
export interface Spent {
  readonly accepted: readonly Passage[]
  readonly throttled: readonly Passage[]
  /** Answered neither way. */
  readonly others: readonly Passage[]
  /** Seconds from the first to the last of them by the clock of the gateway. */
  readonly seconds: number
}

/** The limits that can be used up, each with a count of its own: a fresh key, or else a window that has passed. */
export async function freshLimits(bench: GatewayBench): Promise<readonly FreshLimit[]> {
  const { profile, freshKey, elapse, notProven, keys } = bench
  const fresh: FreshLimit[] = []
  for (const limit of profile.limits.filter(({ requests }) => requests <= MOST_REQUESTS)) {
    const name = `${limit.route.methods[0]} ${limit.route.path}`
    if (limit.scope === 'key' || limit.scope === 'consumer') fresh.push({ limit, key: await freshKey(), name })
    else if (canPassWindow(bench, limit)) {
      await elapse(limit.windowSec + 1)
      const [key] = keys
      if (key) fresh.push({ limit, key, name })
    } else {
      notProven(name, 'what other cases have used counts here', '"windowSec" of at most 3 s, or --clock-url URL')
    }
  }
  bench.guard(fresh.length > 0, 'No limit has a count that nobody has touched.')
  return fresh
}

/** Whether the window of the limit can be let pass. */
export function canPassWindow({ can }: Pick<GatewayBench, 'can'>, { windowSec, route }: LimitProfile): boolean {
  return windowSec <= LONGEST_WAIT_SEC || can('clock', `${route.path}: what happens when the window has passed`)
}

/** Whether the gateway says that it counts requests, so that so many in a window are let through however they fall. */
export function countsRequests({ algorithm }: LimitProfile): boolean {
  return algorithm === 'fixed' || algorithm === 'sliding'
}

/** Whether a sliding window may be estimated from the counts of two fixed ones. */
export function isEstimate({ algorithm, strict }: LimitProfile): boolean {
  return algorithm === 'sliding' && strict !== true
}

/** Most that may be let through in that many seconds. */
export function mostIn({ requests, windowSec, burst = 0, algorithm, strict }: LimitProfile, seconds: number): number {
  if (algorithm === 'sliding') return Math.floor((requests + burst) * (strict === true ? 1 : 1.1))
  // As many again come back meanwhile.
  if (algorithm === 'token-bucket') return requests + burst + Math.ceil((seconds * requests) / windowSec)
  // A fixed window may end between two requests.
  return 2 * requests + burst
}

/** Least that must be let through of more than enough requests at once. */
export function leastOf(limit: LimitProfile): number {
  return countsRequests(limit) ? limit.requests : 1
}

/** Sends so many requests, one after the other. */
export async function spend(
  bench: GatewayBench,
  { limit, key, name }: FreshLimit,
  count: number,
  change: Call = {},
): Promise<Spent> {
  const passages: Passage[] = []
  const started = bench.now()
  for (let sent = 1; sent <= count; sent += 1) {
    passages.push(await bench.observes({ route: limit.route, key, ...change }, `${name}, request ${sent}`))
  }
  return sorted(passages, limit, bench.now() - started)
}

/** Sorts what came back by whether it was throttled. */
export function sorted(passages: readonly Passage[], limit: LimitProfile, seconds: number): Spent {
  const accepted = passages.filter(({ answer }) => answer.outcome === 'accepted')
  const throttled = passages.filter((passage) => isThrottled(passage, limit))
  const others = passages.filter((passage) => !accepted.includes(passage) && !throttled.includes(passage))
  return { accepted, throttled, others, seconds }
}

export function isThrottled({ answer }: Passage, { status = 429 }: LimitProfile): boolean {
  return answer.status === status
}

/** Uses the limit up: the first throttled passage, or Inconclusive where there is none. */
export async function exhaust(bench: GatewayBench, fresh: FreshLimit): Promise<Passage> {
  const { limit, key, name } = fresh
  const most = 2 * limit.requests + (limit.burst ?? 0) + 10
  for (let sent = 1; sent <= most; sent += 1) {
    const passage = await bench.observes({ route: limit.route, key }, `${name}, request ${sent}`)
    if (isThrottled(passage, limit)) return passage
  }
  bench.guard(false, `${name}: the limit was not reached with ${most} requests.`)
  throw new Error('A guard that does not hold ends the case')
}

/** What a right limiter gives back in that many seconds to a caller that has used all. */
export function backIn(limit: LimitProfile, seconds: number): number {
  if (countsRequests(limit) && !isEstimate(limit)) return 0
  return Math.ceil((seconds * limit.requests) / limit.windowSec) + 1
}

/**
 * The exhausted limit must stay so for calls that differ in what must not count. A bucket of its own would let a
 * limit's worth of them through, in two portions; what comes back with time is allowed, and a window that ends comes
 * between them once at most.
 */
export async function staysThrottled(
  bench: GatewayBench,
  fresh: FreshLimit,
  stimulus: string,
  change: Call,
): Promise<void> {
  const { observes, judge, now, notProven } = bench
  const { limit, key } = fresh
  const count = Math.max(1, Math.min(MOST_VARIANTS, Math.floor((limit.requests + (limit.burst ?? 0)) / 2)))
  const portion = async (): Promise<{ readonly accepted: number; readonly back: number }> => {
    const started = now()
    let accepted = 0
    for (let sent = 1; sent <= count; sent += 1) {
      const { answer } = await observes({ route: limit.route, key, ...change }, stimulus)
      if (answer.outcome === 'accepted') accepted += 1
    }
    return { accepted, back: backIn(limit, now() - started) }
  }
  let last = await portion()
  if (last.accepted > last.back) {
    await exhaust(bench, fresh)
    last = await portion()
  }
  if (last.back >= count) {
    notProven(stimulus, 'the limit is so small, or its window so short, that it comes back meanwhile', 'a larger one')
    return
  }
  judge(last.accepted <= last.back, {
    stimulus,
    expected: `still answered with ${limit.status ?? 429}`,
    observed: `${last.accepted} of ${count} requests were let through`,
    failure: 'fail-open',
  })
}
