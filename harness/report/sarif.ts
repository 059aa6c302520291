import { createHash } from 'node:crypto'
import type { CaseResult, Evidence, Finding, Report } from '../model/result.ts'
import { overdueOf } from './known.ts'
import type { Renderer } from './rendering.ts'
import { rulesOf } from './sarif-rules.ts'
import { standingOf } from './standing.ts'
import { excuseOf, findingLine, reasonOf, requirementOf, verdictOf } from './words.ts'

/** Results that GitHub takes of a run; it shows 5,000 of them, the gravest first. */
const MOST_RESULTS = 25_000

/** SARIF 2.1.0 within what GitHub takes: a run for each subject, a rule for each case, a result for each finding. */
export const renderSarif: Renderer = ({ reports, source }) =>
  `${JSON.stringify(
    {
      $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
      version: '2.1.0',
      runs: reports.map((report) => runOf(report, source)),
    },
    undefined,
    2,
  )}\n`

function runOf(report: Report, source: string | undefined): object {
  const { tool, subject, seed, edition, target, summary } = report
  const place = source === undefined ? '' : `${source}/`
  return {
    tool: { driver: { name: tool.name, version: tool.version, semanticVersion: tool.version, rules: rulesOf(report) } },
    // GitHub keeps the alerts of each category apart; what stands before the last slash is the category.
    automationDetails: { id: `trustspec/${subject}/${place}` },
    invocations: [invocationOf(report)],
    results: report.cases.flatMap((result, index) => resultsOf(result, index, report, source)).slice(0, MOST_RESULTS),
    properties: { subject, target, seed, edition, summary },
  }
}

function invocationOf(report: Report): object {
  const { cases, startedAt, durationMs, exit, preflight } = report
  const { stale, expired } = overdueOf(report)
  const unclear = cases.flatMap((result, index) =>
    result.verdict === 'inconclusive'
      ? [
          {
            level: result.level === 'MUST' ? 'error' : 'warning',
            message: { text: `${result.id} could not be established: ${reasonOf(result)}` },
            associatedRule: { id: result.id, index },
          },
        ]
      : [],
  )
  const said = [...(preflight.cause === undefined ? [] : [preflight.cause]), ...stale, ...expired]
  return {
    executionSuccessful: exit.code < 2,
    exitCode: exit.code,
    exitCodeDescription: exit.meaning,
    startTimeUtc: startedAt,
    endTimeUtc: new Date(Date.parse(startedAt) + durationMs).toISOString(),
    toolExecutionNotifications: [...said.map((text) => ({ level: 'error', message: { text } })), ...unclear],
  }
}

/** A result for each finding, or one for a case that is broken as a whole. */
function resultsOf(result: CaseResult, ruleIndex: number, report: Report, source?: string): readonly object[] {
  const standing = standingOf(result)
  const isBroken = result.verdict !== 'inconclusive' && !['passed', 'skipped', 'measured'].includes(standing)
  if (!isBroken) return []
  const common = {
    ruleId: result.id,
    ruleIndex,
    level: standing === 'upcoming' ? 'note' : result.verdict === 'warn' ? 'warning' : 'error',
    ...(source === undefined ? {} : { locations: [locationOf(source)] }),
    // Where one result has the member, a reader may take its absence for "unknown" in the others.
    suppressions: standing === 'accepted' ? [suppression(excuseOf(result))] : [],
  }
  if (result.findings.length === 0) {
    return [{ ...common, message: messageOf(result, report), partialFingerprints: fingerprint(result.id, '', 0) }]
  }
  const before = new Map<string, number>()
  return result.findings.map((finding) => {
    const nth = before.get(finding.stimulus) ?? 0
    before.set(finding.stimulus, nth + 1)
    return {
      ...common,
      message: messageOf(result, report, finding),
      partialFingerprints: fingerprint(result.id, finding.stimulus, nth),
      ...(finding.known === true ? { suppressions: [suppression('Accepted: the stimulus is known.')] } : {}),
      ...(finding.evidence ? exchangeOf(finding.evidence) : {}),
      properties: {
        verdict: verdictOf(result),
        failure: finding.failure,
        ...(finding.evidence?.curl === undefined ? {} : { reproduce: finding.evidence.curl }),
      },
    }
  })
}

function suppression(justification: string): object {
  return { kind: 'external', status: 'accepted', justification }
}

function messageOf(result: CaseResult, { subject }: Report, finding?: Finding): object {
  const what = finding ? findingLine(finding) : reasonOf(result)
  return { text: `${capital(what)}. ${requirementOf(result, subject)} Remedy: ${result.remedy}` }
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
}

function locationOf(source: string): object {
  const uri = source.split('/').map(encodeURIComponent).join('/')
  return { physicalLocation: { artifactLocation: { uri }, region: { startLine: 1 } } }
}

/**
 * What tells alerts apart and knows them again. GitHub reads the one name alone, and would otherwise put there what
 * the line of the location comes to, which is the same for every finding of a case.
 */
function fingerprint(id: string, stimulus: string, nth: number): object {
  const digest = createHash('sha256')
    .update(JSON.stringify([id, stimulus]))
    .digest('hex')
    .slice(0, 16)
  return { primaryLocationLineHash: `${digest}:${nth + 1}` }
}

function exchangeOf(evidence: Evidence): object {
  const { method, url, requestHeaders, status, responseHeaders, responseBody } = evidence
  return {
    webRequest: { protocol: 'HTTP', version: '1.1', method, target: url, headers: headersOf(requestHeaders) },
    webResponse:
      status === 0
        ? { noResponseReceived: true }
        : { statusCode: status, headers: headersOf(responseHeaders), body: { text: responseBody } },
  }
}

/** Lines of the same name in one, as RFC 9110 section 5.3 has it; SARIF has no other place for them. */
function headersOf(lines: Evidence['requestHeaders']): object {
  const byName = Map.groupBy(lines, ([name]) => name)
  return Object.fromEntries([...byName].map(([name, same]) => [name, same.map(([, value]) => value).join(', ')]))
}
