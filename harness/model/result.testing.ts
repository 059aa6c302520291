import { REPORT_VERSION } from './result.ts'
import type { CaseResult, Report } from './result.ts'
import { VERDICTS } from './verdict.ts'
import type { Verdict } from './verdict.ts'

/** A passed case of that full id; `change` makes another of it. */
export function caseResult(id: string, change: Partial<CaseResult> = {}): CaseResult {
  return {
    id,
    suite: id.slice(0, id.lastIndexOf('/')),
    title: 'refuses a token of another issuer',
    level: 'MUST',
    clause: [],
    verdict: 'pass',
    missing: [],
    findings: [],
    notProven: [],
    stimuli: 1,
    measured: {},
    rationale: '',
    remedy: '',
    snippets: {},
    durationMs: 1,
    ...change,
  }
}

/** A report of an origin by URL, with the summary of these cases. */
export function reportOf(cases: readonly CaseResult[], change: Partial<Report> = {}): Report {
  const counts = VERDICTS.map((verdict) => [verdict, cases.filter((one) => one.verdict === verdict).length])
  return {
    version: REPORT_VERSION,
    tool: { name: 'trustspec', version: '0.1.0' },
    subject: 'origin',
    target: { kind: 'url', url: 'http://127.0.0.1:8888/protected' },
    startedAt: '2026-01-01T00:00:00.000Z',
    durationMs: 1234,
    seed: 7,
    requests: 99,
    preflight: { checks: [], algorithms: [] },
    capabilities: [],
    behaviour: [],
    cases,
    summary: Object.fromEntries(counts) as Record<Verdict, number>,
    notProven: [],
    stale: [],
    exit: { code: 0, meaning: 'Every requirement was met, or is an accepted finding.' },
    ...change,
  }
}
