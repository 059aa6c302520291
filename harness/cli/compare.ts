import type { Report } from '../model/result.ts'
import { EXIT } from '../model/verdict.ts'
import type { ExitCode } from '../model/verdict.ts'
import { compareReports, formatComparison, merged } from '../report/compare.ts'
import type { Style } from '../report/text.ts'
import { usage } from './args.ts'
import { readReports } from './reports.ts'

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
