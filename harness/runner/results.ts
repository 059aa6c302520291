import { worstOf } from '../bench/outcome.ts'
import type { CaseOutcome, RawFinding } from '../bench/outcome.ts'
import { ORIGIN_CAPABILITIES } from '../model/capabilities.ts'
import type { OriginCapability } from '../model/capabilities.ts'
import { CLAUSES } from '../model/clauses.ts'
import type { CaseResult, ExpectedFinding, Finding, Report } from '../model/result.ts'
import { EXIT, isFailure, VERDICTS } from '../model/verdict.ts'
import type { Failure, Level, Verdict } from '../model/verdict.ts'
import { formatEvidence } from '../report/evidence.ts'
import type { Planned } from './select.ts'

/** What results need to know of the run. */
export interface Context {
  readonly origin: string
  readonly capabilities: ReadonlySet<OriginCapability>
  readonly expected: readonly ExpectedFinding[]
  /** The user's credentials and their parts, for redaction. */
  readonly secrets: readonly string[]
}

/** The level of a case where its condition is missing. */
export function levelOf({ subject }: Planned, capabilities: ReadonlySet<OriginCapability>): Level {
  const { drops, level } = subject
  return drops && !capabilities.has(drops.without) ? drops.to : level
}

/** Needs of the case that are not met. */
export function missingOf({ subject }: Planned, capabilities: ReadonlySet<OriginCapability>): OriginCapability[] {
  return subject.needs.filter((need) => !capabilities.has(need))
}

/** The result of a case that was not run. */
export function unjudged(
  planned: Planned,
  context: Context,
  verdict: 'skip' | 'inconclusive',
  reason: string,
  missing: readonly OriginCapability[] = [],
): CaseResult {
  return {
    ...frame(planned, context),
    verdict,
    reason,
    missing: missing.map((capability) => ({ capability, ...ORIGIN_CAPABILITIES[capability] })),
    findings: [],
    notProven: [],
    stimuli: 0,
    measured: {},
    durationMs: 0,
  }
}

/** The result of a case that was run. */
export function resultOf(planned: Planned, outcome: CaseOutcome, durationMs: number, context: Context): CaseResult {
  const base = frame(planned, context)
  const worst = worstOf(outcome.findings)
  const { verdict, reason } = verdictOf(base.level, worst, outcome)
  const known = context.expected.find((entry) => entry.case === base.id && entry.verdict === verdict)
  const locked = verdict === 'skip' && outcome.stimuli <= 0 && !context.capabilities.has('control')
  return {
    ...base,
    verdict,
    ...(verdict === 'warn' && worst ? { nature: worst } : {}),
    ...(reason === undefined ? {} : { reason }),
    missing: locked ? [{ capability: 'control', ...ORIGIN_CAPABILITIES.control }] : [],
    findings: outcome.findings.map((finding) => findingOf(finding, context)),
    notProven: outcome.notProven,
    stimuli: outcome.stimuli,
    measured: outcome.measured,
    durationMs: Math.round(durationMs),
    ...(known ? { known } : {}),
  }
}

function verdictOf(
  level: Level,
  worst: Failure | undefined,
  outcome: CaseOutcome,
): { readonly verdict: Verdict; readonly reason?: string } {
  // A MAY is judged where it is declared, and then what is declared has to be so.
  if (worst && level !== 'INFO') return { verdict: level === 'SHOULD' ? 'warn' : worst }
  if (outcome.notApplicable !== undefined) return { verdict: 'skip', reason: outcome.notApplicable }
  if (outcome.inconclusive !== undefined) return { verdict: 'inconclusive', reason: outcome.inconclusive }
  return { verdict: level === 'INFO' ? 'info' : 'pass' }
}

function frame({ id, suite, subject }: Planned, context: Context) {
  return {
    id,
    suite: suite.id,
    title: subject.title,
    level: levelOf({ id, suite, subject }, context.capabilities),
    clause: subject.clause.map((clause) => ({ id: clause, ...CLAUSES[clause] })),
    rationale: subject.rationale,
    remedy: subject.remedy,
    snippets: { ...subject.snippets },
  }
}

