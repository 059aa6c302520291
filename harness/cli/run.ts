import { randomInt, randomUUID } from 'node:crypto'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import type { GateConfig } from '../config/gate-shape.ts'
import type { Report, ReportCollection } from '../model/result.ts'
import { annotationsOf, inert } from '../report/annotations.ts'
import { formatReport } from '../report/console.ts'
import { closingLine, collected } from '../report/collection.ts'
import { renderJson } from '../report/json.ts'
import { createProgress } from '../report/progress.ts'
import { paint } from '../report/text.ts'
import type { Style } from '../report/text.ts'
import { numberOf, textOf } from './args.ts'
import type { Given } from './args.ts'
import { startBeside } from './beside.ts'
import { evidenceFor } from './evidence.ts'
import { gateOf } from './gate.ts'
import { partOf } from './parts.ts'
import { wantedReports, writeReports } from './report-files.ts'
import { sourceOf } from './report-source.ts'
import { selectionOf, selectParts } from './selection.ts'
import type { SelectedPart } from './selection.ts'
import { askedOf } from './subject.ts'
import type { Asked } from './subject.ts'

/** Where output goes. */
export interface Output {
  readonly print: (text: string) => void
  readonly progress: NodeJS.WriteStream
  readonly style: Style
}

/** Runs what the arguments ask for, prints each report, writes them, and gives them with the worst exit code. */
export async function runCommand(given: Given, output: Output, signal: AbortSignal): Promise<ReportCollection> {
  const { print, style } = output
  const asked = await askedOf(given)
  const select = selectionOf(given)
  const configured = configuredGate(asked)
  const gate = gateOf(given, configured)
  const selected = selectParts(asked.subjects, select, gate.edition)
  const seed = numberOf(given, 'seed', 0, 2 ** 32 - 1) ?? randomInt(2 ** 32)
  const isWhole = Object.keys(select).length === 0
  const common = {
    ...gate,
    seed,
    deadlineMs: (numberOf(given, 'timeout', 1, 600) ?? 5) * 1000,
    behaviour: isWhole || given.values['behaviour'] === true,
  }
  const evidence = await evidenceFor(given, process.env, [asked.file, textOf(given, 'baseline') ?? configured.baseline])
  const wanted = await wantedReports(given, process.env)
  const source = await sourceOf(given, asked, process.env, process.cwd())
  const isInJob = process.env['GITHUB_ACTIONS'] === 'true'
  if (asked.file !== undefined) print(`Configuration: ${asked.file}\n`)
  const isOne = asked.subjects.length === 1
  const isAlone = selected.length === 1
  const reports: Report[] = []
  const [, ...others] = selected
  // Embedded subjects alone: what is configured or started may well be one that the other parts would disturb.
  const canShare = asked.subjects.length > 1 && others.length > 0 && availableParallelism() > 1
  const parts = others.map(({ subject, select: own }) => ({ subject, common: { ...common, select: own } }))
  const beside = canShare ? startBeside({ given, parts }, signal) : undefined
  for (const [at, one] of selected.entries()) {
    if (!isAlone) print(heading(at, selected, style))
    const first = (says: string): void => {
      const cases = `${one.count} case${one.count === 1 ? '' : 's'}`
      print(`${paint(style, 'bold', 'trustspec')}: ${cases} against ${says}, seed ${seed}\n`)
    }
    const progress = createProgress(output.progress)
    const run = async (): Promise<Report> => {
      if (beside && at > 0) {
        const { says, report } = await beside.part(one.subject, progress)
        first(says)
        return report
      }
      const part = await partOf(given, { ...common, select: one.select }, one.subject, asked)
      first(part.says)
      return await part.run({ print, progress }, signal)
    }
    const report = await run().finally(() => {
      progress.end()
    })
    const shown = formatReport(report, style, given.values['verbose'] === true)
    print(`\n${isInJob ? inert(shown, randomUUID()) : shown}`)
    reports.push(report)
  }
  const whole = collected(reports)
  if (!isAlone) print(`\n${closingLine(whole, style)}\n`)
  const rendering = {
    reports,
    exit: isOne ? (reports[0]?.exit ?? whole.exit) : whole.exit,
    isCollection: !isOne,
    ...(source === undefined ? {} : { source }),
  }
  await writeReports(wanted, rendering, print)
  if (isInJob) for (const line of annotationsOf(rendering)) print(`${line}\n`)
  if (evidence) {
    const about = { reports, exit: whole.exit, selected: !isWhole, failOn: gate.failOn ?? [] }
    const says = await evidence({ ...about, reportText: renderJson(rendering) })
    print(`Evidence: ${says}\n`)
  }
  return whole
}

/** What the configuration says of the gate; its baseline is beside it. */
function configuredGate({ settings, file = '' }: Asked): GateConfig {
  const { baseline, ...gate } = settings?.gate ?? {}
  return { ...gate, ...(baseline === undefined ? {} : { baseline: path.resolve(path.dirname(file), baseline) }) }
}

function heading(at: number, selected: readonly SelectedPart[], style: Style): string {
  const name = selected[at]?.subject ?? ''
  const text = `Part ${at + 1} of ${selected.length}: the ${name}`
  return `${at === 0 ? '' : '\n'}${paint(style, ['bold', 'cyan'], text)}\n`
}
