import type { CaseResult, Finding, Report } from '../model/result.ts'
import { VERDICTS } from '../model/verdict.ts'
import { MEANINGS } from './console.ts'
import { overdueOf } from './known.ts'
import type { Renderer } from './rendering.ts'
import { standingOf } from './standing.ts'
import type { Standing } from './standing.ts'
import { counted } from './text.ts'
import { excuseOf, newFirst, reasonOf, requirementOf, verdictOf } from './words.ts'

/** Octets of a job summary, below the 1,024 kiB from which on GitHub refuses it; other steps write there too. */
const MOST_OCTETS = 900_000

/** Findings of a case that are shown; the other formats have all of them. */
const MOST_FINDINGS = 5

/** Standings whose cases are listed, in this order. */
const LISTED: readonly (readonly [Standing, string])[] = [
  ['failed', 'Broken requirements'],
  ['unclear', 'Not established'],
  ['warned', 'Broken recommendations'],
  ['upcoming', 'Upcoming'],
  ['accepted', 'Accepted'],
]

/** Markdown as GitHub and GitLab show it, short enough for a job summary. */
export const renderMarkdown: Renderer = ({ reports }) => {
  const blocks = reports.flatMap(blocksOf)
  const kept: string[] = []
  let octets = 0
  for (const block of blocks) {
    octets += Buffer.byteLength(block) + 2
    if (octets > MOST_OCTETS) break
    kept.push(block)
  }
  const left = blocks.length - kept.length
  const rest =
    left === 0 ? [] : [`${counted(left, 'more part')} of this summary would be too much here: see the other reports.`]
  return `${[...kept, ...rest].join('\n\n')}\n`
}

function blocksOf(report: Report): readonly string[] {
  const { subject, target, exit, preflight, notProven, cases } = report
  const { stale, expired } = overdueOf(report)
  const { cause } = preflight
  const verdict = exit.code === 0 ? 'conforms' : 'does not conform'
  return [
    `## trustspec: the ${subject} ${verdict}`,
    `${code(target.name ?? target.url)}: ${inline(exit.meaning)}`,
    ...(cause === undefined ? [] : [`> [!CAUTION]\n> ${inline(cause)}`]),
    summaryOf(report),
    ...LISTED.flatMap(([standing, title]) => sectionOf(report, standing, title)),
    ...listOf('Accepted findings that no longer show', stale.map(inline)),
    ...listOf('Accepted findings that have expired', expired.map(inline)),
    ...listOf(
      'Not proven, and what would prove it',
      notProven.map(
        ({ unlock, says, cases: locked }) =>
          `${inline(says)}: ${inline(unlock)} (${counted(locked.length, 'case or stimulus', 'cases or stimuli')})`,
      ),
    ),
    `${counted(cases.length, 'case')}, ${counted(report.requests, 'request')}, ${(report.durationMs / 1000).toFixed(1)} s, seed ${report.seed}, trustspec ${report.tool.version}.`,
  ]
}

function summaryOf({ summary }: Report): string {
  const rows = VERDICTS.filter((verdict) => summary[verdict] > 0).map(
    (verdict) => `| ${verdict} | ${summary[verdict]} | ${MEANINGS[verdict]} |`,
  )
  return ['| verdict | cases | |', '| --- | ---: | --- |', ...rows].join('\n')
}

function sectionOf(report: Report, standing: Standing, title: string): readonly string[] {
  const results = report.cases.filter((result) => standingOf(result) === standing)
  if (results.length === 0) return []
  const byReason = Map.groupBy(results, ({ findings, reason }) => (findings.length === 0 ? reason : undefined))
  const parts = [...byReason].flatMap(([reason, same]) =>
    // One cause makes many cases inconclusive: it is told once.
    reason !== undefined && same.length > 2
      ? [`${counted(same.length, 'case')}: ${inline(reason)}\n\n${same.map(({ id }) => code(id)).join(', ')}`]
      : same.map((result) => caseOf(result, report)),
  )
  return [`### ${title} (${results.length})`, ...parts]
}

function caseOf(result: CaseResult, { subject }: Report): string {
  const { id, level, clause, findings, remedy } = result
  const standing = standingOf(result)
  const excuse = standing === 'accepted' || standing === 'upcoming' ? [inline(excuseOf(result))] : []
  const more = findings.length - MOST_FINDINGS
  return [
    `<details><summary><b>${verdictOf(result)}</b> <code>${html(id)}</code> ${level}: ${html(requirementOf(result, subject))}</summary>`,
    ...excuse,
    ...(findings.length === 0 ? [inline(reasonOf(result))] : []),
    ...newFirst(result).slice(0, MOST_FINDINGS).map(findingOf),
    ...(more > 0 ? [`And ${counted(more, 'more stimulus', 'more stimuli')}.`] : []),
    `**Remedy:** ${inline(remedy)}`,
    `Required by ${clause.map(({ title, url }) => `[${inline(title)}](${url})`).join(', ')}`,
    '</details>',
  ].join('\n\n')
}

function findingOf({ stimulus, expected, observed, evidence, known }: Finding): string {
  const text = [
    `- stimulus: ${inline(stimulus)}${known === true ? ' (known)' : ''}`,
    `- expected: ${inline(expected)}`,
    `- observed: ${inline(observed)}`,
  ].join('\n')
  return evidence?.curl === undefined ? text : `${text}\n\n${fenced(evidence.curl)}`
}

function listOf(title: string, items: readonly string[]): readonly string[] {
  return items.length === 0 ? [] : [`### ${title}\n\n${items.map((item) => `- ${item}`).join('\n')}`]
}

/** Text of others in a line: nothing of it is markup. */
function inline(text: string): string {
  return html(text.replaceAll(/\s+/gu, ' ')).replaceAll(/[\\`*_{}[\]()#+!|~$@:-]/gu, (character) => `\\${character}`)
}

function html(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** A span of code, in more backticks than it holds. */
function code(text: string): string {
  const fence = '`'.repeat(longestRun(text) + 1)
  const gap = text.startsWith('`') || text.endsWith('`') ? ' ' : ''
  return `${fence}${gap}${text.replaceAll(/\s+/gu, ' ')}${gap}${fence}`
}

function fenced(text: string): string {
  const fence = '`'.repeat(Math.max(3, longestRun(text) + 1))
  return `${fence}sh\n${text}\n${fence}`
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/gu) ?? []).map(({ length }) => length))
}
