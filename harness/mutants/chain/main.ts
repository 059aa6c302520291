import { parseArgs } from 'node:util'
import { failedIn } from '../matrix.ts'
import { CHAIN_MUTANTS } from './catalog.ts'
import { judgeChain, killsOfChain } from './judge.ts'

const { values } = parseArgs({
  options: { only: { type: 'string', multiple: true }, case: { type: 'string', multiple: true } },
})
const select = values.case ? { cases: values.case } : {}
let wrong = 0
const report = await judgeChain(undefined, select)
for (const { id, verdict, durationMs, reason, findings, notProven, measured } of report.cases) {
  const notes = [reason ?? '', ...findings.map(({ stimulus, observed }) => `${stimulus}: ${observed}`)]
  const open = notProven.map(({ stimulus, reason: why }) => `not proven: ${stimulus} (${why})`)
  const told = `${id} ${durationMs} ms ${JSON.stringify(measured)}`
  console.log(`reference: ${verdict} ${told} ${[...notes, ...open].join('\n    ')}`.trimEnd())
}
console.log(`reference: ${JSON.stringify(report.summary)} ${report.durationMs} ms, ${report.requests} requests`)
if (failedIn(report).length > 0) wrong += 1
for (const mutant of CHAIN_MUTANTS.filter(({ id }) => values.only?.includes(id) ?? true)) {
  const killed = await killsOfChain(mutant, select)
  const due = mutant.kills.filter((id) => !values.case || values.case.some((name) => id.endsWith(`/${name}`)))
  const isDeclared = killed.toSorted().join() === due.toSorted().join()
  if (!isDeclared || killed.length === 0) wrong += 1
  const note = killed.length === 0 ? 'SURVIVES' : isDeclared ? '' : `DECLARED OTHERWISE: ${due.join(', ')}`
  console.log(`${mutant.id}  ${mutant.flaw}\n     ${killed.join(', ')} ${note}`.trimEnd())
}
process.exitCode = wrong > 0 ? 1 : 0
