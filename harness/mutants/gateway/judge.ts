import type { Report } from '../../model/result.ts'
import { runGateway } from '../../runner/gateway-run.ts'
import type { Selection } from '../../runner/options.ts'
import { embeddedGateway } from '../../targets/embedded-gateway.ts'
import type { GatewayTarget, GatewayTargetSettings } from '../../targets/gateway-target.ts'
import { GATEWAY_SUITES } from '../../../suites/catalog.ts'
import { failedIn } from '../matrix.ts'
import type { GatewayMutant } from './mutant.ts'

/** Longest wait for one answer of a mutant, in milliseconds. */
const DEADLINE_MS = 2_000

/** Runs every case of the gateway suites, or those selected, against one target. */
export async function judgeGateway(
  start: (settings: GatewayTargetSettings) => Promise<GatewayTarget> = embeddedGateway,
  select: Selection = {},
  deadlineMs: number = DEADLINE_MS,
): Promise<Report> {
  return await runGateway({
    suites: GATEWAY_SUITES,
    select,
    start,
    profile: {},
    seed: 1,
    deadlineMs,
    on: () => {
      // Progress is the caller's.
    },
    signal: new AbortController().signal,
  })
}

/** Full ids of the cases of the gateway suites that a mutant fails; a broken recommendation counts. */
export async function killsOfGateway(mutant: GatewayMutant, select: Selection = {}): Promise<readonly string[]> {
  return failedIn(await judgeGateway((settings) => embeddedGateway(settings, mutant.make), select))
}
