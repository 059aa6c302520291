import { existsSync } from 'node:fs'
import { nearest } from '../model/nearest.ts'
import { readBaseline, writeBaseline } from '../config/baseline.ts'
import type { Baseline } from '../config/baseline.ts'
import { extended, pruned } from '../runner/baseline.ts'
import type { Change } from '../runner/baseline.ts'
import { counted } from '../report/text.ts'
import { textOf, usage } from './args.ts'
import type { Given } from './args.ts'
import { caseIds } from './gate.ts'
import { readReports } from './reports.ts'

const ACTIONS = ['write', 'prune'] as const

/** Writes or prunes a baseline by a report, and prints what changed. */
export async function baselineCommand(given: Given, print: (text: string) => void): Promise<void> {
  const { action, file } = askedOf(given)
  const report = textOf(given, 'report')
  if (report === undefined) {
    throw usage('The report is missing', {
      command: `baseline ${action}`,
      instead: `trustspec baseline ${action} ${file} --report R.json`,
    })
  }
  const reason = reasonOf(given, action)
  const isThere = action === 'prune' || existsSync(file)
  const before: Baseline = isThere ? readBaseline(file, caseIds()) : { findings: [] }
  const cases = readReports(report).flatMap((one) => one.cases)
  const { findings, changes } =
    action === 'write' ? extended(before.findings, cases, reason) : pruned(before.findings, cases)
  if (reason === '') assertNothingAdded(changes)
  if (changes.length > 0 || !isThere) await writeBaseline(file, { ...before, findings })
  for (const change of changes) print(`${lineOf(change)}\n`)
  print(`${file}: ${changes.length === 0 ? 'nothing to change, ' : ''}${counted(findings.length, 'finding')}\n`)
}

function askedOf({ positionals }: Given): { readonly action: (typeof ACTIONS)[number]; readonly file: string } {
  const [name = '', file, ...more] = positionals
  const action = ACTIONS.find((one) => one === name)
  if (!action) {
    throw usage('There is no such action on a baseline', {
      given: name === '' ? 'nothing' : name,
      instead: `trustspec baseline ${nearest(name, ACTIONS)} FILE --report R.json`,
    })
  }
  if (file === undefined || more.length > 0) {
    throw usage('One baseline is written at a time', {
      given: counted(positionals.length - 1, 'file'),
      instead: `trustspec baseline ${action} FILE --report R.json`,
    })
  }
  return { action, file }
}

function reasonOf(given: Given, action: (typeof ACTIONS)[number]): string {
  const reason = textOf(given, 'reason')
  if (reason !== undefined && action !== 'write') {
    throw usage('The flag belongs to "baseline write"', { flag: '--reason', instead: 'leave it out' })
  }
  return reason?.trim() ?? ''
}

/** ERR_USAGE where a finding is new, and nothing says why it is accepted. */
function assertNothingAdded(changes: readonly Change[]): void {
  const added = changes.filter(({ kind }) => kind === 'added')
  const [first] = added
  if (!first) return
  throw usage('New findings need a reason for which they are accepted', {
    findings: added.length,
    first: first.case,
    instead: '--reason TEXT beside it; in the file, each can have its own afterwards',
  })
}

function lineOf({ kind, case: id, verdict, stimuli }: Change): string {
  const what = stimuli.length === 0 ? '' : `: ${stimuli.join(', ')}`
  return `${kind.padEnd(8)} ${id} ${verdict}${what}`
}
