import type { CaseResult, Report } from '../../model/result.ts'
import type { MatrixCase, MatrixCell, MatrixColumn } from './model.ts'

/** The column of a report. */
export function columnOf(name: string, { subject, cases }: Pick<Report, 'subject' | 'cases'>): MatrixColumn {
  return { name, subject, cells: Object.fromEntries(cases.map((result) => [result.id, cellOf(result)])) }
}

function cellOf({ verdict, nature, level, findings, missing, reason: given, known }: CaseResult): MatrixCell {
  const [finding, ...more] = findings
  const reason = missing.length === 0 ? given : `Missing: ${missing.map(({ says }) => says).join('; ')}.`
  return {
    verdict,
    level,
    ...(nature === undefined ? {} : { nature }),
    ...(finding
      ? { finding: { stimulus: finding.stimulus, expected: finding.expected, observed: finding.observed } }
      : {}),
    ...(more.length === 0 ? {} : { more: more.length }),
    ...(reason === undefined ? {} : { reason }),
    ...(known ? { known: { reason: known.reason, accepted: known.accepted } } : {}),
  }
}

/** The cases of reports, each once: those of the catalogue in its order, others behind the last one of their suite. */
export function casesOf(
  reports: readonly Pick<Report, 'cases'>[],
  catalogue: readonly string[],
): readonly MatrixCase[] {
  const place = new Map(catalogue.map((id, at) => [id, at]))
  const suites = [...new Set([...catalogue, ...reports.flatMap(({ cases }) => cases.map(({ id }) => id))].map(suiteOf))]
  const found = new Map<string, MatrixCase>()
  for (const { cases } of reports) {
    for (const { id, suite, title, level, clause, remedy } of cases) {
      if (!found.has(id)) found.set(id, { id, suite, title, level, clause, remedy })
    }
  }
  const rank = ({ id }: MatrixCase): readonly [number, number] => [
    suites.indexOf(suiteOf(id)),
    place.get(id) ?? Infinity,
  ]
  return [...found.values()].toSorted((one, other) => {
    const [a, b] = [rank(one), rank(other)]
    return a[0] - b[0] || (a[1] === b[1] ? 0 : a[1] - b[1])
  })
}

function suiteOf(id: string): string {
  return id.slice(0, id.lastIndexOf('/'))
}
