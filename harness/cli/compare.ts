import { readFileSync } from 'node:fs'
import { REPORT_VERSION } from '../model/result.ts'
import type { Report, ReportCollection } from '../model/result.ts'
import { EXIT } from '../model/verdict.ts'
import type { ExitCode } from '../model/verdict.ts'
import { compareReports, formatComparison, merged } from '../report/compare.ts'
import type { Style } from '../report/text.ts'
import { usage } from './args.ts'

/** Prints what changed between two reports; `nonconformity` when something got worse. */
export function compareCommand(files: readonly string[], style: Style, print: (text: string) => void): ExitCode {
  const [before, after, ...more] = files
  if (before === undefined || after === undefined || more.length > 0) {
    throw usage('Two reports are compared', {
      given: files.length,
      instead: 'trustspec compare BEFORE.json AFTER.json',
    })
  }
  const [was, is] = [readReports(before), readReports(after)]
  // The properties of a report alone have the same names as in a report of several subjects.
  const subjects = new Set([...was, ...is].map(({ subject }) => subject))
  const comparable = (reports: readonly Report[]) => merged(reports, subjects.size > 1)
  const comparison = compareReports(comparable(was), comparable(is))
  print(`${formatComparison(comparison, style)}\n`)
  return comparison.worse.length > 0 ? EXIT.nonconformity : EXIT.conforms
}

function readReports(file: string): readonly Report[] {
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
