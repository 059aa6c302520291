import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { ApiKey } from '../../harness/model/gateway-profile.ts'
import { exhaust, freshLimits, spend } from './limits.ts'

/** Milliseconds until as many requests wait at the origin as may. */
const HELD_MS = 5_000

/** Keys that are sent at the same time. */
const AT_ONCE = 50

/** Uses the quota up, and looks after the short window and after its own. */
export async function quota(bench: GatewayBench): Promise<void> {
  const { profile, freshKey, elapse, judge, guard } = bench
  const { quota: declared } = profile
  if (!declared) return
  const { requests, windowSec, shortWindowSec } = declared
  const key = await freshKey()
  const isFull = await useQuota(bench, key)
  guard(isFull.accepted >= requests, `Only ${isFull.accepted} requests of the quota of ${requests} were let through.`)
  judge(isFull.refused, {
    stimulus: `request ${requests + 1} of a quota of ${requests}`,
    expected: `status ${declared.status ?? 429}`,
    observed: 'let through',
    failure: 'fail-open',
  })
  if (shortWindowSec !== undefined) {
    await elapse(shortWindowSec + 1)
    judge((await useQuota(bench, key, 1)).refused, {
      stimulus: 'a request after the short window',
      expected: 'still refused',
      observed: 'let through',
      failure: 'fail-open',
    })
  }
  await elapse(windowSec + 1)
  judge((await useQuota(bench, key, 1)).accepted === 1, {
    stimulus: 'a request after the window of the quota',
    expected: 'let through',
    observed: 'refused',
    failure: 'fail-closed',
  })
}

/** Sends until the quota refuses, or so many. */
async function useQuota({ profile, observes, guard }: GatewayBench, key: ApiKey, most?: number) {
  if (!profile.quota) return { accepted: 0, refused: false }
  const { requests, route, status = 429 } = profile.quota
  const last = most ?? requests + 1
  let accepted = 0
  for (let sent = 1; sent <= last; sent += 1) {
    const { answer } = await observes({ route, key }, `quota, request ${sent}`)
    if (answer.status === status) return { accepted, refused: true }
    guard(answer.outcome === 'accepted', `A request under the quota was answered with ${answer.status}.`)
    accepted += 1
  }
  return { accepted, refused: false }
}

/** Exhausts a limit at one instance and asks the other; uses a persistent quota up and restarts. */
export async function shared(bench: GatewayBench): Promise<void> {
  const { can, judge, hooks, profile, freshKey } = bench
  if (profile.limits.length > 0 && can('instances', 'an exhausted limit at another instance')) {
    for (const fresh of await freshLimits(bench)) {
      await exhaust(bench, fresh)
      const { accepted } = await spend(bench, fresh, fresh.limit.requests, { instance: 1 })
      judge(accepted.length === 0, {
        stimulus: `${fresh.name} at the second instance`,
        expected: 'throttled there, too',
        observed: `${accepted.length} requests were let through`,
        failure: 'fail-open',
      })
    }
  }
  if (profile.quota?.persistent !== true || !can('restart', 'a used quota after a restart')) return
  const key = await freshKey()
  const { refused } = await useQuota(bench, key)
  bench.guard(refused, 'The quota was not reached.')
  await hooks.restart()
  judge((await useQuota(bench, key, 1)).refused, {
    stimulus: 'a used quota after a restart',
    expected: 'still refused',
    observed: 'let through',
    failure: 'fail-open',
  })
}

/** Has the origin hold as many requests as may be there at once, and one more. */
export async function concurrency(bench: GatewayBench): Promise<void> {
  const { profile, capture, burst, observes, judge, guard, forwards } = bench
  const { concurrency: declared } = profile
  if (!declared) return
  const { requests, route, status } = declared
  const started = performance.now()
  const hold = capture.hold()
  const sending = burst(
    Array.from({ length: requests }, () => ({ route })),
    `${requests} requests at once`,
  )
  const isReached = await hold.reached(requests, HELD_MS)
  const stimulus = `request ${requests + 1} while ${requests} are at the origin`
  const { answer, arrivals } = await observes({ route }, stimulus)
  const reached = arrivals().length
  hold.open()
  const held = await sending
  const accepted = held.filter((passage) => passage.answer.outcome === 'accepted').length
  const heldMs = performance.now() - started
  guard(isReached || accepted < requests, 'The requests did not wait at the origin.')
  const { originTimeoutSec = Number.POSITIVE_INFINITY } = profile
  guard(
    heldMs < originTimeoutSec * 1000,
    `It took ${Math.round(heldMs)} ms, longer than the gateway waits for the origin.`,
  )
  judge(accepted === requests, {
    stimulus: `${requests} requests at once`,
    expected: 'all are let through',
    observed: `${accepted} were`,
    failure: 'fail-closed',
  })
  judge(reached === 0 && (status === undefined ? answer.status >= 400 : answer.status === status), {
    stimulus,
    expected: `refused${status === undefined ? '' : ` with ${status}`}, and not forwarded`,
    observed: `status ${answer.status}${reached === 0 ? '' : ', and it reached the origin'}`,
    failure: reached === 0 ? 'fail' : 'fail-open',
  })
  await forwards({ route }, 'a request once the others have ended')
}

/** Sends twice as many wrong keys as are permitted, and then a valid one. */
export async function failedKeys(bench: GatewayBench): Promise<void> {
  const { profile, observes, forwards, judge, nonce, can, elapse } = bench
  const { authFailures } = profile
  if (!authFailures) return
  const { attempts, windowSec, status = 429, route = profile.routes[0] } = authFailures
  let last = 0
  for (let sent = 0; sent < 2 * attempts; sent += AT_ONCE) {
    const batch = Array.from({ length: Math.min(AT_ONCE, 2 * attempts - sent) }, () =>
      observes({ route, key: `tsk_${nonce()}` }, 'a wrong key'),
    )
    for (const { answer } of await Promise.all(batch)) last = answer.status
  }
  judge(last === status, {
    stimulus: `${2 * attempts} wrong keys from one address`,
    expected: `status ${status} at the end`,
    observed: `status ${last}`,
  })
  await forwards({ route }, 'a valid key from the same address')
  // Other cases send wrong keys as well, and are not to be throttled.
  if (authFailures.route === undefined && (windowSec <= 3 || can('clock', 'what comes after')))
    await elapse(windowSec + 1)
}
