import { VERDICTS } from '../model/verdict.ts'
import type { Verdict } from '../model/verdict.ts'
import type { CaseResult, Finding, Report } from '../model/result.ts'
import { expiredOf, knownOf, staleOf } from './known.ts'
import { counted, paint, wrapped } from './text.ts'
import type { Style } from './text.ts'

/** Findings of one case that are printed; the JSON report has all of them. */
const MOST_FINDINGS = 3

const COLOURS: Readonly<Record<Verdict, Parameters<typeof paint>[1]>> = {
  'fail-open': ['bold', 'red'],
  'fail-crash': ['bold', 'red'],
  'fail-closed': ['bold', 'red'],
  fail: ['bold', 'red'],
  inconclusive: ['bold', 'magenta'],
  warn: 'yellow',
  pass: 'green',
  info: 'cyan',
  skip: 'gray',
}

/** What each verdict says, for the summary. */
export const MEANINGS: Readonly<Record<Verdict, string>> = {
  'fail-open': 'accepted what must be refused',
  'fail-crash': 'crashed, hung or answered 5xx where an answer was due',
  'fail-closed': 'refused what must be accepted',
  fail: 'answered otherwise than required',
  inconclusive: 'could not be established',
  warn: 'a recommendation (SHOULD) is broken',
  pass: 'as required',
  info: 'measured, no verdict',
  skip: 'not judged, for want of what is listed under "Not proven"',
}

