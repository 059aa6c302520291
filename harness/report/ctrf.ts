import type { CaseResult, Report } from '../model/result.ts'
import type { Renderer, Rendering } from './rendering.ts'
import { standingOf } from './standing.ts'
import type { Standing } from './standing.ts'
import { excuseOf, findingLine, linesOf, newFirst, reasonOf, requirementOf, verdictOf } from './words.ts'

/** Version of the Common Test Report Format that is written. */
const SPEC_VERSION = '0.0.0'

type Status = 'passed' | 'failed' | 'skipped' | 'pending' | 'other'

/** What could not be established has neither passed nor failed nor been skipped. */
const STATUSES: Readonly<Record<Standing, Status>> = {
  passed: 'passed',
  failed: 'failed',
  skipped: 'skipped',
  upcoming: 'pending',
  warned: 'other',
  unclear: 'other',
  accepted: 'other',
  measured: 'other',
}

/** CTRF: one run over all subjects, a test for each case, a step for each finding. */
export const renderCtrf: Renderer = (rendering) => {
  const { reports, exit } = rendering
  const tests = reports.flatMap((report) => report.cases.map((result) => testOf(result, report, rendering)))
  const count = (status: Status): number => tests.filter((test) => test.status === status).length
  const starts = reports.map(({ startedAt }) => Date.parse(startedAt))
  const stops = reports.map(({ durationMs }, at) => (starts[at] ?? 0) + durationMs)
  const [start, stop] = [Math.min(...starts), Math.max(...stops)]
  const suites = new Set(reports.flatMap(({ cases }) => cases.map(({ suite }) => suite)))
  const document = {
    reportFormat: 'CTRF',
    specVersion: SPEC_VERSION,
    timestamp: new Date(stop).toISOString(),
    generatedBy: 'trustspec',
    results: {
      tool: { name: 'trustspec', version: reports[0]?.tool.version ?? '' },
      summary: {
        tests: tests.length,
        passed: count('passed'),
        failed: count('failed'),
        skipped: count('skipped'),
        pending: count('pending'),
        other: count('other'),
        suites: suites.size,
        start,
        stop,
        duration: stop - start,
        extra: { exitCode: exit.code, meaning: exit.meaning },
      },
      tests,
      extra: { reports: reports.map(aboutOf) },
    },
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}

function aboutOf({
  subject,
  target,
  seed,
  edition,
  requests,
  summary,
  behaviour,
  stale,
  expired,
  exit,
}: Report): object {
  return { subject, target, seed, edition, requests, summary, behaviour, stale, expired, exit }
}

function testOf(result: CaseResult, { subject }: Report, { source }: Rendering) {
  const { id, suite, level, clause, findings, durationMs } = result
  const status = STATUSES[standingOf(result)]
  const message = messageOf(result)
  return {
    testId: id,
    name: `${id}: ${requirementOf(result, subject)}`,
    status,
    rawStatus: verdictOf(result),
    duration: durationMs,
    suite: suite.split('/'),
    type: 'conformance',
    ...(source === undefined ? {} : { filePath: source }),
    ...(message === undefined ? {} : { message }),
    ...(findings.length === 0 ? {} : { trace: linesOf(result, subject).join('\n') }),
    tags: clause.map(({ id: name }) => name),
    labels: { level, subject },
    ...(findings.length === 0
      ? {}
      : {
          steps: findings.map(({ stimulus, expected, observed, failure, evidence }) => ({
            name: stimulus,
            status: 'failed',
            extra: { expected, observed, failure, ...(evidence ? { evidence } : {}) },
          })),
        }),
  }
}

function messageOf(result: CaseResult): string | undefined {
  const [first] = newFirst(result)
  const standing = standingOf(result)
  if (standing === 'passed' || standing === 'measured') return undefined
  if (standing === 'accepted' || standing === 'upcoming') return excuseOf(result)
  return first ? findingLine(first) : reasonOf(result)
}
