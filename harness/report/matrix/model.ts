import type { Subject } from '../../model/case.ts'
import type { CaseResult, ExpectedFinding, Finding } from '../../model/result.ts'
import { VERDICTS } from '../../model/verdict.ts'
import type { Failure, Level, Verdict } from '../../model/verdict.ts'
import { MEANINGS as IN_REPORTS } from '../console.ts'

/** What one implementation got in one case. */
export interface MatrixCell {
  readonly verdict: Verdict
  /** For `warn`: how the recommendation was broken. */
  readonly nature?: Failure
  /** Level that was applied, where it is another one than that of the case. */
  readonly level?: Level
  /** The first of its findings. */
  readonly finding?: Pick<Finding, 'stimulus' | 'expected' | 'observed'>
  /** How many findings there are besides. */
  readonly more?: number
  /** Why it was skipped or is inconclusive. */
  readonly reason?: string
  /** What is known of it. */
  readonly known?: Pick<ExpectedFinding, 'reason' | 'accepted'>
}

/** One implementation: its cells by the full ids of cases. */
export interface MatrixColumn {
  readonly name: string
  readonly subject: Subject
  /** A phrase that says what it is. */
  readonly about?: string
  /** Where there is more about it. */
  readonly href?: string
  readonly cells: Readonly<Record<string, MatrixCell>>
}

/** What a row is about. */
export type MatrixCase = Pick<CaseResult, 'id' | 'suite' | 'title' | 'level' | 'clause' | 'remedy'>

/** A case, and what each implementation got in it; undefined where it was not run. */
export interface MatrixRow extends MatrixCase {
  readonly cells: readonly (MatrixCell | undefined)[]
  /** Not all that were judged got the same. */
  readonly differs: boolean
}

/** The implementations of one kind side by side. */
export interface MatrixPart {
  readonly subject: Subject
  readonly columns: readonly Omit<MatrixColumn, 'cells'>[]
  readonly suites: readonly { readonly id: string; readonly rows: readonly MatrixRow[] }[]
}

/** A document with a matrix. */
export interface MatrixPage {
  readonly title: string
  /** Paragraphs above it. */
  readonly intro: readonly string[]
  readonly parts: readonly MatrixPart[]
}

/** What each part is called. */
export const HEADINGS: Readonly<Record<Subject, string>> = { origin: 'Origins', gateway: 'Gateways', chain: 'Chains' }

/** What each verdict says, beside a cell that has the rest. */
export const MEANINGS: Readonly<Record<Verdict, string>> = { ...IN_REPORTS, skip: 'not judged, for the reason given' }

const SUBJECTS = ['origin', 'gateway', 'chain'] as const satisfies readonly Subject[]

/** Cases by rows, in their order, and implementations by columns; one part for each kind that there is one of. */
export function matrixOf(cases: readonly MatrixCase[], columns: readonly MatrixColumn[]): readonly MatrixPart[] {
  return SUBJECTS.flatMap((subject): readonly MatrixPart[] => {
    const own = columns.filter((column) => column.subject === subject)
    const rows = cases.flatMap((one) => rowOf(one, own))
    const suites = [...Map.groupBy(rows, ({ suite }) => suite)].map(([id, rows]) => ({ id, rows }))
    return suites.length === 0 ? [] : [{ subject, columns: own, suites }]
  })
}

/** Verdicts that neither blame nor praise. */
const UNJUDGED: readonly Verdict[] = ['skip', 'info', 'inconclusive']

function rowOf(one: MatrixCase, columns: readonly MatrixColumn[]): readonly MatrixRow[] {
  const cells = columns.map(({ cells }) => (Object.hasOwn(cells, one.id) ? cells[one.id] : undefined))
  if (cells.every((cell) => cell === undefined)) return []
  const judged = cells.flatMap((cell) => (cell && !UNJUDGED.includes(cell.verdict) ? [wordsOf(cell)] : []))
  return [{ ...one, cells, differs: new Set(judged).size > 1 }]
}

/** `fail-open`, or `warn (fail-open)`. */
export function wordsOf({ verdict, nature }: MatrixCell): string {
  return nature === undefined ? verdict : `${verdict} (${nature})`
}

/** The level of a cell, where it is not that of its row. */
export function levelOf({ level }: MatrixCell, row: MatrixRow): Level | undefined {
  return level === row.level ? undefined : level
}

/** Cells by verdict, for each column. */
export function countsOf({ columns, suites }: MatrixPart): readonly Readonly<Record<Verdict, number>>[] {
  const rows = suites.flatMap((suite) => suite.rows)
  return columns.map((_, at) => {
    const verdicts = rows.map(({ cells }) => cells[at]?.verdict)
    const count = (verdict: Verdict): number => verdicts.filter((one) => one === verdict).length
    return Object.fromEntries(VERDICTS.map((verdict) => [verdict, count(verdict)])) as Record<Verdict, number>
  })
}

/** Whether there is more to tell of a cell than its verdict. */
export function hasDetail({ finding, reason, known }: MatrixCell): boolean {
  return finding !== undefined || reason !== undefined || known !== undefined
}
