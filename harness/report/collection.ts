import { REPORT_VERSION } from '../model/result.ts'
import type { Report, ReportCollection } from '../model/result.ts'
import { VERDICTS } from '../model/verdict.ts'
import { counted, paint } from './text.ts'
import type { Style } from './text.ts'

/** Several reports as one, with the worst exit code. */
export function collected(reports: readonly Report[]): ReportCollection {
  const [worst] = reports.map(({ exit }) => exit).toSorted((one, other) => other.code - one.code)
  const bad = reports.filter(({ exit }) => exit.code !== 0)
  const meaning = bad.map(({ subject, exit }) => `${subject}: ${exit.meaning}`).join(' ')
  return {
    version: REPORT_VERSION,
    reports,
    exit: { code: worst?.code ?? 0, meaning: bad.length > 0 ? meaning : 'Every part conforms.' },
  }
}

/** The last line of a run over several subjects. */
export function closingLine({ reports, exit }: ReportCollection, style: Style): string {
  const verdicts = VERDICTS.flatMap((verdict) => {
    const number = reports.reduce((sum, { summary }) => sum + summary[verdict], 0)
    return number === 0 ? [] : [`${number} ${verdict}`]
  })
  const cases = reports.reduce((sum, report) => sum + report.cases.length, 0)
  // Parts may have run at the same time.
  const begun = reports.map(({ startedAt }) => Date.parse(startedAt))
  const ended = reports.map(({ durationMs }, at) => (begun[at] ?? 0) + durationMs)
  const seconds = reports.length === 0 ? 0 : (Math.max(...ended) - Math.min(...begun)) / 1000
  const names = reports.map(({ subject }) => subject).join(', ')
  const colour = exit.code === 0 ? ('green' as const) : ('red' as const)
  const text = `${counted(cases, 'case')} (${names}): ${verdicts.join(', ')}; ${seconds.toFixed(2)} s; exit code ${exit.code}`
  return paint(style, ['bold', colour], text)
}
