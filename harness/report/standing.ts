import type { CaseResult } from '../model/result.ts'
import { isFailure } from '../model/verdict.ts'

/**
 * How the result of a case counts for whoever decides by the report. `failed`, `warned` and `unclear` are broken
 * requirements, broken recommendations and what could not be established; `accepted` and `upcoming` are any of these
 * that cannot fail the run.
 */
export type Standing = 'failed' | 'warned' | 'unclear' | 'accepted' | 'upcoming' | 'passed' | 'measured' | 'skipped'

/** The standing of a result. */
export function standingOf({ verdict, known, upcoming }: CaseResult): Standing {
  if (verdict === 'pass') return 'passed'
  if (verdict === 'skip') return 'skipped'
  if (verdict === 'info') return 'measured'
  if (upcoming !== undefined) return 'upcoming'
  if (known?.accepted === true) return 'accepted'
  if (isFailure(verdict)) return 'failed'
  return verdict === 'warn' ? 'warned' : 'unclear'
}
