import type { Arrival } from '../../harness/model/capture.ts'
import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { Json } from '../../harness/model/json.ts'
import { judgeToken, plain, told } from '../spoofing/looks.ts'

const CALLS = 500

/** Milliseconds that the origin takes for each. */
const SLOW_MS = 300

/** Longest wait for an answer, in milliseconds: who has to wait longer has long gone. */
const ANSWER_MS = 5_000

/** Milliseconds in which a gateway has to be itself again. */
const CALM_MS = 2_000

/** Sends more at once than a gateway can have at its origin, and judges every answer and every request there. */
export async function overload(bench: GatewayBench): Promise<void> {
  const { burst, capture, judge, guard, records, keys } = bench
  // Two consumers in turn, so that a token that went to the wrong request shows.
  const callers = keys.slice(0, 2)
  const subjects: (Json | undefined)[] = []
  for (const [at, key] of callers.entries()) {
    subjects.push((await plain(bench, { key }, `a call with key ${at + 1}`)).subject)
  }
  const mark = capture.mark()
  const stimulus = `${CALLS} calls at the same time`
  const passages = await (async () => {
    using _ = capture.answer({ delayMs: SLOW_MS })
    return await burst(
      Array.from({ length: CALLS }, (_, turn) => {
        const at = turn % callers.length
        return { query: `caller=${at}`, withinMs: ANSWER_MS, ...(callers[at] ? { key: callers[at] } : {}) }
      }),
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
  const reached = capture.since(mark).filter(({ target }) => callerOf(target) !== undefined)
  guard(reached.length > 0, 'None of the calls reached the origin, so that nothing is known of their tokens.')
  judge(reached.length >= counts.forwarded, {
    stimulus,
    expected: 'as many requests at the origin as were answered 2xx',
    observed: `${counts.forwarded} answers, ${reached.length} requests`,
  })
  for (const arrival of distinct(bench, reached)) {
    await judgeToken(bench, arrival, subjects[callerOf(arrival.target) ?? 0], stimulus)
  }
}

/** Which caller a request at the origin is of. */
function callerOf(target: string): number | undefined {
  const [, at] = /[?&]caller=(\d)(?:&|$)/u.exec(target) ?? []
  return at === undefined ? undefined : Number(at)
}

/** The same token of the same caller is valid every time within these seconds. */
function distinct({ profile }: GatewayBench, arrivals: readonly Arrival[]): readonly Arrival[] {
  const keyed = arrivals.map((one) => {
    return [JSON.stringify([callerOf(one.target), one.header(profile.token.header)]), one] as const
  })
  return [...new Map(keyed).values()]
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
