import type { ConformanceCase } from '../../harness/model/case.ts'
import type { TokenProblemKind } from '../../harness/model/capture.ts'
import type { ChainBench } from '../../harness/model/chain-bench.ts'
import { captured, jwksAge, past } from './means.ts'

/** What says nothing of the keys; and where one key is published, a kid need not be there. */
const OF_OTHER_THINGS: readonly TokenProblemKind[] = ['expired', 'iat-ahead', 'nbf-ahead', 'kid-missing']

/** The first instance with each other one, both ways. */
function pairs({ gateway: { instances = [] } }: ChainBench): readonly (readonly [signs: number, publishes: number])[] {
  return instances.flatMap((_, at) => [[0, at + 1] as const, [at + 1, 0] as const])
}

/** Cases about a gateway of several instances. */
export const instanceCases: readonly ConformanceCase<'chain'>[] = [
  {
    id: 'instances-agree',
    title: 'takes tokens of one instance of the gateway with the JWKS of another',
    level: 'MUST',
    clause: ['rfc7515/kid', 'rfc7517/kid'],
    needs: ['key', 'tap', 'jwks', 'instances'],
    runs: 'alone',
    rationale: 'Behind a load balancer the JWKS comes from whichever instance answers: half of the calls would fail.',
    remedy: 'Let all instances sign with one set of keys, and publish all of them in every instance.',
    async run(bench) {
      const { accepts, verify, judge, can, jwksFrom, elapse, guard } = bench
      for (const [signs, publishes] of pairs(bench)) {
        const stimulus = `a token of instance ${signs + 1} by the JWKS of instance ${publishes + 1}`
        const token = await captured(bench, { instance: signs }, `a call through instance ${signs + 1}`)
        const { problems } = await verify(token, publishes)
        const found = problems.filter(({ kind }) => !OF_OTHER_THINGS.includes(kind))
        judge(found.length === 0, {
          stimulus,
          expected: 'its kid resolves, and it verifies',
          observed: found.map(({ detail }) => detail).join('; '),
        })
      }
      for (const [signs, publishes] of pairs(bench)) {
        const stimulus = `a call through instance ${signs + 1}, the origin having the JWKS of instance ${publishes + 1}`
        if (!can('jwks-proxy', stimulus) || !can('jwks-max-age', stimulus)) continue
        const fetched = jwksFrom(publishes)
        await elapse(past(bench, jwksAge(bench)))
        await accepts({ instance: signs }, stimulus)
        guard(fetched() > 0, 'The origin did not fetch the JWKS of the other instance.')
      }
    },
  },
]
