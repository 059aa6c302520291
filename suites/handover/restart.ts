import type { ConformanceCase } from '../../harness/model/case.ts'
import { past } from './means.ts'

/** Cases about a gateway that is started again. */
export const restartCases: readonly ConformanceCase<'chain'>[] = [
  {
    id: 'gateway-restart',
    title: 'serves again after the gateway has restarted, within the cooldown at the latest',
    level: 'SHOULD',
    clause: ['rfc7517/kid', 'trust/off-path'],
    needs: ['key', 'restart'],
    runs: 'alone',
    rationale: 'A gateway that makes a new key at every start, under a name that origins know, locks itself out.',
    remedy: 'Keep signing keys beyond a restart, or give each key a kid of its own.',
    async run(bench) {
      const { accepts, observes, direct, tokenOf, underLoad, revived, hooks, records, guard, can, origin, elapse } =
        bench
      const token = tokenOf(await accepts({}, 'a call before the restart'))?.compact
      const isUseful =
        token !== undefined &&
        bench.unreachable === undefined &&
        (await direct({ token }, 'the captured token before the restart')).outcome === 'accepted'
      const answers = await underLoad(hooks.restart, 'calls while the gateway restarts')
      records('calls during the restart', answers.length)
      records('of them not accepted', answers.filter(({ outcome }) => outcome !== 'accepted').length)
      guard(await revived(), 'The gateway did not answer again within 3 s after the restart.')
      const { answer } = await observes({}, 'a call after the restart')
      if (isUseful) {
        const { outcome, status } = await direct({ token }, 'the captured token after the restart')
        records('token of before the restart', outcome === 'accepted' ? 'accepted' : `status ${status}`)
      }
      const stimulus = 'a call after the restart and the cooldown'
      records('accepted at once', answer.outcome === 'accepted')
      if (answer.outcome !== 'accepted') {
        guard(can('jwks-cooldown', stimulus), 'A call after the restart was refused, and no cooldown is declared.')
        await elapse(past(bench, origin.jwks?.cooldownSec ?? 0))
      }
      await accepts({}, answer.outcome === 'accepted' ? 'another call after the restart' : stimulus)
    },
  },
]
