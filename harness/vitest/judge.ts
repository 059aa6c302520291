import type { Subject } from '../model/case.ts'
import type { CaseResult, Report } from '../model/result.ts'
import type { Verdict } from '../model/verdict.ts'
import { caseOf } from '../report/console.ts'

/** What the test of a case says. */
export interface Said {
  readonly kind: 'pass' | 'warning' | 'skip' | 'fail'
  /** The finding or the reason, with credentials redacted. */
  readonly text: string
}

/** What a test says of a result: it fails where the result would fail a run that fails on these verdicts. */
export function judge(result: CaseResult, subject: Subject, failOn: readonly Verdict[]): Said {
  const { verdict, level, known, upcoming } = result
  if (verdict === 'pass' || verdict === 'info') return { kind: 'pass', text: '' }
  if (verdict === 'skip') return { kind: 'skip', text: whySkipped(result) }
  const text = caseOf(result, subject, { colour: false }, true)
    .split('\n')
    .map((line) => line.trim())
    .join('\n')
  if (known?.accepted === true || upcoming !== undefined) return { kind: 'warning', text }
  const isAsked = verdict !== 'inconclusive' || level === 'MUST'
  if (isAsked && failOn.includes(verdict)) return { kind: 'fail', text }
  return { kind: 'warning', text }
}

/** Why the report as a whole does not count, though no case of it fails: undefined where it does. */
export function whyWorthless({ cases, stale }: Report, failOn: readonly Verdict[]): string | undefined {
  if (failOn.length === 0) return undefined
  const [first] = stale
  if (first) return `${first.case} is no longer ${first.verdict}: strike it from the accepted findings.`
  const due = cases.filter(({ upcoming }) => upcoming === undefined)
  const isJudged = due.some(({ verdict }) => verdict !== 'skip' && verdict !== 'inconclusive')
  return isJudged ? undefined : 'Nothing was judged, so nothing is proven.'
}

function whySkipped({ missing, reason }: CaseResult): string {
  if (missing.length === 0) return reason ?? ''
  return missing.map(({ says, unlock }) => `needs ${says}: ${unlock}`).join('; ')
}
