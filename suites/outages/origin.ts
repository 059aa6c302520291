import type { Answering, Programme } from '../../harness/model/capture.ts'
import type { Call, GatewayBench, Passage } from '../../harness/model/gateway-bench.ts'
import { told } from '../spoofing/looks.ts'
import { writing } from '../spoofing/raw.ts'
import { recovers } from './recovery.ts'

/** Longest wait for the answer of a gateway whose origin is away, in milliseconds. */
const ANSWER_MS = 10_000

/** Longest wait for the end of an answer that its origin broke off, in milliseconds. */
const BROKEN_MS = 3_000

/** A connection of its own: an HTTP client may send once more on another one, and that would count as the gateway's. */
const ALONE = ['Connection', 'close'] as const

/** Sends a call whose request at the origin is answered like that. */
async function meet(
  { capture, track, observes }: GatewayBench,
  answering: Answering,
  stimulus: string,
  call: Call = {},
): Promise<Passage & { readonly programme: Programme }> {
  const { nonce } = track()
  const programme = capture.answer(answering, { nonce })
  const passage = await observes({ ...call, query: `fault=${nonce}`, headers: [ALONE] }, stimulus)
  return { ...passage, programme }
}

/** Takes the origin away and has it break off before it answers, and judges what the caller is told. */
export async function loseOrigin(bench: GatewayBench): Promise<void> {
  const { forwards, observes, capture, guard } = bench
  await forwards({}, 'a call with a valid key')
  {
    const stimulus = 'an origin that refuses connections'
    await using _ = await capture.down()
    judgeLost(bench, await observes({ headers: [ALONE], withinMs: ANSWER_MS }, stimulus), stimulus)
  }
  await recovers(bench)
  for (const [fault, stimulus] of [
    ['reset-unread', 'an origin that resets before it reads the body'],
    ['reset-unanswered', 'an origin that resets in place of an answer'],
    ['close-unanswered', 'an origin that closes in place of an answer'],
  ] as const) {
    const { programme, ...passage } = await meet(bench, { fault }, stimulus, { withinMs: ANSWER_MS })
    guard(programme.served() > 0, `${stimulus}: it never came to that.`)
    judgeLost(bench, passage, stimulus)
  }
  await recovers(bench)
}

function judgeLost({ judge, records }: GatewayBench, { answer }: Passage, stimulus: string): void {
  const { status, failure } = answer
  judge(failure === undefined, {
    stimulus,
    expected: 'an answer within 10 s, best 502, 503 or 504',
    observed: told(answer),
    failure: 'fail-crash',
  })
  judge(!(status >= 200 && status < 300), {
    stimulus,
    expected: '502, 503 or 504',
    observed: told(answer),
    failure: 'fail-open',
  })
  judge(status !== 401, {
    stimulus,
    expected: '502, 503 or 504, and nothing that blames the key',
    observed: told(answer),
    failure: 'fail-closed',
  })
  records(`status with ${stimulus}`, status)
}

/** Has the origin say nothing for too long. */
export async function stall(bench: GatewayBench): Promise<void> {
  const { profile, can, guard, judge } = bench
  const stimulus = 'an origin that does not answer'
  const { originTimeoutSec } = profile
  if (!can('origin-timeout', stimulus) || originTimeoutSec === undefined) return
  const due = (originTimeoutSec + 1) * 1_000
  const { answer, programme } = await meet(bench, { fault: 'never' }, stimulus, { withinMs: due + 1_000 })
  guard(programme.served() > 0, `${stimulus}: it never came to that.`)
  judge(answer.status === 504 && answer.ms <= due, {
    stimulus,
    expected: `504 within ${due} ms`,
    observed: `${told(answer)} after ${Math.round(answer.ms)} ms`,
    ...(answer.failure === 'timeout' ? { failure: 'fail-crash' as const } : {}),
  })
}

/** Has the origin break off in the middle of its answer. */
export async function breakOff(bench: GatewayBench): Promise<void> {
  const { judge, guard } = bench
  for (const [fault, stimulus] of [
    ['close-mid-body', 'an origin that closes before the length is reached'],
    ['reset-mid-body', 'an origin that resets before the length is reached'],
    ['close-mid-chunk', 'an origin that closes in the middle of a chunk'],
  ] as const) {
    const { answer, programme } = await meet(bench, { fault }, stimulus, { withinMs: BROKEN_MS })
    guard(programme.served() > 0, `${stimulus}: it never came to that.`)
    judge(answer.ms < BROKEN_MS, {
      stimulus,
      expected: 'an end of the answer soon after that of the origin',
      observed: `no end within ${BROKEN_MS} ms`,
      failure: 'fail-crash',
    })
    judge(answer.failure !== undefined || answer.cut === true || answer.status >= 500, {
      stimulus,
      expected: 'an answer that shows its caller that it is incomplete',
      observed: `a whole answer with ${told(answer)}`,
    })
  }
}

/** Has the origin read a request that is not to be sent twice, and go away. */
export async function breakWrites(bench: GatewayBench): Promise<void> {
  const { judge, guard, forwards, notProven } = bench
  const writes = writing(bench)
  const post = writes?.method === 'POST' ? writes : undefined
  if (!post) {
    notProven('an origin that goes away with a POST', 'no route takes POST', 'POST in "routes" of the profile')
    return
  }
  const sent: { readonly stimulus: string; readonly count: () => number }[] = []
  // A connection that carried a request before and one that is new are broken in different ways.
  await forwards(post, 'a POST with a valid key')
  for (const [fault, stimulus] of [
    ['reset-unanswered', 'an origin that reads a POST and resets'],
    ['close-unanswered', 'an origin that reads a POST and closes'],
    ['reset-unanswered', 'an origin that reads a POST on a new connection and resets'],
  ] as const) {
    const { arrivals, programme } = await meet(bench, { fault }, stimulus, post)
    guard(programme.served() > 0, `${stimulus}: it never came to that.`)
    sent.push({ stimulus, count: () => arrivals().length })
  }
  await recovers(bench)
  for (const { stimulus, count } of sent) {
    judge(count() === 1, { stimulus, expected: 'one request at the origin', observed: `${count()} requests` })
  }
}
