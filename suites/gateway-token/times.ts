import type { TokenProblemKind } from '../../harness/model/capture.ts'
import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import { judgeTokens, sampled } from './sample.ts'

/** Judges times of a sample of tokens; `doubt` is told what is wrong before it is judged. */
export async function judgeTimes(
  bench: GatewayBench,
  kinds: readonly TokenProblemKind[],
  expected: string,
  doubt: (details: readonly string[]) => void = () => undefined,
): Promise<void> {
  const { verify, guard } = bench
  const samples = await sampled(bench)
  for (const arrival of samples.flatMap(({ arrivals }) => arrivals)) {
    const { problems } = await verify(arrival)
    doubt(problems.filter(({ kind }) => kinds.includes(kind)).map(({ detail }) => detail))
    const isTyped = problems.every(({ kind, detail }) => kind !== 'claim-type' || !/^(?:exp|nbf|iat) /u.test(detail))
    guard(isTyped, 'A time of a token is not a number.')
  }
  await judgeTokens(bench, samples, { kinds, expected, reads: 'claims' })
}
