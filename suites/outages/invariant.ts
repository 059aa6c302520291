import type { Arrival } from '../../harness/model/capture.ts'
import type { GatewayBench } from '../../harness/model/gateway-bench.ts'

/** Judges every request that the run saw on a protected path: one valid token of the gateway, when it arrived. */
export async function judgeAllArrivals({
  allArrivals,
  verify,
  judge,
  guard,
  records,
  profile,
}: GatewayBench): Promise<void> {
  // What a careless origin took for a request is judged where it was made careless.
  const arrivals = allArrivals().filter(({ readAs, method }) => {
    const isPreflight = method === 'OPTIONS' && profile.corsPreflight === true
    return readAs === 'strict' && !isPreflight
  })
  guard(arrivals.length > 0, 'No request reached the origin on a protected path.')
  records('requests at the origin', arrivals.length)
  const wrong = new Map<string, number>()
  for (const group of alike(arrivals, profile.token.header)) {
    // A token is valid for a span of time: what holds of the first and of the last holds in between.
    const [first, last] = [group[0], group.at(-1)]
    const kinds = new Set<string>()
    for (const arrival of new Set([first, last])) {
      if (arrival) for (const { detail } of (await verify(arrival)).problems) kinds.add(detail)
    }
    for (const detail of kinds) wrong.set(detail, (wrong.get(detail) ?? 0) + group.length)
  }
  const stimulus = 'all requests of the run at the origin, on protected paths'
  judge(wrong.size === 0, {
    stimulus,
    expected: 'one valid gateway token on each',
    observed: `of ${arrivals.length}: ${[...wrong].map(([detail, count]) => `${detail} (${count})`).join('; ')}`,
    failure: 'fail-open',
  })
}

/** Requests to the same place with the same lines in the token header, in the order of their arrival. */
function alike(arrivals: readonly Arrival[], header: string): readonly (readonly Arrival[])[] {
  const groups = Map.groupBy(arrivals, (one) =>
    JSON.stringify([one.origin, one.target.replace(/[?#].*$/su, ''), one.header(header)]),
  )
  return [...groups.values()].map((group) => group.toSorted((one, other) => one.monotonicMs - other.monotonicMs))
}
