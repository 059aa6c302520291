import { isFailure } from '../model/verdict.ts'
import type { Report } from '../model/result.ts'
import { embeddedKeys } from '../../fixtures/keys/keys.ts'
import { runOrigin } from '../runner/run.ts'
import { embeddedTarget } from '../targets/embedded.ts'
import type { Target, TargetSettings } from '../targets/target.ts'
import { SUITES } from '../../suites/catalog.ts'
import type { Mutant } from './mutant.ts'

/** Longest wait for one answer of a mutant, in milliseconds. */
const DEADLINE_MS = 2_000

/** Runs every case against one target, as the command line does without arguments. */
export async function judge(
  start: (settings: TargetSettings) => Promise<Target>,
  deadlineMs: number = DEADLINE_MS,
): Promise<Report> {
  return await runOrigin({
    suites: SUITES,
    select: {},
    start,
    control: { kind: 'issuer', keys: embeddedKeys(), port: 0 },
    profile: {},
    seed: 1,
    deadlineMs,
    strict: false,
    allowInconclusive: false,
    on: () => {
      // Progress is the caller's.
    },
    signal: new AbortController().signal,
  })
}

/** Full ids of the cases that a mutant fails; a broken recommendation counts. */
export async function killsOf(mutant: Mutant): Promise<readonly string[]> {
  const report = await judge((settings) => embeddedTarget(settings, mutant.steps))
  return failedIn(report)
}

/** Whether a mutant fails exactly what it is declared to fail. */
export function isAsDeclared({ kills, spills }: Mutant, killed: readonly string[]): boolean {
  return kills.every((id) => killed.includes(id)) && (spills === true || killed.length === kills.length)
}

/** Full ids of the failed cases. */
export function failedIn(report: Report): readonly string[] {
  return report.cases.filter(({ verdict }) => isFailure(verdict) || verdict === 'warn').map(({ id }) => id)
}
