import type { Judgement } from '../model/bench.ts'
import { FAILURES } from '../model/verdict.ts'
import type { Failure } from '../model/verdict.ts'
import type { NotProven, TimelineEntry } from '../model/result.ts'
import type { Exchange } from './exchange.ts'

/** One stimulus that was not answered as required, with the exchange that showed it. */
export interface RawFinding extends Judgement {
  readonly failure: Failure
  readonly exchange?: Exchange
}

/** What one run of a case came to. */
export interface CaseOutcome {
  readonly findings: readonly RawFinding[]
  /** Why the case proves nothing; with findings, they count first. */
  readonly inconclusive?: string
  /** Why it cannot be judged here. */
  readonly notApplicable?: string
  readonly notProven: readonly NotProven[]
  /** Stimuli sent and judged. */
  readonly stimuli: number
  readonly measured: Readonly<Record<string, string | number | boolean>>
  /** In order of time; missing where nothing happened beside the stimuli. */
  readonly timeline?: readonly TimelineEntry[]
}

/** The worst way in which the case failed; undefined when it did not. */
export function worstOf(findings: readonly { readonly failure: Failure }[]): Failure | undefined {
  return FAILURES.find((failure) => findings.some((finding) => finding.failure === failure))
}
