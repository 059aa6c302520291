import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import { NO_TOKEN, arrivalsOf } from './sample.ts'
import { readToken } from './read.ts'

/** Judges that no audience is named in tokens for two origins, except those that are declared for all. */
export async function audiencesByOrigin(bench: GatewayBench): Promise<void> {
  const { profile, keys, judge, guard, tokenOf } = bench
  const { alsoAudiences = [] } = profile
  const named = new Map<string, Set<string>>()
  for (const route of profile.routes) {
    for (const key of keys) {
      for (const arrival of await arrivalsOf(bench, { route, key }, `${route.methods[0]} ${route.path}`)) {
        const compact = tokenOf(arrival)
        guard(compact !== undefined, NO_TOKEN)
        const { aud } = readToken(compact ?? '').claims
        const audiences = [aud].flat().flatMap((one) => (typeof one === 'string' ? [one] : []))
        guard(audiences.length > 0, 'A token names no audience.')
        const all = named.get(arrival.origin) ?? new Set()
        named.set(arrival.origin, all)
        for (const audience of audiences) if (!alsoAudiences.includes(audience)) all.add(audience)
      }
    }
  }
  guard(named.size > 1, 'Requests reached one origin alone.')
  const [first = new Set(), second = new Set()] = named.values()
  const shared = [...first].filter((audience) => second.has(audience))
  judge(shared.length === 0, {
    stimulus: 'tokens of the routes to two origins',
    expected: 'each names its own origin alone',
    observed: `tokens for both name ${shared.join(', ')}`,
  })
}
