import type { ConformanceCase } from '../../harness/model/case.ts'
import { replayable, untilExpired } from './means.ts'

/** Cases about the life of a token on its way. */
export const expiryCases: readonly ConformanceCase<'chain'>[] = [
  {
    id: 'token-expires-at-origin',
    title: 'refuses a token of the gateway that was captured, once it has expired',
    level: 'MUST',
    clause: ['rfc7519/exp'],
    needs: ['key', 'tap', 'direct', 'token-passage'],
    runs: 'alone',
    rationale: 'A token that leaked on the way or from a log is worth as long as the origin takes it.',
    remedy: 'Compare exp with the current time on every request, also where the outcome of a verification is cached.',
    async run(bench) {
      const token = await replayable(bench, { key: await bench.freshKey() }, 'the captured token before it expires')
      await bench.elapse(untilExpired(bench, token))
      await bench.refuses({ token: token.compact }, 'the captured token after it has expired')
      await bench.accepts({}, 'a call after that')
    },
  },
]
