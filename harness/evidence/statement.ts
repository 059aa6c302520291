import { createHash } from 'node:crypto'
import type { CaseResult, Report } from '../model/result.ts'
import { isFailure, VERDICTS } from '../model/verdict.ts'
import type { ExitCode, Verdict } from '../model/verdict.ts'
import type { Artefact } from './artefact.ts'

export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1'
export const PREDICATE_TYPE = 'https://in-toto.io/attestation/test-result/v0.1'

/** Name of the first subject of a statement: the report that was made of the run. */
export const REPORT_NAME = 'trustspec-report.json'

/** A file or a package, as in-toto describes it. */
export interface Resource {
  readonly name?: string
  readonly uri?: string
  readonly digest?: Readonly<Record<string, string>>
}

/** What was tested, in one part of the run. */
export interface TestedPart {
  readonly subject: Report['subject']
  readonly target: Report['target']
  readonly seed: number
  readonly capabilities: readonly string[]
  readonly summary: Report['summary']
}

/** What in-toto has no member for. */
export interface Detail {
  readonly version: string
  /** Edition of the requirements that counted. */
  readonly edition?: string
  /** ISO 8601, UTC, by the clock of the machine that ran it. */
  readonly startedAt: string
  readonly finishedAt: string
  readonly exit: { readonly code: ExitCode; readonly meaning: string }
  /** Only some cases were selected. */
  readonly selected: boolean
  /** Verdicts that fail the run. */
  readonly failOn: readonly Verdict[]
  /** Requirements that were not judged, or could not be established. */
  readonly unjudged: readonly string[]
  /** Broken requirements that the user accepted, with the reason. */
  readonly accepted: readonly { readonly case: string; readonly verdict: Verdict; readonly reason: string }[]
  readonly parts: readonly TestedPart[]
  /** Of each case. */
  readonly verdicts: Readonly<Record<string, Verdict>>
}

/** The predicate: what in-toto's test result has, and our own member. */
export interface TestResult {
  readonly result: 'PASSED' | 'WARNED' | 'FAILED'
  readonly configuration: readonly Resource[]
  readonly url?: string
  readonly passedTests: readonly string[]
  readonly warnedTests: readonly string[]
  readonly failedTests: readonly string[]
  readonly trustspec: Detail
}

/** An in-toto statement about a run. */
export interface Statement {
  readonly _type: typeof STATEMENT_TYPE
  readonly subject: readonly Resource[]
  readonly predicateType: typeof PREDICATE_TYPE
  readonly predicate: TestResult
}

/** A run that has ended, and what it was told. */
export interface Run {
  readonly reports: readonly Report[]
  readonly exit: Report['exit']
  /** The report as it stands in the file of --json. */
  readonly reportText: string
  readonly artefacts: readonly Artefact[]
  readonly configuration: readonly Resource[]
  /** Where the run can be looked at. */
  readonly url?: string
  readonly selected: boolean
  readonly failOn: readonly Verdict[]
}

/** SHA-256, hexadecimal. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

/** States what a run found out. */
export function statementOf(run: Run): Statement {
  const { reports, exit, artefacts, url } = run
  const cases = reports.flatMap((report) => report.cases)
  const version = reports[0]?.tool.version ?? ''
  const [{ edition } = {}] = reports
  const warned = cases.filter(isWarned)
  const failed = cases.filter((one) => isFailure(one.verdict) && !isWarned(one))
  const isClean =
    warned.length === 0 && cases.every(({ verdict, level }) => verdict !== 'inconclusive' || level !== 'MUST')
  return {
    _type: STATEMENT_TYPE,
    subject: [
      { name: REPORT_NAME, digest: { sha256: sha256(run.reportText) } },
      ...artefacts.map(({ name, algorithm, digest }) => ({
        ...(name === undefined ? {} : { name }),
        digest: { [algorithm]: digest },
      })),
    ],
    predicateType: PREDICATE_TYPE,
    predicate: {
      // What the user let pass by a flag is broken all the same.
      result: exit.code !== 0 || failed.length > 0 ? 'FAILED' : isClean ? 'PASSED' : 'WARNED',
      configuration: [{ name: 'trustspec', uri: `pkg:npm/trustspec@${version}` }, ...run.configuration],
      ...(url === undefined ? {} : { url }),
      passedTests: cases.filter(({ verdict }) => verdict === 'pass').map(({ id }) => id),
      warnedTests: warned.map(({ id }) => id),
      failedTests: failed.map(({ id }) => id),
      trustspec: {
        version,
        ...(edition === undefined ? {} : { edition }),
        startedAt: first(reports.map(({ startedAt }) => Date.parse(startedAt)).toSorted((a, b) => a - b)),
        finishedAt: first(reports.map(endOf).toSorted((a, b) => b - a)),
        exit,
        selected: run.selected,
        failOn: run.failOn,
        unjudged: cases.filter(isUnjudged).map(({ id }) => id),
        accepted: cases.flatMap(({ id, verdict, known }) =>
          known?.accepted === true ? [{ case: id, verdict, reason: known.reason }] : [],
        ),
        parts: reports.map(({ subject, target, seed, capabilities, summary }) => ({
          subject,
          target,
          seed,
          capabilities,
          summary: Object.fromEntries(VERDICTS.map((name) => [name, summary[name]])) as Report['summary'],
        })),
        verdicts: Object.fromEntries(cases.map(({ id, verdict }) => [id, verdict])),
      },
    },
  }
}

/** Broken without failing the run: a recommendation, an accepted finding, or a requirement that does not count yet. */
function isWarned({ verdict, known, upcoming }: CaseResult): boolean {
  return verdict === 'warn' || (isFailure(verdict) && (known?.accepted === true || upcoming !== undefined))
}

function isUnjudged({ verdict, level }: CaseResult): boolean {
  return level === 'MUST' && (verdict === 'skip' || verdict === 'inconclusive')
}

function endOf({ startedAt, durationMs }: Report): number {
  return Date.parse(startedAt) + durationMs
}

function first([time]: readonly number[]): string {
  return new Date(time ?? 0).toISOString()
}
