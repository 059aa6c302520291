import type { ConformanceCase } from '../../harness/model/case.ts'
import type { ChainBench } from '../../harness/model/chain-bench.ts'
import { jwksAge, past, unknownKid } from './means.ts'

const TURNS = 3

/** Makes the origin fetch the JWKS now, by its age or for a kid that nobody has; whether it did. */
async function fetchNow(bench: ChainBench, fetched: () => number): Promise<boolean> {
  const { can, elapse, observes, unreachable } = bench
  if (can('jwks-max-age', 'an outage that begins when the keys of the origin are fresh')) {
    await elapse(past(bench, jwksAge(bench)))
    await observes({}, 'a call that is due to renew the keys')
    if (fetched() > 0) return true
  }
  if (unreachable === undefined) await ask(bench)
  return fetched() > 0
}

/** Sends a kid that nobody has past the gateway, once the origin may fetch for one. */
async function ask(bench: ChainBench): Promise<void> {
  const { elapse, origin, direct, can } = bench
  const { cooldownSec = 0 } = origin.jwks ?? {}
  if (can('jwks-cooldown', 'a fetch for an unknown kid')) await elapse(past(bench, cooldownSec))
  await direct({ token: unknownKid(bench) }, 'a token with an unknown kid')
}

/** Cases about a JWKS that cannot be had. */
export const outageCases: readonly ConformanceCase<'chain'>[] = [
  {
    id: 'jwks-outage',
    title: 'goes on serving while the origin cannot fetch the JWKS, and recovers',
    level: 'SHOULD',
    clause: ['rfc5861/stale-if-error', 'trust/off-path'],
    needs: ['key', 'jwks-proxy'],
    runs: 'alone',
    rationale: 'An origin that needs the JWKS for every request goes down with a path that no request takes.',
    remedy: 'Verify with the cached set within its age, and keep it when a fetch fails.',
    async run(bench) {
      const { accepts, jwksFrom, cutJwks, applies, guard, can, elapse, observes, unreachable, origin, movable } = bench
      const { cooldownSec = 0, maxAgeSec = Infinity, maxStaleSec = 0 } = origin.jwks ?? {}
      await accepts({}, 'a call before the outage')
      const isFresh = await fetchNow(bench, jwksFrom(0))
      applies(isFresh, 'Nothing tells how old the keys of the origin are when the outage begins.')
      const cut = cutJwks()
      for (let turn = 1; turn <= TURNS; turn += 1) await accepts({}, `call ${turn} during the outage`)
      if (cut.served() === 0 && unreachable === undefined && past(bench, past(bench, cooldownSec)) < maxAgeSec) {
        await ask(bench)
        await accepts({}, 'a call after a fetch that failed')
      }
      if (cut.served() === 0 && can('jwks-max-age', 'a fetch that fails')) {
        await elapse(past(bench, jwksAge(bench)))
        await observes({}, 'a call when the keys are too old')
      }
      guard(cut.served() > 0, 'The origin never tried to fetch the JWKS during the outage.')
      cut[Symbol.dispose]()
      if (can('jwks-cooldown', 'the recovery after the cooldown')) await elapse(past(bench, cooldownSec))
      await accepts({}, 'a call after the outage')
      const last = 'the recovery with keys that are too old'
      if (!can('jwks-max-age', last)) return
      if (!movable && maxStaleSec > 0) {
        bench.notProven(
          last,
          'stale keys serve for longer than is waited for',
          'clocks of both sides that can be moved',
        )
        return
      }
      await elapse(past(bench, jwksAge(bench) + maxStaleSec))
      await accepts({}, 'a call that needs the JWKS after the outage')
    },
  },
]
