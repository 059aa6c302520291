import { readFileSync } from 'node:fs'
import { REPORT_VERSION } from '../model/result.ts'
import type { Report, ReportCollection } from '../model/result.ts'
import { usage } from './args.ts'

/** The reports in a file, of one subject or of several; ERR_USAGE where it holds none. */
export function readReports(file: string): readonly Report[] {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw usage('The report cannot be read', { file, instead: 'a file that "trustspec run --json FILE" wrote' }, error)
  }
  const collection = content as Partial<ReportCollection> | null
  const reports = Array.isArray(collection?.reports) ? (collection.reports as readonly unknown[]) : [content]
  if (reports.length === 0 || !reports.every(isReport)) {
    throw usage('The file is no report of this version', {
      file,
      instead: 'a file that "trustspec run --json FILE" wrote',
    })
  }
  return reports.map((report) => ({ ...report, behaviour: report.behaviour ?? [] }))
}

function isReport(content: unknown): content is Report {
  const report = content as Partial<Report> | null
  return typeof report === 'object' && report?.version === REPORT_VERSION && Array.isArray(report.cases)
}
