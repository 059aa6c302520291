import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { ApiKey, QuotaProfile } from '../../harness/model/gateway-profile.ts'

/** Short windows that a quota may need to be used up. */
const MOST_WINDOWS = 50

/** A quota that is used up stays so beyond the short window, and begins anew after its own. */
export async function quota(bench: GatewayBench): Promise<void> {
  const { elapse, judge, guard, observes, profile } = bench
  if (!profile.quota) return
  const { requests, windowSec, shortWindowSec, route, status = 429 } = profile.quota
  const key = await quotaKey(bench, profile.quota)
  const through = await useUp(bench, profile.quota, key)
  guard(through >= requests, `Only ${through} requests of the quota of ${requests} were let through.`)
  judge(through === requests, {
    stimulus: `request ${requests + 1} of a quota of ${requests}`,
    expected: `status ${status}`,
    observed: 'let through',
    failure: 'fail-open',
  })
  if (shortWindowSec !== undefined) {
    await elapse(shortWindowSec + 1)
    const stimulus = 'a request after the short window'
    const { answer } = await observes({ route, key }, stimulus)
    judge(answer.outcome !== 'accepted', {
      stimulus,
      expected: 'still refused',
      observed: 'let through',
      failure: 'fail-open',
    })
  }
  await elapse(windowSec + 1)
  const stimulus = 'a request after the window of the quota'
  const { answer } = await observes({ route, key }, stimulus)
  judge(answer.outcome === 'accepted', {
    stimulus,
    expected: 'let through',
    observed: answer.failure ?? `status ${answer.status}`,
    failure: 'fail-closed',
  })
}

/** A key that has used nothing of the quota, at a moment at which no period of the clock is about to end. */
export async function quotaKey({ elapse, now, freshKey }: GatewayBench, { windowSec }: QuotaProfile): Promise<ApiKey> {
  await elapse(windowSec - (now() % windowSec) + 1)
  return await freshKey()
}

/**
 * Sends calls until the quota lets none through, or one more than it may; where the short window throttles before, it
 * is let pass. Gives the number that was let through.
 */
export async function useUp(bench: GatewayBench, declared: QuotaProfile, key: ApiKey): Promise<number> {
  const { observes, elapse, guard } = bench
  const { route, requests, shortWindowSec, status = 429 } = declared
  let through = 0
  for (let windows = 0; windows < MOST_WINDOWS; windows += 1) {
    const before = through
    let last = 0
    while (through <= requests) {
      const { answer } = await observes({ route, key }, `quota, request ${through + 1}`)
      last = answer.status
      if (answer.outcome !== 'accepted') break
      through += 1
    }
    guard(through > requests || last === status, `A request under the quota was answered with ${last}.`)
    if (through >= requests || shortWindowSec === undefined || through === before) break
    await elapse(shortWindowSec + 1)
  }
  return through
}
