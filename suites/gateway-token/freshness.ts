import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import { NO_TOKEN, arrivalsOf } from './sample.ts'
import { readToken } from './read.ts'

/** Requests in one lifetime. */
const PARTS = 10

const LIFETIMES = 3

/** Seconds by which a token may be older when it arrives than when the gateway looked at it. */
const TRANSIT_SEC = 1

/** Sends requests all along three lifetimes of a token, and judges that none carries one that is too old. */
export async function neverStale(bench: GatewayBench): Promise<void> {
  const { elapse, judge, guard, profile, tokenOf } = bench
  const { minRemainingSec = 0 } = profile
  const least = minRemainingSec > 0 ? minRemainingSec - TRANSIT_SEC : 0
  const remaining: number[] = []
  const look = async (): Promise<{ readonly lifeSec: number }> => {
    const [arrival] = await arrivalsOf(bench, {}, `request ${remaining.length + 1} of a chain of them`)
    const compact = arrival && tokenOf(arrival)
    guard(compact !== undefined, NO_TOKEN)
    const { iat, exp } = readToken(compact ?? '').claims
    guard(typeof exp === 'number', 'A token has no exp that is a number.')
    const left = Number(exp) - (arrival?.atMs ?? 0) / 1000
    remaining.push(left)
    return { lifeSec: typeof iat === 'number' ? Number(exp) - iat : left }
  }
  const { lifeSec } = await look()
  const { maxLifetimeSec = lifeSec } = profile
  const step = Math.max(1, Math.min(lifeSec, maxLifetimeSec)) / PARTS
  for (let turn = 0; turn < PARTS * LIFETIMES; turn += 1) {
    await elapse(step)
    await look()
  }
  const late = remaining.filter((left) => left <= least)
  judge(late.length === 0, {
    stimulus: `a request every ${step} s for ${LIFETIMES} lifetimes`,
    expected:
      minRemainingSec > 0
        ? `each token has ${minRemainingSec} s left when it arrives`
        : 'no token has expired when it arrives',
    observed: `${late.length} of ${remaining.length} have not; the oldest had ${Math.round(Math.min(...remaining) * 10) / 10} s left`,
  })
}
