import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { JsonObject } from '../../harness/model/json.ts'
import { judgeTokens, sampled } from './sample.ts'
import { isObject } from './read.ts'

/** Looks at the JWKS: one may be a moment old, and another instance may have answered it. */
const LOOKS = 5

/** The keys of the JWKS as it is served now; empty where it is none. */
export async function publishedNow({ jwks }: Pick<GatewayBench, 'jwks'>): Promise<readonly JsonObject[]> {
  const { answer, json } = await jwks()
  const keys = answer.status === 200 && isObject(json) ? json['keys'] : undefined
  return Array.isArray(keys) ? keys.filter(isObject) : []
}

/** Judges that the kid of each token names one key of the JWKS as it is served at the same moment. */
export async function judgeKids(bench: GatewayBench): Promise<void> {
  const kids = new Set(await kidsNow(bench))
  const samples = await sampled(bench)
  for (let look = 0; look < LOOKS; look += 1) for (const kid of await kidsNow(bench)) kids.add(kid)
  await judgeTokens(bench, samples, {
    kinds: ['kid-missing', 'kid-unknown', 'kid-ambiguous', 'key-type'],
    expected: 'a kid that names one published key of the type of the algorithm',
    reads: 'header',
    also({ header, problems }) {
      const kid = header?.['kid']
      const isKnown = problems.every((problem) => problem.kind !== 'kid-unknown')
      return isKnown && typeof kid === 'string' && !kids.has(kid) ? ['the key is no longer published'] : []
    },
  })
}

async function kidsNow(bench: GatewayBench): Promise<readonly string[]> {
  return (await publishedNow(bench)).flatMap(({ kid }) => (typeof kid === 'string' ? [kid] : []))
}
