import { FAILURES } from '../model/verdict.ts'
import type { Verdict } from '../model/verdict.ts'
import type { MeasuredProperty } from '../model/behaviour.ts'
import type { Report } from '../model/result.ts'
import { counted, paint } from './text.ts'
import type { Style } from './text.ts'

/** One thing that is not as it was: a verdict by case, or a measured property. */
export interface Difference {
  readonly what: string
  readonly before: string
  readonly after: string
}

/** What changed between two reports. */
export interface Comparison {
  /** Requirements and recommendations that were met, and no longer are. */
  readonly worse: readonly Difference[]
  readonly better: readonly Difference[]
  /** Other changes of a verdict: judged or not, new or gone, broken in another way. */
  readonly other: readonly Difference[]
  readonly behaviour: readonly Difference[]
}

const ABSENT = 'absent'

/** What of a report is compared; several reports are compared as one. */
export type Comparable = Pick<Report, 'cases' | 'behaviour'>

/** The cases and the measured values of reports; `named`: each property tells whose it is. */
export function merged(reports: readonly Report[], isNamed: boolean): Comparable {
  const named = ({ subject, behaviour }: Report): Report['behaviour'] =>
    !isNamed ? behaviour : behaviour.map((row) => ({ ...row, title: `${row.title} (${subject})` }))
  return { cases: reports.flatMap(({ cases }) => cases), behaviour: reports.flatMap(named) }
}

/** Compares verdicts case by case, and measured values property by property. */
export function compareReports(before: Comparable, after: Comparable): Comparison {
  const verdicts = changes(
    before.cases.map(({ id, verdict }) => [id, verdict]),
    after.cases.map(({ id, verdict }) => [id, verdict]),
  )
  const isWorse = ({ before: was, after: is }: Difference): boolean => isGood(was) && isBad(is)
  const isBetter = ({ before: was, after: is }: Difference): boolean => isBad(was) && isGood(is)
  return {
    worse: verdicts.filter(isWorse),
    better: verdicts.filter(isBetter),
    other: verdicts.filter((one) => !isWorse(one) && !isBetter(one)),
    behaviour: changes(before.behaviour.map(rowOf), after.behaviour.map(rowOf)),
  }
}

function isGood(verdict: string): boolean {
  return verdict === 'pass' || verdict === 'info'
}

const BAD: readonly string[] = [...FAILURES, 'warn', 'inconclusive'] satisfies readonly Verdict[]

function isBad(verdict: string): boolean {
  return BAD.includes(verdict)
}

function rowOf({ title, value, unit }: MeasuredProperty): readonly [string, string] {
  const text = typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value ?? 'not measured')
  return [title, unit === undefined || value === undefined ? text : `${text} ${unit}`]
}

function changes(
  before: readonly (readonly [string, string])[],
  after: readonly (readonly [string, string])[],
): readonly Difference[] {
  const was = new Map(before)
  const is = new Map(after)
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((what) => {
    const [one = ABSENT, other = ABSENT] = [was.get(what), is.get(what)]
    return one === other ? [] : [{ what, before: one, after: other }]
  })
}

/** The comparison for people. */
export function formatComparison({ worse, better, other, behaviour }: Comparison, style: Style): string {
  const section = (heading: string, colour: Parameters<typeof paint>[1], rows: readonly Difference[]): string[] =>
    rows.length === 0
      ? []
      : [
          paint(style, colour, heading),
          ...rows.map(({ what, before, after }) => `  ${what}: ${before} -> ${after}`),
          '',
        ]
  const total = worse.length + better.length + other.length + behaviour.length
  return [
    ...section('Worse', ['bold', 'red'], worse),
    ...section('Better', 'green', better),
    ...section('Otherwise', 'yellow', other),
    ...section('Behaviour', 'cyan', behaviour),
    total === 0 ? 'Nothing changed.' : `${counted(total, 'change')}, ${worse.length} for the worse.`,
  ].join('\n')
}
