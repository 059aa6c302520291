import { isFailure, VERDICTS } from '../../model/verdict.ts'
import type { Report } from '../../model/result.ts'
import { bundledOrigin } from '../../targets/bundled.ts'
import type { Stage } from '../stage.ts'
import { HIDDEN_FAULTS, PATH_FAULTS } from './faults.ts'
import { judgeOrigin } from './judge.ts'
import { sampleProgram } from './launch.ts'
import type { Launcher } from './launch.ts'

/** The three variants, the sample of each, and what it is called in a column. */
export const VARIANTS = [
  ['tornado-as-published', 'published'],
  ['tornado-repaired', 'repaired'],
  ['tornado-hardened', 'hardened'],
] as const

/** The cases of the faults that are about origins, each once. */
export const NAMED = [...new Set([...PATH_FAULTS, ...HIDDEN_FAULTS].map((fault) => fault.case))].filter((id) =>
  id.startsWith('origin/'),
)

/** Runs all suites against the three variants and shows what they say. */
export async function tellVariants(
  stage: Stage,
  { launcher, signal }: { readonly launcher: Launcher; readonly signal: AbortSignal },
): Promise<void> {
  stage.heading('Published, repaired, hardened')
  stage.say(
    'The suites find more than these faults. origins/tornado-hardened has an answer to all of it: the same route and ' +
      'the same answer to a valid token, with every check that python-jose leaves to its caller. Of the published ' +
      'origin nothing can be judged but the first: a refusal proves nothing where no valid token is let in.',
  )
  stage.busy('Judging the three variants by all suites (takes half a minute)')
  const reports = await Promise.all(
    VARIANTS.map(([name]) => {
      const { folder, profile } = bundledOrigin(name)
      return judgeOrigin(launcher, { program: sampleProgram(folder), profile }, signal)
    }),
  )
  stage.verdicts(
    NAMED.map((id) => ({
      id,
      variants: VARIANTS.flatMap(([, variant], at) => {
        const verdict = reports[at]?.cases.find((result) => result.id === id)?.verdict
        return verdict === undefined ? [] : [{ variant, verdict }]
      }),
    })),
  )
  stage.show('All cases, by suite', suitesTable(reports), 'text')
  stage.command('npm run conformance -- --origin tornado-repaired')
  stage.say(
    'That command has the findings of the repaired origin one by one, each with the request that shows it and what to ' +
      'do; with tornado-hardened it ends in exit code 0.',
  )
}

/** How many cases of each suite passed, and the other verdicts, variants side by side. */
function suitesTable(reports: readonly Report[]): string {
  const suites = [...new Set(reports.flatMap(({ cases }) => cases.map(({ suite }) => suite)))]
  const others = ['broken', ...VERDICTS.filter((verdict) => verdict !== 'pass' && !isFailure(verdict))]
  const rows = [
    ['passed', ...VARIANTS.map(([, variant]) => variant)],
    ...suites.map((suite) => [
      suite,
      ...reports.map(({ cases }) => passed(cases.filter((one) => one.suite === suite))),
    ]),
    ['all suites', ...reports.map(({ cases }) => passed(cases))],
    ...others.map((name) => [name, ...reports.map((report) => String(countOf(report, name)))]),
    ['exit code', ...reports.map(({ exit }) => String(exit.code))],
  ]
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)))
  const lines = rows.map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  '))
  return lines.map((line) => line.trimEnd()).join('\n')
}

function passed(cases: Report['cases']): string {
  return `${cases.filter(({ verdict }) => verdict === 'pass').length} of ${cases.length}`
}

function countOf({ cases }: Report, name: string): number {
  return cases.filter(({ verdict }) => (name === 'broken' ? isFailure(verdict) : verdict === name)).length
}
