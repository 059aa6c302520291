import { isFailure } from '../model/verdict.ts'
import type { Report } from '../model/result.ts'
import type { Selection } from '../runner/options.ts'
import { embeddedKeys } from '../../fixtures/keys/keys.ts'
import { runOrigin } from '../runner/run.ts'
import { embeddedTarget } from '../targets/embedded.ts'
import type { Target, TargetSettings } from '../targets/target.ts'
import { SUITES } from '../../suites/catalog.ts'
import type { Mutant } from './mutant.ts'

/** Longest wait for one answer of a mutant, in milliseconds. */
const DEADLINE_MS = 2_000

/** Runs every case, or those selected, against one target, as the command line does without arguments. */
export async function judge(
  start: (settings: TargetSettings) => Promise<Target>,
  select: Selection = {},
  deadlineMs: number = DEADLINE_MS,
): Promise<Report> {
  return await runOrigin({
    suites: SUITES,
    select,
    start,
    control: { kind: 'issuer', keys: embeddedKeys(), port: 0 },
    profile: {},
    seed: 1,
    deadlineMs,
    on: () => {
      // Progress is the caller's.
    },
    signal: new AbortController().signal,
  })
}

/** Full ids of the cases that a mutant fails, of all or of those selected; a broken recommendation counts. */
export async function killsOf(mutant: Mutant, select: Selection = {}): Promise<readonly string[]> {
  return failedIn(await judge((settings) => embeddedTarget(settings, mutant.steps), select))
}

/**
 * The suites of the cases that a mutant fails, which the tests run; `npm run mutants` runs all, at seven times the
 * price, and so finds a mutant that has come to fail a case of another suite.
 */
export function suitesOf({ kills, whole }: Pick<Mutant, 'kills' | 'whole'>): Selection {
  return whole ? {} : { suites: [...new Set(kills.map((id) => id.slice(0, id.lastIndexOf('/'))))] }
}

/** Whether a mutant fails exactly what it is declared to fail. */
export function isAsDeclared({ kills, spills }: Pick<Mutant, 'kills' | 'spills'>, killed: readonly string[]): boolean {
  return kills.every((id) => killed.includes(id)) && (spills === true || killed.length === kills.length)
}

/** Full ids of the failed cases. */
export function failedIn(report: Report): readonly string[] {
  return report.cases.filter(({ verdict }) => isFailure(verdict) || verdict === 'warn').map(({ id }) => id)
}