/** The report for people: cause first, findings by suite, then the summary and what was not proven. */
export function formatReport(report: Report, style: Style, verbose: boolean): string {
  const parts = [
    causeOf(report, style),
    joined(suitesOf(report).map((cases) => suiteOf(cases, report, style, verbose))),
    behaviourOf(report, style),
    measuredOf(report, style, verbose),
    notProvenOf(report, style, verbose),
    staleOf(report, style),
    expiredOf(report, style),
    summaryOf(report, style),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function causeOf({ preflight }: Report, style: Style): string {
  const failed = preflight.checks.filter(({ ok }) => !ok)
  const cause = preflight.cause === undefined ? [] : [paint(style, ['bold', 'red'], wrapped('', preflight.cause, 0))]
  const notes = failed.map(({ name, detail }) => wrapped(`${name}: `, detail, 2))
  const heading = cause.length === 0 && notes.length > 0 ? ['Noticed before the first case:'] : []
  return [...cause, ...heading, ...notes].join('\n')
}

/** Suites with something to tell stand apart; the others take a line each. */
function joined(suites: readonly string[]): string {
  return suites.reduce((text, suite, at) => {
    const isApart = suite.includes('\n') || suites[at - 1]?.includes('\n')
    return at === 0 ? suite : `${text}${isApart ? '\n\n' : '\n'}${suite}`
  }, '')
}

function suitesOf({ cases }: Report): readonly (readonly CaseResult[])[] {
  return [...Map.groupBy(cases, ({ suite }) => suite).values()]
}

function isNoteworthy({ verdict }: CaseResult): boolean {
  return verdict !== 'pass' && verdict !== 'skip' && verdict !== 'info'
}

function suiteOf(cases: readonly CaseResult[], { preflight, subject }: Report, style: Style, verbose: boolean): string {
  const { cause } = preflight
  const [first] = cases
  const counts = VERDICTS.flatMap((verdict) => {
    const number = cases.filter((result) => result.verdict === verdict).length
    return number === 0 ? [] : [paint(style, COLOURS[verdict], `${number} ${verdict}`)]
  })
  const heading = `${paint(style, 'bold', first?.suite ?? '')}  ${counts.join(', ')}`
  const shared = sharedReason(cases)
  const shown = cases.filter(
    (result) => verbose || (isNoteworthy(result) && (shared === undefined || result.reason !== shared)),
  )
  const sum =
    shared === undefined || verbose
      ? []
      : [wrapped('', `All inconclusive ones: ${shared === cause ? 'for the cause above.' : shared}`, 2)]
  return [heading, ...sum, ...shown.map((result) => caseOf(result, subject, style, verbose))].join('\n')
}

/** The one reason for which more than two cases of a suite are inconclusive. */
function sharedReason(cases: readonly CaseResult[]): string | undefined {
  const reasons = cases.flatMap(({ verdict, reason }) =>
    verdict === 'inconclusive' && reason !== undefined ? [reason] : [],
  )
  const [first] = reasons
  return reasons.length > 2 && reasons.every((reason) => reason === first) ? first : undefined
}

/** One case for people, with its findings. */
export function caseOf(result: CaseResult, subject: Report['subject'], style: Style, verbose: boolean): string {
  const { id, title, verdict, nature, reason, upcoming, level } = result
  const word = paint(style, COLOURS[verdict], nature === undefined ? verdict : `${verdict} (${nature})`)
  const mark = upcoming === undefined ? '' : paint(style, 'gray', `, upcoming: counts from ${upcoming} on`)
  const lines = [`  ${word}  ${paint(style, 'bold', id)}  ${level}${mark}`]
  if (!isNoteworthy(result) && !verbose) return lines.join('\n')
  lines.push(wrapped('', `The ${subject} ${title}.`, 4))
  // What is accepted is no news.
  if (result.known?.accepted === true && !verbose) return [...lines, ...knownOf(result)].join('\n')
  if (isNoteworthy(result) && result.findings.length > 0) {
    for (const { title: clause, url } of result.clause) lines.push(wrapped('required by  ', `${clause}  ${url}`, 4))
  }
  if (reason !== undefined) lines.push(wrapped('because      ', reason, 4))
  // What is new is what somebody has to look at.
  const findings = result.findings.toSorted((one, other) => Number(one.known ?? false) - Number(other.known ?? false))
  for (const finding of findings.slice(0, MOST_FINDINGS)) lines.push(findingOf(finding))
  const more = result.findings.length - MOST_FINDINGS
  if (more > 0) lines.push(`    and ${counted(more, 'more stimulus', 'more stimuli')}: see --json`)
  if (result.findings.length > 0) lines.push(wrapped('remedy       ', result.remedy, 4))
  lines.push(...knownOf(result))
  return lines.join('\n')
}

function findingOf({ stimulus, expected, observed, evidence }: Finding): string {
  const curl = evidence?.curl
  return [
    wrapped('stimulus     ', stimulus, 4),
    wrapped('expected     ', expected, 4),
    wrapped('observed     ', observed, 4),
    // Never wrapped, so that it can be copied.
    ...(curl === undefined ? [] : [`    reproduce    ${curl}`]),
  ].join('\n')
}

/** The behaviour profile, a line for each property. */
function behaviourOf({ behaviour }: Report, style: Style): string {
  if (behaviour.length === 0) return ''
  const lines = behaviour.map(({ title, value, unit, why }) => {
    const text = typeof value === 'boolean' ? (value ? 'yes' : 'no') : value
    const shown =
      text === undefined ? paint(style, 'gray', `not measured: ${why ?? ''}`) : `${text}${unit ? ` ${unit}` : ''}`
    return wrapped('', `${title}: ${shown}`, 2)
  })
  return [paint(style, 'bold', 'Behaviour, as measured'), ...lines].join('\n')
}

function measuredOf({ cases, preflight, subject }: Report, style: Style, verbose: boolean): string {
  const values = (verbose ? cases : []).flatMap(({ id, measured }) =>
    Object.entries(measured).map(([name, value]) => wrapped(`${name}: `, `${value}  (${id})`, 2)),
  )
  const offset = preflight.clockOffsetSec
  const clock =
    offset === undefined || offset === 0 ? [] : [`  clock of the ${subject}: ${offset > 0 ? '+' : ''}${offset} s`]
  return values.length + clock.length === 0 ? '' : [paint(style, 'bold', 'Measured'), ...clock, ...values].join('\n')
}

function notProvenOf({ notProven }: Report, style: Style, verbose: boolean): string {
  if (notProven.length === 0) return ''
  const lines = notProven.flatMap(({ unlock, says, cases }) => [
    wrapped('- ', `${counted(cases.length, 'case or stimulus needs', 'cases or stimuli need')} ${says}: ${unlock}`, 2),
    ...(verbose ? cases.map((id) => `      ${id}`) : []),
  ])
  return [paint(style, 'bold', 'Not proven, and what would prove it'), ...lines].join('\n')
}

function summaryOf(report: Report, style: Style): string {
  const { summary, cases, seed, requests, durationMs, exit, edition } = report
  const verdicts = VERDICTS.filter((verdict) => summary[verdict] > 0).map((verdict) => {
    const number = String(summary[verdict]).padStart(4)
    return `${paint(style, COLOURS[verdict], `${number} ${verdict.padEnd(12)}`)}  ${MEANINGS[verdict]}`
  })
  const must = cases.filter(({ level, upcoming }) => level === 'MUST' && upcoming === undefined)
  const later = cases.filter(({ upcoming }) => upcoming !== undefined).length
  const met = must.filter(({ verdict }) => verdict === 'pass').length
  const ofEdition = edition === undefined ? '' : ` of edition ${edition}`
  const stimuli = cases.reduce((sum, result) => sum + result.stimuli, 0)
  const colour = exit.code === 0 ? ('green' as const) : ('red' as const)
  return [
    paint(style, 'bold', 'Summary'),
    ...verdicts,
    `  ${met} of ${must.length} requirements (MUST)${ofEdition} proven; ${counted(stimuli, 'stimulus', 'stimuli')} judged.`,
    ...(later > 0 ? [`  ${counted(later, 'case')} not in it yet: upcoming, and without a say in the exit code.`] : []),
    `  ${counted(requests, 'request')} in ${(durationMs / 1000).toFixed(2)} s; seed ${seed} (give it back with --seed ${seed}).`,
    paint(style, ['bold', colour], `Exit code ${exit.code}: ${exit.meaning}`),
  ].join('\n')
}
