import { readFileSync } from 'node:fs'
import { REPORT_VERSION } from '../model/result.ts'
import type { CaseResult, Report, ReportCollection } from '../model/result.ts'
import { VERDICTS } from '../model/verdict.ts'
import { usage } from './args.ts'

const INSTEAD = 'a file that "trustspec run --json FILE" wrote'

/** The reports of a file that `run --json` wrote, of one subject or of several; ERR_USAGE for anything else. */
export function readReports(file: string): readonly Report[] {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw usage('The report cannot be read', { file, instead: INSTEAD }, error)
  }
  const collection = content as Partial<ReportCollection> | null
  const reports = Array.isArray(collection?.reports) ? (collection.reports as readonly unknown[]) : [content]
  if (reports.length === 0 || !reports.every(isReport)) {
    throw usage('The file is no report of this version', { file, instead: INSTEAD })
  }
  return reports.map((report) => ({ ...report, behaviour: report.behaviour ?? [] }))
}

function isReport(content: unknown): content is Report {
  const report = content as Partial<Report> | null
  return (
    typeof report === 'object' &&
    report?.version === REPORT_VERSION &&
    typeof report.subject === 'string' &&
    Array.isArray(report.cases) &&
    report.cases.every(isResult)
  )
}

function isResult(content: unknown): content is CaseResult {
  const result = content as Partial<CaseResult> | null
  return (
    typeof result?.id === 'string' &&
    typeof result.suite === 'string' &&
    typeof result.title === 'string' &&
    VERDICTS.some((verdict) => verdict === result.verdict) &&
    Array.isArray(result.missing) &&
    Array.isArray(result.findings) &&
    Array.isArray(result.clause)
  )
}
