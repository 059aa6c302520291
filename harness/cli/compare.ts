import { readFileSync } from 'node:fs'
import { REPORT_VERSION } from '../model/result.ts'
import type { Report } from '../model/result.ts'
import { EXIT } from '../model/verdict.ts'
import type { ExitCode } from '../model/verdict.ts'
import { compareReports, formatComparison } from '../report/compare.ts'
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
  const comparison = compareReports(readReport(before), readReport(after))
  print(`${formatComparison(comparison, style)}\n`)
  return comparison.worse.length > 0 ? EXIT.nonconformity : EXIT.conforms
}

function readReport(file: string): Report {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw usage('The report cannot be read', { file, instead: 'a file that "trustspec run --json FILE" wrote' }, error)
  }
  const report = content as Partial<Report> | null
  if (typeof report !== 'object' || report?.version !== REPORT_VERSION || !Array.isArray(report.cases)) {
    throw usage('The file is no report of this version', {
      file,
      instead: 'a file that "trustspec run --json FILE" wrote',
    })
  }
  return { ...report, behaviour: report.behaviour ?? [] } as Report
}