function findingOf({ exchange, ...finding }: RawFinding, { origin, secrets }: Context): Finding {
  if (!exchange) return finding
  const evidence = formatEvidence({
    method: exchange.method,
    url: `${origin}${exchange.target}`,
    headers: exchange.headers,
    ...(exchange.body === undefined ? {} : { requestBody: exchange.body }),
    answer: exchange.answer,
    secrets,
  })
  return { ...finding, evidence }
}

/** How many cases came to each verdict. */
export function summaryOf(cases: readonly CaseResult[]): Report['summary'] {
  const summary = Object.fromEntries(VERDICTS.map((verdict) => [verdict, 0])) as Record<Verdict, number>
  for (const { verdict } of cases) summary[verdict] += 1
  return summary
}

/** What stayed locked, by the flag that unlocks it. */
export function lockedOf(cases: readonly CaseResult[]): Report['notProven'] {
  const byUnlock = new Map<string, { says: string; cases: string[] }>()
  const note = (unlock: string, says: string, what: string): void => {
    const entry = byUnlock.get(unlock) ?? { says, cases: [] }
    entry.cases.push(what)
    byUnlock.set(unlock, entry)
  }
  for (const { id, missing, notProven } of cases) {
    for (const { unlock, says } of missing) note(unlock, says, id)
    for (const { unlock, reason, stimulus } of notProven) {
      if (unlock !== undefined) note(unlock, reason.replace(/^needs /u, ''), `${id}: ${stimulus}`)
    }
  }
  return [...byUnlock].map(([unlock, { says, cases: locked }]) => ({ unlock, says, cases: locked }))
}

/** Accepted findings of selected cases that did not show as they were accepted. */
export function staleOf(
  cases: readonly CaseResult[],
  expected: readonly ExpectedFinding[],
): readonly ExpectedFinding[] {
  const judged = new Map(cases.map((result) => [result.id, result.verdict]))
  return expected.filter((entry) => {
    const verdict = judged.get(entry.case)
    return entry.accepted && verdict !== undefined && verdict !== 'skip' && verdict !== entry.verdict
  })
}

/** The exit code and what it means, in one sentence. */
export function exitOf(
  report: Pick<Report, 'cases' | 'stale' | 'preflight'>,
  options: { readonly strict: boolean; readonly allowInconclusive: boolean },
): Report['exit'] {
  const open = report.cases.filter(({ known }) => known?.accepted !== true)
  const failed = open.filter(({ verdict }) => isFailure(verdict)).length
  const warned = open.filter(({ verdict }) => verdict === 'warn').length
  const unclear = open.filter(({ verdict, level }) => verdict === 'inconclusive' && level === 'MUST').length
  const judged = report.cases.filter(({ verdict }) => verdict !== 'skip' && verdict !== 'inconclusive').length
  const reasons = [
    ...(failed > 0 ? [`${count(failed, 'requirement')} broken`] : []),
    ...(options.strict && warned > 0 ? [`${count(warned, 'recommendation')} broken under --strict`] : []),
    ...(unclear > 0 && !options.allowInconclusive ? [`${count(unclear, 'requirement')} not established`] : []),
    ...(report.stale.length > 0 ? [`${count(report.stale.length, 'accepted finding')} that no longer shows`] : []),
  ]
  if (reasons.length > 0) return { code: EXIT.nonconformity, meaning: `${reasons.join(', ')}.` }
  if (judged === 0) return { code: EXIT.nonconformity, meaning: 'Nothing was judged, so nothing is proven.' }
  const unjudged = report.cases.filter(({ verdict, level }) => verdict === 'skip' && level === 'MUST').length
  if (unjudged === 0) {
    return { code: EXIT.conforms, meaning: 'Every requirement was met, or is an accepted finding.' }
  }
  const left = `${count(unjudged, 'requirement')} not judged, as listed above`
  return {
    code: EXIT.conforms,
    meaning: `Every requirement that was judged was met, or is an accepted finding; ${left}.`,
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
