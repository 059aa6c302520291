import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { GatewayProfile } from '../../harness/model/gateway-profile.ts'

/** Milliseconds in which all requests of a burst are at the origin. */
const REACHED_MS = 2_000

type Slots = GatewayProfile['concurrency'] & object

/** As many requests as declared are at the origin at once, no other one is, and then as many again. */
export async function slotsHold(bench: GatewayBench): Promise<void> {
  const { concurrency: slots } = bench.profile
  if (!slots) return
  const { observes, judge, guard } = bench
  const { requests, route, status = 503 } = slots
  const one = `one request more than ${requests} at once on ${route.path}`
  await whileHeld(bench, slots, 'at once', async (reached) => {
    const asked = observes({ route }, one)
    const isOver = await Promise.race([reached(requests + 1), asked.then(() => false)])
    return async (stayed) => {
      const { answer, arrivals } = await asked
      const isIn = isOver
      // A gateway that waits no longer for some of them has their places free, and may let another one in.
      guard(stayed, 'Requests that were held went away, so that their places were free.')
      guard(isIn || arrivals().length === 0, 'Requests that were held went away, so that their places were free.')
      judge(!isIn && answer.outcome !== 'accepted', {
        stimulus: one,
        expected: 'refused, and not forwarded',
        observed: isIn ? 'it reached the origin' : 'let through',
        failure: 'fail-open',
      })
      if (isIn) return
      judge(answer.status === status, {
        stimulus: one,
        expected: `status ${status}`,
        observed: answer.failure ?? `status ${answer.status}`,
        failure: answer.failure === undefined ? 'fail' : 'fail-crash',
      })
    }
  })
  await whileHeld(bench, slots, 'at once, once more', () => Promise.resolve(() => Promise.resolve()))
}

/** Holds a full burst at the origin, does something, lets the burst go, and judges what was done, and who stayed. */
async function whileHeld(
  { capture, burst, guard, judge }: GatewayBench,
  { requests, route, status = 503 }: Slots,
  how: string,
  act: (reached: (count: number) => Promise<boolean>) => Promise<(stayed: boolean) => Promise<void>>,
): Promise<void> {
  const stimulus = `${requests} requests ${how} on ${route.path}`
  using hold = capture.hold()
  const sent = burst(
    Array.from({ length: requests }, () => ({ route })),
    stimulus,
  )
  const isFull = await Promise.race([hold.reached(requests, REACHED_MS), sent.then(() => false)])
  const then = isFull ? await act((count) => hold.reached(count, REACHED_MS)) : () => Promise.resolve()
  const most = hold.most()
  hold.open()
  const answers = (await sent).map(({ answer }) => answer)
  const refused = answers.filter((answer) => answer.status === status).length
  await then(answers.every(({ outcome }) => outcome === 'accepted'))
  // Late answers of a gateway that waits no longer are no refusals.
  guard(isFull || refused > 0, 'The requests were not all at the origin at the same time.')
  judge(isFull, {
    stimulus,
    expected: 'all of them at the origin at once',
    observed: `${most} at the origin at once, ${refused} refused`,
    failure: 'fail-closed',
  })
}
