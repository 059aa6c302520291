import type { ConformanceCase } from '../../harness/model/case.ts'
import type { ChainBench } from '../../harness/model/chain-bench.ts'
import type { Answer } from '../../harness/model/http.ts'
import { captured, jwksAge, past, replayable } from './means.ts'

/** Rotations until a key signs that the origin cannot have fetched before the first of them. */
const MOST_ROTATIONS = 3

/** Calls in the life of a token where the clocks are moved, and seconds between two where time passes by itself. */
const CALLS_PER_LIFE = 16
const PACE_SEC = 0.05

/** What came of the calls after one rotation. */
interface Turn {
  readonly calls: number
  /** The first answer that was no acceptance, and how many seconds after the rotation. */
  readonly lost?: { readonly answer: Answer; readonly atSec: number }
  /** The kid that took over. */
  readonly kid?: string
}

/**
 * Rotates, and goes on calling for two lifetimes of a token, and for one after the new key was seen first. A gateway
 * may publish a key for as long as it declares before it signs with it.
 */
async function rotateUnderTraffic(bench: ChainBench, former: string, stimulus: string): Promise<Turn> {
  const { gateway, keys, hooks, observes, underLoad, tokenOf, elapse, movable } = bench
  const { maxLifetimeSec: life = 0, rotationOverlapSec: overlap = 0 } = gateway
  const pace = movable ? life / CALLS_PER_LIFE : PACE_SEC
  const during = await underLoad(hooks.rotateSigningKey, stimulus)
  const answer = during.find(({ outcome }) => outcome !== 'accepted')
  if (answer) return { calls: during.length, lost: { answer, atSec: 0 } }
  let calls = during.length
  let kid: string | undefined
  let untilSec = movable ? 4 * life + 2 * overlap : 3 * life
  for (let atSec = 0; atSec < untilSec; atSec += pace) {
    for (const key of keys.slice(0, 2)) {
      const crossing = await observes({ key }, stimulus)
      calls += 1
      if (crossing.answer.outcome !== 'accepted') return { calls, lost: { answer: crossing.answer, atSec } }
      const seen = tokenOf(crossing)?.kid
      if (kid !== undefined || seen === former) continue
      kid = seen
      untilSec = Math.max(2 * life, atSec + life)
    }
    await elapse(pace)
  }
  return { calls, ...(kid === undefined ? {} : { kid }) }
}

/** Cases about signing keys that come and go. */
export const rotationCases: readonly ConformanceCase<'chain'>[] = [
  {
    id: 'rotation-without-loss',
    title: 'loses no request while the signing key is rotated',
    level: 'MUST',
    clause: ['oidc-core/rotation'],
    needs: ['key', 'tap', 'rotate-signing-key', 'rotation-passage', 'overlap'],
    runs: 'alone',
    rationale: 'A key that signs before origins know it, or goes before its tokens do, locks every caller out at once.',
    remedy:
      'Keep old and new key published for as long as origins cache and tokens live; fetch again for an unknown kid.',
    async run(bench) {
      const { kids, can, guard, judge, records } = bench
      const known = new Set(can('jwks', 'rotations to a key that was not published before') ? await kids() : [])
      let { kid: former = '' } = await captured(bench, {}, 'a call before the rotation')
      guard(former !== '', 'The token that passed the tap has no kid.')
      let calls = 0
      for (let turn = 1; turn <= MOST_ROTATIONS; turn += 1) {
        const stimulus = `calls after rotation ${turn}`
        const { calls: more, lost, kid } = await rotateUnderTraffic(bench, former, stimulus)
        calls += more
        records('calls', calls)
        guard(lost?.answer.status !== 429, 'The gateway limits the rate: lift the limit of this route for the run.')
        judge(lost === undefined, {
          stimulus,
          expected: 'every one accepted',
          observed: `status ${lost?.answer.status} ${lost?.atSec.toFixed(1)} s after the rotation`,
          failure: lost?.answer.outcome === 'crashed' ? 'fail-crash' : 'fail-closed',
        })
        if (lost) return
        guard(kid !== undefined, 'No token of a new key passed the tap after the rotation.')
        records('rotations', turn)
        if (kid === undefined || !known.has(kid)) return
        former = kid
      }
      bench.notProven(
        'a rotation to a key that origins cannot have fetched before',
        `${MOST_ROTATIONS} keys were published ahead`,
        'a gateway that publishes fewer keys ahead',
      )
    },
  },
  {
    id: 'signing-key-revocation',
    title: 'refuses tokens of a revoked signing key, and goes on serving',
    level: 'MUST',
    clause: ['cwe-613', 'cwe-324'],
    needs: ['key', 'tap', 'direct', 'revoke-signing-key', 'jwks-max-age'],
    runs: 'alone',
    rationale: 'Who stole a signing key mints what he likes until origins forget it: that has to be soon.',
    remedy: 'Stop publishing a revoked key at once, and let origins replace their whole set within its declared age.',
    async run(bench) {
      const { hooks, guard, applies, elapse, now, refuses, accepts, keys } = bench
      const seconds = past(bench, jwksAge(bench))
      const token = await replayable(bench, { key: await bench.freshKey() }, 'the captured token before the revocation')
      const { compact, kid, exp = Infinity } = token
      guard(kid !== undefined, 'The token that passed the tap has no kid.')
      applies(
        exp - now() > past(bench, seconds),
        'Tokens expire before the origin has to have fetched the JWKS again, so that a refusal tells nothing.',
      )
      await hooks.revokeSigningKey(kid ?? '')
      await elapse(seconds)
      guard(exp > now(), 'The captured token has expired meanwhile.')
      await refuses({ token: compact }, 'the captured token of the revoked key, not expired')
      for (const [at, key] of keys.slice(0, 2).entries()) {
        await accepts({ key }, `a call with key ${at + 1} after the revocation`)
      }
    },
  },
]
