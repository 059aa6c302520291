import type { Call, GatewayBench } from '../../harness/model/gateway-bench.ts'

/** Seconds in which a gateway has to be as before. */
const RECOVERY_SEC = 3

/** Waits until a call with a valid key is forwarded again; the case proves nothing where none is. */
export async function recovers({ observes, elapse, guard }: GatewayBench, call: Call = {}): Promise<void> {
  for (let second = 0; ; second += 1) {
    const { answer } = await observes(call, 'a call with a valid key afterwards')
    if (answer.outcome === 'accepted') return
    guard(
      second < RECOVERY_SEC,
      `A call with a valid key was not forwarded ${RECOVERY_SEC} s after the fault was over.`,
    )
    await elapse(1)
  }
}
