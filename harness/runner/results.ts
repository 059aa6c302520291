import { worstOf } from '../bench/outcome.ts'
import type { CaseOutcome, RawFinding } from '../bench/outcome.ts'
import type { Capability } from '../model/capabilities.ts'
import { CLAUSES } from '../model/clauses.ts'
import { REPORT_VERSION } from '../model/result.ts'
import type { CaseResult, ExpectedFinding, Finding, Report } from '../model/result.ts'
import { EXIT, isFailure, VERDICTS } from '../model/verdict.ts'
import type { Failure, Level, Verdict } from '../model/verdict.ts'
import { formatEvidence } from '../report/evidence.ts'
import type { PlannedFrame } from './select.ts'
import { packageVersion } from './version.ts'

/** What results need to know of the run. */
export interface Context {
  readonly origin: string
  readonly capabilities: ReadonlySet<string>
  /** What each capability of the subject is, and what unlocks it. */
  readonly says: Readonly<Record<string, Capability>>
  readonly expected: readonly ExpectedFinding[]
  /** The user's credentials and their parts, for redaction. */
  readonly secrets: readonly string[]
  /** The capability without which refusals prove nothing. */
  readonly noKey: string
}

/** The level of a case where its condition is missing. */
export function levelOf({ subject }: PlannedFrame, capabilities: ReadonlySet<string>): Level {
  const { drops, level } = subject
  return drops && !capabilities.has(drops.without) ? drops.to : level
}

/** Needs of the case that are not met. */
export function missingOf({ subject }: PlannedFrame, capabilities: ReadonlySet<string>): string[] {
  return subject.needs.filter((need) => !capabilities.has(need))
}

/** The result of a case that was not run. */
export function unjudged(
  planned: PlannedFrame,
  context: Context,
  verdict: 'skip' | 'inconclusive',
  reason: string,
  missing: readonly string[] = [],
): CaseResult {
  return {
    ...frame(planned, context),
    verdict,
    reason,
    missing: missing.map((capability) => missingPart(capability, context)),
    findings: [],
    notProven: [],
    stimuli: 0,
    measured: {},
    durationMs: 0,
  }
}

/** The result of a case that was run. */
export function resultOf(
  planned: PlannedFrame,
  outcome: CaseOutcome,
  durationMs: number,
  context: Context,
): CaseResult {
  const base = frame(planned, context)
  const worst = worstOf(outcome.findings)
  const { verdict, reason } = verdictOf(base.level, worst, outcome)
  const known = context.expected.find((entry) => entry.case === base.id && entry.verdict === verdict)
  const locked = verdict === 'skip' && outcome.stimuli <= 0 && !context.capabilities.has(context.noKey)
  return {
    ...base,
    verdict,
    ...(verdict === 'warn' && worst ? { nature: worst } : {}),
    ...(reason === undefined ? {} : { reason }),
    missing: locked ? [missingPart(context.noKey, context)] : [],
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

function missingPart(capability: string, { says }: Context): CaseResult['missing'][number] {
  return { capability, ...(says[capability] ?? { says: capability, unlock: capability }) }
}

function frame({ id, suite, subject }: PlannedFrame, context: Context) {
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
    url: `${exchange.base ?? origin}${exchange.target}`,
    headers: exchange.headers,
    ...(exchange.body === undefined ? {} : { requestBody: textOf(exchange.body) }),
    answer: exchange.answer,
    secrets,
  })
  return { ...finding, evidence }
}

function textOf(body: string | Uint8Array): string {
  return typeof body === 'string' ? body : Buffer.from(body).toString('latin1')
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

/** The report of a run that has ended: what it was about, and what follows from its cases. */
export function reportOf(
  run: Pick<Report, 'subject' | 'seed' | 'requests' | 'preflight' | 'cases' | 'behaviour'> & {
    readonly target: Report['target'] & { readonly expected: readonly ExpectedFinding[] }
    readonly started: { readonly at: Date; readonly ms: number }
    readonly capabilities: ReadonlySet<string>
  },
  options: Parameters<typeof exitOf>[1],
): Report {
  const { subject, target, started, seed, requests, preflight, capabilities, cases, behaviour } = run
  const stale = staleOf(cases, target.expected)
  return {
    version: REPORT_VERSION,
    tool: { name: 'trustspec', version: packageVersion() },
    subject,
    target: { kind: target.kind, url: target.url, ...(target.name === undefined ? {} : { name: target.name }) },
    startedAt: started.at.toISOString(),
    durationMs: Math.round(performance.now() - started.ms),
    seed,
    requests,
    preflight,
    capabilities: [...capabilities],
    cases,
    behaviour,
    summary: summaryOf(cases),
    notProven: lockedOf(cases),
    stale,
    exit: exitOf({ cases, stale, preflight }, options),
  }
}
