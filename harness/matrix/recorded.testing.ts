import type { Report } from '../model/result.ts'
import type { Verdict } from '../model/verdict.ts'
import { differences, readRecorded } from './recorded.ts'

/** Cases in which a report is unlike docs/matrix.json; those that it has with a verdict of `leftOut` are not compared. */
export function unlike(name: string, report: Report, leftOut: readonly Verdict[] = []): readonly string[] {
  const column = readRecorded().find((one) => one.name === name && one.subject === report.subject)
  if (!column) return [`There is no column of the ${report.subject} ${name}: npm run matrix -- ${name}`]
  const isCompared = (id: string): boolean =>
    !report.cases.some((one) => one.id === id && leftOut.includes(one.verdict))
  const cells = Object.fromEntries(Object.entries(column.cells).filter(([id]) => isCompared(id)))
  return differences({ ...report, cases: report.cases.filter(({ id }) => isCompared(id)) }, { ...column, cells })
}
