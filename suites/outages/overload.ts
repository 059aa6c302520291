import type { Arrival } from '../../harness/model/capture.ts'
import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import { judgeToken, plain, told } from '../spoofing/looks.ts'

const CALLS = 500

/** Milliseconds that the origin takes for each. */
const SLOW_MS = 300

/** Milliseconds in which a gateway has to be itself again. */
const CALM_MS = 2_000

/** Sends more at once than a gateway can have at its origin, and judges every answer and every request there. */
export async function overload(bench: GatewayBench): Promise<void> {
  const { burst, capture, judge, guard, records } = bench
  const own = await plain(bench, {}, 'a call with a valid key')
  const mark = capture.mark()
  const stimulus = `${CALLS} calls at the same time`
  const passages = await (async () => {
    using _ = capture.answer({ delayMs: SLOW_MS })
    return await burst(
      Array.from({ length: CALLS }, () => ({})),
      stimulus,
    )
  })()
  const counts = { forwarded: 0, throttled: 0, failed: 0 }
  const odd = new Map<string, number>()
  for (const { answer } of passages) {
    if (answer.outcome === 'accepted') counts.forwarded += 1
    else if (answer.status === 429) counts.throttled += 1
    else if (answer.status >= 500) counts.failed += 1
    else odd.set(told(answer), (odd.get(told(answer)) ?? 0) + 1)
  }
  records('2xx under overload', counts.forwarded)
  records('429 under overload', counts.throttled)
  records('5xx under overload', counts.failed)
  for (const [what, count] of odd) {
    judge(false, { stimulus, expected: '2xx, 429 or 5xx', observed: `${what}, ${count} times`, failure: 'fail-crash' })
  }
  await calms(bench)
  const reached = capture.since(mark).filter(({ origin }) => origin === own.arrival.origin)
  guard(reached.length > 0, 'None of the calls reached the origin, so that nothing is known of their tokens.')
  judge(reached.length >= counts.forwarded, {
    stimulus,
    expected: 'as many requests at the origin as were answered 2xx',
    observed: `${counts.forwarded} answers, ${reached.length} requests`,
  })
  for (const arrival of distinct(bench, reached)) await judgeToken(bench, arrival, own.subject, stimulus)
}

/** The same token in the same place is valid every time within a second. */
function distinct({ profile }: GatewayBench, arrivals: readonly Arrival[]): readonly Arrival[] {
  return [...new Map(arrivals.map((one) => [JSON.stringify(one.header(profile.token.header)), one])).values()]
}

async function calms({ observes, judge, guard }: GatewayBench): Promise<void> {
  const stimulus = 'a call with a valid key afterwards'
  const until = performance.now() + CALM_MS
  for (;;) {
    const { answer } = await observes({ withinMs: CALM_MS }, stimulus)
    if (answer.outcome === 'accepted') return
    guard(answer.status !== 429, 'The gateway limits the rate of this route: lift that limit for the run.')
    if (performance.now() < until) continue
    judge(false, {
      stimulus,
      expected: `forwarded within ${CALM_MS} ms`,
      observed: told(answer),
      failure: 'fail-crash',
    })
    return
  }
}
