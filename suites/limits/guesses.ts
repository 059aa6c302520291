import type { GatewayBench } from '../../harness/model/gateway-bench.ts'

/** Longest window that is waited for, in seconds. */
const LONGEST_WAIT_SEC = 3

/** Keys that are sent at the same time. */
const AT_ONCE = 50

/** Sends twice as many wrong keys as are permitted, and then a valid one. */
export async function failedKeys(bench: GatewayBench): Promise<void> {
  const { profile, observes, forwards, judge, nonce, can, elapse } = bench
  const { authFailures } = profile
  if (!authFailures) return
  const { attempts, windowSec, status = 429, route = profile.routes[0] } = authFailures
  await forwards({ route }, 'a valid key before any guess')
  const guess = () => observes({ route, key: `tsk_${nonce()}` }, 'a wrong key')
  const count = 2 * attempts - 1
  for (let sent = 0; sent < count; sent += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - sent) }, guess))
  }
  // Alone: how exactly guesses at the same moment are counted is not asked here.
  const { status: last } = (await guess()).answer
  judge(last === status, {
    stimulus: `${2 * attempts} wrong keys from one address`,
    expected: `status ${status} at the end`,
    observed: `status ${last}`,
    failure: 'fail-open',
  })
  const own = 'a valid key from the same address'
  const { answer } = await observes({ route }, own)
  judge(answer.outcome === 'accepted', {
    stimulus: own,
    expected: 'let through',
    observed: answer.failure ?? `status ${answer.status}`,
    failure: 'fail-closed',
  })
  // Other cases send wrong keys as well, and are not to be throttled.
  if (authFailures.route === undefined && (windowSec <= LONGEST_WAIT_SEC || can('clock', 'what comes after')))
    await elapse(windowSec + 1)
}
