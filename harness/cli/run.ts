import { randomInt } from 'node:crypto'
import type { Report, ReportCollection } from '../model/result.ts'
import { formatReport } from '../report/console.ts'
import { closingLine, collected } from '../report/collection.ts'
import { assertWritable, writeJson } from '../report/json.ts'
import { createProgress } from '../report/progress.ts'
import { paint } from '../report/text.ts'
import type { Style } from '../report/text.ts'
import { numberOf, textOf } from './args.ts'
import type { Given } from './args.ts'
import type { Common, Part } from './part.ts'
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
  const selected = selectParts(asked.subjects, select)
  const seed = numberOf(given, 'seed', 0, 2 ** 32 - 1) ?? randomInt(2 ** 32)
  const isWhole = Object.keys(select).length === 0
  const common = {
    seed,
    deadlineMs: (numberOf(given, 'timeout', 1, 600) ?? 5) * 1000,
    strict: given.values['strict'] === true,
    allowInconclusive: given.values['allow-inconclusive'] === true,
    behaviour: isWhole || given.values['behaviour'] === true,
  }
  const json = textOf(given, 'json')
  if (json !== undefined) await assertWritable(json)
  if (asked.file !== undefined) print(`Configuration: ${asked.file}\n`)
  const isOne = asked.subjects.length === 1
  const isAlone = selected.length === 1
  const reports: Report[] = []
  for (const [at, one] of selected.entries()) {
    const part = await partOf(given, { ...common, select: one.select }, one, asked)
    if (!isAlone) print(heading(at, selected, style))
    reports.push(await runPart(part, one.count, seed, output, given, signal))
  }
  const whole = collected(reports)
  if (!isAlone) print(`\n${closingLine(whole, style)}\n`)
  if (json !== undefined) {
    await writeJson((isOne ? reports[0] : undefined) ?? whole, json)
    print(`The report is in ${json}\n`)
  }
  return whole
}

async function runPart(
  part: Part,
  count: number,
  seed: number,
  { print, progress: stream, style }: Output,
  given: Given,
  signal: AbortSignal,
): Promise<Report> {
  const progress = createProgress(stream)
  const cases = `${count} case${count === 1 ? '' : 's'}`
  print(`${paint(style, 'bold', 'trustspec')}: ${cases} against ${part.says}, seed ${seed}\n`)
  const report = await part.run({ print, progress }, signal).finally(() => {
    progress.end()
  })
  print(`\n${formatReport(report, style, given.values['verbose'] === true)}`)
  return report
}

function heading(at: number, selected: readonly SelectedPart[], style: Style): string {
  const name = selected[at]?.subject ?? ''
  const text = `Part ${at + 1} of ${selected.length}: the ${name}`
  return `${at === 0 ? '' : '\n'}${paint(style, ['bold', 'cyan'], text)}\n`
}

async function partOf(given: Given, common: Common, { subject }: SelectedPart, asked: Asked): Promise<Part> {
  const { settings } = asked
  if (subject === 'origin') {
    const { originPart } = await import('./run-origin.ts')
    return await originPart(given, common, settings?.subject === subject ? settings.origin : undefined)
  }
  if (subject === 'gateway') {
    const { gatewayPart } = await import('./run-gateway.ts')
    return await gatewayPart(given, common, settings?.subject === subject ? settings.gateway : undefined)
  }
  const { chainPart } = await import('./run-chain.ts')
  return await chainPart(given, common, settings?.subject === subject ? settings : undefined)
}
