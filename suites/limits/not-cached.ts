import { NotApplicable } from '../../harness/model/errors.ts'
import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import { canPassWindow, exhaust, freshLimits } from './limits.ts'

/**
 * A URL that is asked for first while it is throttled is asked of the origin once the window is over: nothing but the
 * throttling can have been stored for it.
 */
export async function throttlingIsNotKept(bench: GatewayBench): Promise<void> {
  const { elapse, judge, guard, nonce, observes } = bench
  let isJudged = false
  for (const fresh of await freshLimits(bench)) {
    const { limit, key, name } = fresh
    const { route, windowSec } = limit
    if (!route.methods.includes('GET') || !canPassWindow(bench, limit)) continue
    await exhaust(bench, fresh)
    const call = { route, key, method: 'GET', query: `page=${nonce()}`, sameUrl: true }
    const throttled = await observes(call, `${name}, a new URL while throttled`)
    guard(throttled.answer.outcome !== 'accepted', `${name}: the window passed meanwhile.`)
    await elapse(windowSec + 1)
    const stimulus = `${name}, the same URL after the window`
    const { answer, arrivals } = await observes(call, stimulus)
    const isAsked = arrivals().length === 1
    if (!isAsked) {
      const plain = await observes({ route, key }, `${name}, another URL after the window`)
      guard(plain.arrivals().length === 1, `${name}: the window did not end, so that nothing follows from a refusal.`)
    }
    isJudged = true
    judge(isAsked, {
      stimulus,
      expected: 'the origin is asked',
      observed: `status ${answer.status}, and the origin was not asked`,
      failure: 'fail-closed',
    })
  }
  if (!isJudged) throw new NotApplicable('No limit is on a route with GET and has a window that can pass.')
}
