import type { Arrival, Framing } from '../../harness/model/capture.ts'
import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import { PAYLOADS } from './payloads.ts'
import type { Hiding, Payload } from './payloads.ts'
import { message, rawHead, targetOf, writing } from './raw.ts'

/** Longest wait for what a payload comes to, in milliseconds. */
const WAIT_MS = 1_000

/** Milliseconds for what a gateway sends on behind its answer. */
const LINGER_MS = 20

interface Sent {
  readonly stimulus: string
  readonly inner: string
  readonly captured: () => readonly Arrival[]
}

/**
 * Hides a request without a key behind one with a key, in every known way and in front of origins that would see
 * it; that they would is proven by the same octets on a straight way.
 */
export async function smuggle(bench: GatewayBench): Promise<void> {
  const { profile, forwards, capture } = bench
  const { route, method } = writing(bench) ?? { route: profile.routes[0], method: profile.routes[0].methods[0] }
  await forwards({ route, method }, 'a call with a valid key before')
  const sent: Sent[] = []
  for (const framing of ['prefer-content-length', 'prefer-transfer-encoding'] as const) {
    using _ = capture.readAs(framing)
    for (const payload of PAYLOADS.filter(({ seenBy }) => seenBy.includes(framing))) {
      const [outer, inner] = [bench.track().nonce, bench.track().nonce]
      const hidden = message('GET', { target: targetOf(route.path, inner), lines: [`Host: ${bench.host}`] }, [], '')
      const hiding = { method, outer: rawHead(bench, route, outer), inner: hidden }
      sent.push(await sendOne(bench, payload, framing, hiding, { outer, inner }))
    }
    // Whatever was left behind on connections to the origin comes out in front of an ordinary call.
    await forwards({ route, method }, `a call with a valid key after the payloads for ${framing}`)
    await capture.settled(WAIT_MS)
  }
  for (const one of sent) await judgeOne(bench, one)
}

async function sendOne(
  { raw, bare, capture, guard }: GatewayBench,
  { name, octets: octetsOf }: Payload,
  framing: Framing,
  hiding: Hiding,
  { outer, inner }: { readonly outer: string; readonly inner: string },
): Promise<Sent> {
  const octets = octetsOf(hiding)
  const seen = await bare(octets, framing, { answers: 2, withinMs: WAIT_MS })
  guard(
    seen.some(({ target }) => target.includes(inner)),
    `${name}: an origin without a gateway does not see the hidden request either.`,
  )
  const mark = capture.mark()
  const stimulus = `${name}, in front of an origin that would rather read ${framing.slice('prefer-'.length)}`
  await raw(octets, stimulus, { withinMs: WAIT_MS, lingerMs: LINGER_MS })
  await capture.settled(WAIT_MS)
  const own = [...capture.since(mark)].filter(({ anomalies }) => anomalies.length > 0)
  return {
    stimulus,
    inner,
    captured: () => [...new Set([...own, ...capture.requestsOf(outer, mark), ...capture.requestsOf(inner, mark)])],
  }
}

async function judgeOne({ judge, verify, capture }: GatewayBench, { stimulus, inner, captured }: Sent): Promise<void> {
  const reached = captured()
  const isLeft = capture.unfinished().some(({ octets }) => new TextDecoder('latin1').decode(octets).includes(inner))
  judge(!isLeft && !reached.some(({ target }) => target.includes(inner)), {
    stimulus,
    expected: 'the hidden request never at the origin',
    observed: 'it reached the origin as a request of its own',
    failure: 'fail-open',
  })
  judge(reached.length <= 1, {
    stimulus,
    expected: 'at most one request at the origin',
    observed: `${reached.length} requests`,
    failure: 'fail-open',
  })
  for (const arrival of reached) {
    const { problems } = await verify(arrival)
    judge(problems.length === 0, {
      stimulus,
      expected: 'one valid gateway token on whatever reaches the origin',
      observed: problems.map(({ detail }) => detail).join('; '),
      failure: 'fail-open',
    })
  }
}
