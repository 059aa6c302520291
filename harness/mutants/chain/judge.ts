import type { Report } from '../../model/result.ts'
import { runChain } from '../../runner/chain-run.ts'
import type { Selection } from '../../runner/options.ts'
import { embeddedChain } from '../../targets/embedded-chain.ts'
import type { ChainTarget, ChainTargetSettings } from '../../targets/chain-target.ts'
import { CHAIN_SUITES } from '../../../suites/catalog.ts'
import { failedIn } from '../matrix.ts'
import type { ChainMutant } from './mutant.ts'

/** Longest wait for one answer of a mutant, in milliseconds. */
const DEADLINE_MS = 2_000

/** Runs every case of the chain, or those selected, against one target. */
export async function judgeChain(
  start: (settings: ChainTargetSettings) => Promise<ChainTarget> = embeddedChain,
  select: Selection = {},
  deadlineMs: number = DEADLINE_MS,
): Promise<Report> {
  return await runChain({
    suites: CHAIN_SUITES,
    select,
    start,
    gateway: {},
    origin: {},
    seed: 1,
    deadlineMs,
    on: () => {
      // Progress is the caller's.
    },
    signal: new AbortController().signal,
  })
}

/** Full ids of the cases of the chain that a mutant fails; a broken recommendation counts. */
export async function killsOfChain(mutant: ChainMutant, select: Selection = {}): Promise<readonly string[]> {
  return failedIn(await judgeChain((settings) => embeddedChain(settings, mutant), select))
}
