import type { CaseResult, Report } from '../model/result.ts'
import { EXIT, FAILS_BY_DEFAULT, FAILURES, isFailure } from '../model/verdict.ts'
import type { Verdict } from '../model/verdict.ts'
import { BUDGET } from './budget.ts'

/** One kind of thing that may fail a run, and how often it is there. */
interface Count {
  readonly says: string
  readonly fails: boolean
  /** Whether it is no requirement, so that requirements may all be met in spite of it. */
  readonly isMinor: boolean
}

/**
 * The exit code and what it means, in one sentence. `failOn` are the verdicts that fail the run; none: nothing does.
 * What does not fail it is told all the same, so that no green run claims more than it proved.
 */
export function exitOf(
  report: Pick<Report, 'cases' | 'stale'> & { readonly expired: NonNullable<Report['expired']> },
  failOn: readonly Verdict[] = FAILS_BY_DEFAULT,
): Report['exit'] {
  const due = report.cases.filter(({ upcoming }) => upcoming === undefined)
  const counts = [...verdictCounts(due, failOn), ...listCounts(report, failOn.length > 0)]
  const failing = counts.filter(({ fails }) => fails)
  if (failing.length > 0) return { code: EXIT.nonconformity, meaning: `${listed(failing)}.` }
  const isJudged = due.some(({ verdict }) => verdict !== 'skip' && verdict !== 'inconclusive')
  if (!isJudged && failOn.length > 0) {
    return { code: EXIT.nonconformity, meaning: 'Nothing was judged, so nothing is proven.' }
  }
  return { code: EXIT.conforms, meaning: greenMeaning(due, counts, isJudged) }
}

function verdictCounts(due: readonly CaseResult[], failOn: readonly Verdict[]): readonly Count[] {
  const open = due.filter(({ known }) => known?.accepted !== true)
  const musts = open.filter(({ level }) => level === 'MUST')
  const broken = open.filter(({ verdict }) => isFailure(verdict))
  const failing = broken.filter(({ verdict }) => failOn.includes(verdict))
  const others = broken.length - failing.length
  const spared = FAILURES.filter(
    (verdict) => broken.some((one) => one.verdict === verdict) && !failOn.includes(verdict),
  )
  const unclear = musts.filter(({ verdict }) => verdict === 'inconclusive').length
  const left = musts.filter(isForBudget).length
  const warned = open.filter(({ verdict }) => verdict === 'warn').length
  const isUnclearBad = failOn.includes('inconclusive')
  return [
    ...counted(failing.length, 'requirement', 'broken', true),
    ...counted(others, 'requirement', `broken (${spared.join(', ')})`, false),
    ...counted(warned, 'recommendation', 'broken', failOn.includes('warn')).map((one) => ({ ...one, isMinor: true })),
    ...counted(unclear, 'requirement', 'not established', isUnclearBad),
    // It could have been judged: to call that a skip as others are would let a budget of 1 pass for conformity.
    ...counted(left, 'requirement', 'not judged for want of a budget', isUnclearBad),
  ]
}

function listCounts({ stale, expired }: Parameters<typeof exitOf>[0], fails: boolean): readonly Count[] {
  return [
    ...counted(
      stale.length,
      'accepted finding',
      stale.length === 1 ? 'that no longer shows' : 'that no longer show',
      fails,
    ),
    ...counted(
      expired.length,
      'accepted finding',
      expired.length === 1 ? 'that has expired' : 'that have expired',
      fails,
    ),
  ]
}

/** What a green run says, with what it was told to overlook. */
function greenMeaning(due: readonly CaseResult[], counts: readonly Count[], isJudged: boolean): string {
  const overlooked = counts.filter(({ isMinor }) => !isMinor)
  if (overlooked.length > 0) return `Nothing that fails this run; left aside: ${listed(overlooked)}.`
  if (!isJudged) return 'Nothing was judged, which does not fail this run.'
  const unjudged = due.filter(({ verdict, level }) => verdict === 'skip' && level === 'MUST').length
  if (unjudged === 0) return 'Every requirement was met, or is an accepted finding.'
  const left = `${unjudged} requirement${unjudged === 1 ? '' : 's'} not judged, as listed above`
  return `Every requirement that was judged was met, or is an accepted finding; ${left}.`
}

function isForBudget({ verdict, missing }: CaseResult): boolean {
  return verdict === 'skip' && missing.some(({ capability }) => capability === BUDGET)
}

function counted(number: number, noun: string, what: string, fails: boolean): readonly Count[] {
  return number === 0 ? [] : [{ says: `${number} ${noun}${number === 1 ? '' : 's'} ${what}`, fails, isMinor: false }]
}

function listed(counts: readonly Count[]): string {
  return counts.map(({ says }) => says).join(', ')
}
