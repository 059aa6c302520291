import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import { canPassWindow, countsRequests, freshLimits, mostIn, sorted } from './limits.ts'

/** Over-run of a limit that is not declared to be strict, as a part of it. */
const TOLERANCE = 0.1

/**
 * As many requests as the limit has, spread over one window: a bucket that fills drop by drop must let them through
 * as well as one that counts.
 */
export async function underLimit(bench: GatewayBench): Promise<void> {
  const { judge, elapse, observes, notProven } = bench
  for (const fresh of await freshLimits(bench)) {
    const { limit, key, name } = fresh
    const { requests, windowSec } = limit
    const isSpread = !countsRequests(limit)
    if (isSpread && !canPassWindow(bench, limit)) {
      notProven(
        name,
        'the window cannot be let pass, and nothing says that requests may come at once',
        '"algorithm" in "limits"',
      )
      continue
    }
    let throttled = 0
    let others = 0
    for (let sent = 1; sent <= requests; sent += 1) {
      if (isSpread && sent > 1) await elapse((windowSec / requests) * 1.004)
      const { answer } = await observes({ route: limit.route, key }, `${name}, request ${sent} of ${requests}`)
      if (answer.status === (limit.status ?? 429)) throttled += 1
      else if (answer.outcome !== 'accepted') others += 1
    }
    bench.guard(others === 0, `${name}: ${others} of ${requests} requests were answered neither way.`)
    judge(throttled === 0, {
      stimulus: `${requests} requests in ${windowSec} s`,
      expected: 'none is throttled',
      observed: `${throttled} were`,
      failure: 'fail-closed',
    })
  }
}

/** Three times the limit at the same moment. */
export async function burstsOver(bench: GatewayBench): Promise<void> {
  const { burst, judge, guard, now, records } = bench
  for (const fresh of await freshLimits(bench)) {
    const { limit, key, name } = fresh
    const calls = Array.from({ length: 3 * limit.requests }, () => ({ route: limit.route, key }))
    const started = now()
    const passages = await burst(calls, `${name}, ${calls.length} requests at once`)
    const { accepted, throttled, others, seconds } = sorted(passages, limit, now() - started)
    guard(others.length < limit.requests, `${name}: ${others.length} requests were answered neither way.`)
    guard(seconds < limit.windowSec, `${name}: the requests took longer than the window.`)
    const due = mostIn(limit, seconds)
    const most = limit.strict === true ? due : Math.floor(due * (1 + TOLERANCE))
    records(`${name}: let through of ${calls.length} at once`, accepted.length)
    judge(accepted.length <= most, {
      stimulus: `${name}, ${calls.length} requests at once`,
      expected: `at most ${most} are let through`,
      observed: `${accepted.length} were, ${throttled.length} throttled`,
      failure: 'fail-open',
    })
  }
}
