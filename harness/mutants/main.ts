import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { CHAIN_SUITES, GATEWAY_SUITES, SUITES } from '../../suites/catalog.ts'
import type { Report } from '../model/result.ts'
import type { Selection } from '../runner/options.ts'
import { chosenFrom } from '../runner/select.ts'
import type { SelectableSuite } from '../runner/select.ts'
import { embeddedTarget } from '../targets/embedded.ts'
import { MUTANTS } from './catalog.ts'
import { CHAIN_MUTANTS } from './chain/catalog.ts'
import { judgeChain, killsOfChain } from './chain/judge.ts'
import { GATEWAY_MUTANTS } from './gateway/catalog.ts'
import { judgeGateway, killsOfGateway } from './gateway/judge.ts'
import { formatMatrix, unprovenCases } from './kill-matrix.ts'
import { failedIn, isAsDeclared, judge, killsOf } from './matrix.ts'
import type { Mutant } from './mutant.ts'

/** The mutants of one subject, and how it and they are judged. */
interface Part {
  readonly subject: string
  readonly suites: readonly SelectableSuite[]
  readonly reference: () => Promise<Report>
  readonly mutants: readonly {
    readonly mutant: Pick<Mutant, 'flaw' | 'kills' | 'spills'> & { readonly id: string }
    readonly kills: () => Promise<readonly string[]>
  }[]
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    suite: { type: 'string', multiple: true },
    case: { type: 'string', multiple: true },
    write: { type: 'boolean', default: false },
  },
})
const select: Selection = {
  ...(values.suite ? { suites: values.suite } : {}),
  ...(values.case ? { cases: values.case } : {}),
}
const parts: readonly Part[] = [
  {
    subject: 'origin',
    suites: SUITES,
    reference: () => judge(embeddedTarget, select),
    mutants: MUTANTS.map((mutant) => ({ mutant, kills: () => killsOf(mutant, select) })),
  },
  {
    subject: 'gateway',
    suites: GATEWAY_SUITES,
    reference: () => judgeGateway(undefined, select),
    mutants: GATEWAY_MUTANTS.map((mutant) => ({ mutant, kills: () => killsOfGateway(mutant, select) })),
  },
  {
    subject: 'chain',
    suites: CHAIN_SUITES,
    reference: () => judgeChain(undefined, select),
    mutants: CHAIN_MUTANTS.map((mutant) => ({ mutant, kills: () => killsOfChain(mutant, select) })),
  },
]
let wrong = 0
let dead = 0
let all = 0
for (const { subject, suites, reference, mutants } of parts) {
  const selected = chosenFrom(suites, select)
  if (selected.length === 0) continue
  const report = await reference()
  if (failedIn(report).length > 0) wrong += 1
  tellReference(subject, report)
  for (const { mutant, kills } of mutants) {
    const due = mutant.kills.filter((id) => selected.includes(id))
    if (!(values.only?.includes(mutant.id) ?? due.length > 0)) continue
    const killed = await kills()
    const isDeclared = isAsDeclared({ ...mutant, kills: due }, killed)
    all += 1
    if (killed.length > 0) dead += 1
    if (killed.length === 0 || !isDeclared) wrong += 1
    const note = killed.length === 0 ? 'SURVIVES' : isDeclared ? '' : `DECLARED OTHERWISE: ${due.join(', ')}`
    console.log(`${mutant.id}  ${mutant.flaw}\n     ${killed.join(', ')} ${note}`.trimEnd())
  }
}
if (values.write) writeFileSync(new URL('../../docs/kill-matrix.md', import.meta.url), formatMatrix())
const unproven = unprovenCases()
if (unproven.length > 0) console.error(`No mutant fails ${unproven.join(', ')}`)
console.log(`${dead} of ${all} mutants are killed.`)
process.exitCode = wrong > 0 || unproven.length > 0 ? 1 : 0

/** What the reference does not pass, leaves open or takes long for. */
function tellReference(subject: string, { cases, summary, durationMs, requests }: Report): void {
  for (const { id, verdict, durationMs: ms, reason, findings, notProven } of cases) {
    const notes = [
      ...(reason === undefined ? [] : [reason]),
      ...findings.map(({ stimulus, observed }) => `${stimulus}: ${observed}`),
      ...notProven.map(({ stimulus, reason: why }) => `not proven: ${stimulus} (${why})`),
    ]
    if (['pass', 'info'].includes(verdict) && notes.length === 0 && ms <= 300) continue
    console.log(`  ${verdict}  ${id}  ${ms} ms  ${notes.join('; ')}`.trimEnd())
  }
  console.log(`Reference ${subject}: ${JSON.stringify(summary)} ${durationMs} ms, ${requests} requests`)
}
