import type { Judgement } from '../model/bench.ts'
import type { Capability } from '../model/capabilities.ts'
import { Inconclusive, NotApplicable, TrustspecError } from '../model/errors.ts'
import { Stop } from './ledger.ts'
import type { Ledger } from './ledger.ts'
import type { CaseOutcome } from './outcome.ts'

/** What every bench gives a case to tell what it found, whatever is under test. */
export function tellingOf<C extends string>(
  ledger: Ledger,
  capabilities: ReadonlySet<C>,
  known: Readonly<Record<C, Capability>>,
) {
  return {
    judge(holds: boolean, judgement: Judgement): void {
      ledger.judge(holds, judgement)
    },
    guard(holds: boolean, otherwise: string): void {
      if (!holds) throw new Inconclusive(otherwise)
    },
    records(name: string, value: string | number | boolean): void {
      ledger.records(name, value)
    },
    can(capability: C, stimulus: string): boolean {
      if (capabilities.has(capability)) return true
      const { says, unlock } = known[capability]
      ledger.notProven(stimulus, `needs ${says}`, unlock)
      return false
    },
    notProven(stimulus: string, reason: string, unlock: string): void {
      ledger.notProven(stimulus, reason, unlock)
    },
  }
}

/** The outcome of a case with what it threw; ERR_HARNESS where that says that the case itself is broken. */
export function concluded(id: string, outcome: CaseOutcome, thrown: unknown): CaseOutcome {
  if (thrown instanceof NotApplicable) return { ...outcome, notApplicable: thrown.message }
  if (thrown !== undefined && !(thrown instanceof Inconclusive) && !(thrown instanceof Stop)) {
    throw new TrustspecError('ERR_HARNESS', 'A case is broken', { case: id }, { cause: thrown })
  }
  return outcome
}
