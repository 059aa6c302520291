import { worstOf } from '../bench/outcome.ts'
import type { CaseOutcome, RawFinding } from '../bench/outcome.ts'
import type { Capability } from '../model/capabilities.ts'
import { CLAUSES } from '../model/clauses.ts'
import { REPORT_VERSION } from '../model/result.ts'
import type { CaseResult, ExpectedFinding, Finding, Report } from '../model/result.ts'
import { VERDICTS } from '../model/verdict.ts'
import type { Failure, Level, Verdict } from '../model/verdict.ts'
import { formatEvidence } from '../report/evidence.ts'
import type { Budget } from './budget.ts'
import { exitOf } from './exit.ts'
import { expiredOf, recognised, staleOf } from './expected.ts'
import type { Expectations } from './expected.ts'
import type { GateOptions } from './options.ts'
import type { PlannedFrame } from './select.ts'
import { packageVersion } from './version.ts'

/** What results need to know of the run. */
export interface Context extends Expectations {
  readonly origin: string
  readonly capabilities: ReadonlySet<string>
  /** What each capability of the subject is, and what unlocks it. */
  readonly says: Readonly<Record<string, Capability>>
  /** Cases that do not count yet, and the edition from which on they do. */
  readonly upcoming: Readonly<Record<string, string>>
  /** The capability without which refusals prove nothing. */
  readonly noKey: string
}

/** What of a context follows from the gate of a run: `own` are the findings that the target brings along. */
export function gateContext(
  { baseline = [], edition }: GateOptions,
  own: readonly ExpectedFinding[],
  at: Date,
): Expectations & Pick<Context, 'upcoming'> {
  return {
    expected: [...baseline, ...own],
    today: at.toISOString().slice(0, 10),
    upcoming: edition?.upcoming ?? {},
  }
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
  const findings = outcome.findings.map((finding) => findingOf(finding, context))
  const locked = verdict === 'skip' && outcome.stimuli <= 0 && !context.capabilities.has(context.noKey)
  return {
    ...base,
    verdict,
    ...(verdict === 'warn' && worst ? { nature: worst } : {}),
    ...(reason === undefined ? {} : { reason }),
    missing: locked ? [missingPart(context.noKey, context)] : [],
    ...recognised({ id: base.id, verdict, findings }, context),
    notProven: outcome.notProven,
    stimuli: outcome.stimuli,
    measured: outcome.measured,
    durationMs: Math.round(durationMs),
    ...(outcome.timeline ? { timeline: outcome.timeline } : {}),
  }
}

function verdictOf(
  level: Level,
  worst: Failure | undefined,
  outcome: CaseOutcome,
): { readonly verdict: Verdict; readonly reason?: string } {
  // A MAY is judged where it is declared, and then what is declared has to be so.
  if (worst && level !== 'INFO') {
    const { inconclusive: reason } = outcome
    return { verdict: level === 'SHOULD' ? 'warn' : worst, ...(reason === undefined ? {} : { reason }) }
  }
  if (outcome.notApplicable !== undefined) return { verdict: 'skip', reason: outcome.notApplicable }
  if (outcome.inconclusive !== undefined) return { verdict: 'inconclusive', reason: outcome.inconclusive }
  return { verdict: level === 'INFO' ? 'info' : 'pass' }
}

function missingPart(capability: string, { says }: Context): CaseResult['missing'][number] {
  return { capability, ...(says[capability] ?? { says: capability, unlock: capability }) }
}

function frame({ id, suite, subject }: PlannedFrame, context: Context) {
  const upcoming = Object.hasOwn(context.upcoming, id) ? context.upcoming[id] : undefined
  return {
    id,
    suite: suite.id,
    title: subject.title,
    level: levelOf({ id, suite, subject }, context.capabilities),
    clause: subject.clause.map((clause) => ({ id: clause, ...CLAUSES[clause] })),
    rationale: subject.rationale,
    remedy: subject.remedy,
    snippets: { ...subject.snippets },
    ...(upcoming === undefined ? {} : { upcoming }),
  }
}

function findingOf({ exchange, ...finding }: RawFinding, { origin }: Context): Finding {
  if (!exchange) return finding
  const evidence = formatEvidence({
    method: exchange.method,
    url: `${exchange.base ?? origin}${exchange.target}`,
    headers: exchange.headers,
    ...(exchange.body === undefined ? {} : { requestBody: textOf(exchange.body) }),
    answer: exchange.answer,
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

/** The pre-flight as a report tells it. */
export function flightOf(
  { checks, cause }: Pick<Report['preflight'], 'checks' | 'cause'>,
  offsetSec: number | undefined,
  algorithms: Report['preflight']['algorithms'] = [],
): Report['preflight'] {
  return {
    checks,
    ...(cause === undefined ? {} : { cause }),
    ...(offsetSec === undefined ? {} : { clockOffsetSec: offsetSec }),
    algorithms,
  }
}

/** The report of a run that has ended: what it was about, and what follows from its cases. */
export function reportOf(
  run: Pick<Report, 'subject' | 'seed' | 'preflight' | 'cases' | 'behaviour'> & {
    readonly target: Report['target']
    readonly budget: Budget
    readonly expectations: Expectations
    readonly started: { readonly at: Date; readonly ms: number }
    readonly capabilities: ReadonlySet<string>
  },
  { failOn, edition }: GateOptions,
): Report {
  const { subject, target, budget, started, seed, preflight, capabilities, cases, behaviour, expectations } = run
  const stale = staleOf(cases, expectations.expected)
  const expired = expiredOf(cases, expectations)
  return {
    version: REPORT_VERSION,
    tool: { name: 'trustspec', version: packageVersion() },
    subject,
    target: { kind: target.kind, url: target.url, ...(target.name === undefined ? {} : { name: target.name }) },
    startedAt: started.at.toISOString(),
    durationMs: Math.round(performance.now() - started.ms),
    seed,
    ...(edition ? { edition: edition.name } : {}),
    requests: budget.sent,
    preflight,
    capabilities: [...capabilities],
    cases,
    behaviour,
    summary: summaryOf(cases),
    notProven: lockedOf(cases),
    stale,
    ...(expired.length > 0 ? { expired } : {}),
    exit: exitOf({ cases, stale, expired }, failOn),
  }
}
