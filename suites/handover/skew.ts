import type { ConformanceCase } from '../../harness/model/case.ts'

/** How far inside of the leeway the clocks are set, and how far outside. */
const INSIDE_SEC = 5
const OUTSIDE_SEC = 60

/** Cases about clocks that differ. */
export const skewCases: readonly ConformanceCase<'chain'>[] = [
  {
    id: 'clock-skew',
    title: 'serves while the clocks differ by less than the leeway, and refuses beyond',
    level: 'SHOULD',
    clause: ['rfc7519/exp', 'rfc7519/nbf'],
    needs: ['key', 'clocks', 'leeway', 'max-lifetime'],
    runs: 'last',
    rationale: 'Clocks of two machines differ by seconds: a chain that has no room for that fails at random.',
    remedy: 'Allow the declared leeway for exp, nbf and iat alike, and put nbf and iat no later than the signature.',
    async run({ gateway, origin, skew, elapse, accepts, observes, judge }) {
      const { maxLifetimeSec: life = 0 } = gateway
      const { leewaySec: leeway = 0 } = origin
      const within = leeway - INSIDE_SEC
      /** Every token from before is used up behind it: the next one is signed at this skew. */
      const apart = async (seconds: number): Promise<void> => {
        await skew(seconds)
        await elapse(life)
      }
      await apart(within)
      await accepts({}, `a call, the origin ${within} s ahead of the gateway`)
      await apart(-within)
      await accepts({}, `a call, the origin ${within} s behind the gateway`)
      const beyond = life + leeway + OUTSIDE_SEC
      await apart(beyond)
      const stimulus = `a call, the origin ${beyond} s ahead of the gateway`
      const { answer } = await observes({}, stimulus)
      judge(answer.outcome !== 'accepted', {
        stimulus,
        expected: 'refused, since every token has expired when it arrives',
        observed: `status ${answer.status}`,
        failure: 'fail-open',
      })
    },
  },
]
