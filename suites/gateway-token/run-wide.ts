import type { Arrival, TokenProblemKind } from '../../harness/model/capture.ts'
import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { Json } from '../../harness/model/json.ts'
import { readToken } from './read.ts'

/** What can be wrong with algorithm, key and signature. */
export const SIGNATURE_KINDS: readonly TokenProblemKind[] = [
  'alg-missing',
  'alg-not-asymmetric',
  'alg-undeclared',
  'alg-of-key',
  'jwks',
  'key-type',
  'key-use',
  'key-operations',
  'key-weak',
  'key-invalid',
  'signature-size',
  'signature',
]

/** Every token that reached an origin in the run, with the first request that carried it. */
export function tokensOfRun({ allArrivals, tokenOf }: GatewayBench): ReadonlyMap<string, Arrival> {
  const tokens = new Map<string, Arrival>()
  for (const arrival of allArrivals()) {
    const compact = tokenOf(arrival)
    if (compact !== undefined && !tokens.has(compact)) tokens.set(compact, arrival)
  }
  return tokens
}

/** Judges every token of the run by its signature. */
export async function verifyAll(bench: GatewayBench): Promise<void> {
  const { verify, judge, guard, records } = bench
  const tokens = tokensOfRun(bench)
  guard(tokens.size > 0, 'No token reached an origin.')
  const wrong = new Map<string, number>()
  for (const arrival of tokens.values()) {
    const { header, problems } = await verify(arrival)
    const found = problems.filter(({ kind }) => SIGNATURE_KINDS.includes(kind)).map(({ detail }) => detail)
    for (const detail of header ? found : ['it cannot be read']) wrong.set(detail, (wrong.get(detail) ?? 0) + 1)
  }
  records('tokens verified', tokens.size)
  judge(wrong.size === 0, {
    stimulus: 'every token that reached an origin in the run',
    expected: 'signed with a declared algorithm by a published key',
    observed: [...wrong].map(([detail, count]) => `${detail} (${count} of ${tokens.size} tokens)`).join('; '),
  })
}

/** Judges that no two of the gateway's own tokens have the same jti. */
export async function distinctIds(bench: GatewayBench): Promise<void> {
  const { verify, judge, guard } = bench
  const ids = new Map<Json | undefined, number>()
  let count = 0
  for (const [compact, arrival] of tokensOfRun(bench)) {
    const { problems } = await verify(arrival)
    // A token that a caller made up says nothing of how the gateway makes its own.
    if (problems.some(({ kind }) => SIGNATURE_KINDS.includes(kind))) continue
    const { jti } = readToken(compact).claims
    ids.set(jti, (ids.get(jti) ?? 0) + 1)
    count += 1
  }
  const missing = ids.get(undefined) ?? 0
  const repeated = [...ids].filter(([jti, times]) => jti !== undefined && times > 1).length
  judge(missing === 0, {
    stimulus: `${count} different tokens`,
    expected: 'a jti in each, as declared',
    observed: `${missing} have none`,
  })
  judge(repeated === 0, {
    stimulus: `${count} different tokens`,
    expected: 'a jti of its own in each',
    observed: `${repeated} values occur in several`,
  })
  guard(count > 1, 'Fewer than two different tokens with a good signature reached an origin.')
}
