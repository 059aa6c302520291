import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import { readToken } from '../gateway-token/read.ts'
import { SIGNATURE_KINDS } from '../gateway-token/run-wide.ts'
import { everyCall, underLoad, watchKeys } from './watch.ts'

const ROUNDS = 3

/** Takes the key away that signs, under load, and judges what is published and signed from then on. */
export async function revokedAtOnce(bench: GatewayBench): Promise<void> {
  const { hooks, judge, guard, observes, tokenOf, verify, records } = bench
  const watch = watchKeys(bench)
  const calls = everyCall(bench)
  guard(await watch.poll(), 'No JWKS was served before the revocation.')
  await watch.send(calls, 'a call before the revocation')
  const kid = watch.seen.at(-1)?.kid ?? ''
  guard(watch.seen.length === calls.length, 'A request before the revocation did not reach the origin with a kid.')
  guard(watch.polls.at(-1)?.kids.includes(kid) === true, 'The key that signs was not published before the revocation.')
  await underLoad(watch, calls, () => hooks.revokeSigningKey(kid), 'a call during the revocation')

  guard(await watch.poll(), 'No JWKS was served after the revocation.')
  judge(watch.polls.at(-1)?.kids.includes(kid) !== true, {
    stimulus: 'the JWKS just after the revocation',
    expected: 'the revoked key is not in it',
    observed: 'it is',
  })
  const counts = { revoked: 0, unsigned: 0, refused: 0, arrived: 0, failed: 0 }
  for (let round = 1; round <= ROUNDS; round += 1) {
    const stimulus = `calls after the revocation, round ${round} of ${ROUNDS}`
    const passages = await Promise.all(calls.map((call) => observes(call, stimulus)))
    for (const { answer, arrivals } of passages) {
      guard(answer.status !== 429, 'The gateway limits the rate: lift the limit of these routes for the run.')
      if (answer.outcome === 'crashed') counts.failed += 1
      else if (answer.outcome !== 'accepted') counts.refused += 1
      for (const arrival of arrivals()) {
        counts.arrived += 1
        const compact = tokenOf(arrival)
        const { problems } = await verify(arrival)
        if (compact === undefined || problems.some((problem) => SIGNATURE_KINDS.includes(problem.kind))) {
          counts.unsigned += 1
        } else if (readToken(compact).header['kid'] === kid) counts.revoked += 1
      }
    }
  }
  const stimulus = `${ROUNDS * calls.length} calls after the revocation`
  records('forwarded after the revocation', counts.arrived)
  records('answered 5xx after the revocation', counts.failed)
  judge(counts.revoked === 0, {
    stimulus,
    expected: 'no token of the revoked key reaches the origin',
    observed: `${counts.revoked} of ${counts.arrived} do`,
  })
  judge(counts.unsigned === 0, {
    stimulus,
    expected: 'each that is forwarded carries a token of a published key',
    observed: `${counts.unsigned} of ${counts.arrived} do not`,
    failure: 'fail-open',
  })
  judge(counts.refused === 0, {
    stimulus,
    expected: 'forwarded, or answered 5xx',
    observed: `${counts.refused} were refused`,
    failure: 'fail-closed',
  })
}
