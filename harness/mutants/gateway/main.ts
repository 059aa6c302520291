import { parseArgs } from 'node:util'
import { failedIn } from '../matrix.ts'
import { GATEWAY_MUTANTS } from './catalog.ts'
import { judgeGateway, killsOfGateway } from './judge.ts'

const { values } = parseArgs({
  options: { only: { type: 'string', multiple: true }, suite: { type: 'string', multiple: true } },
})
const select = values.suite ? { suites: values.suite } : {}
let wrong = 0
const report = await judgeGateway(undefined, select)
for (const { id, verdict, durationMs, reason, findings, notProven } of report.cases) {
  const notes = [reason ?? '', ...findings.map(({ stimulus, observed }) => `${stimulus}: ${observed}`)]
  const open = notProven.map(({ stimulus, reason: why }) => `not proven: ${stimulus} (${why})`)
  if (!['pass', 'info'].includes(verdict) || open.length > 0 || durationMs > 300) {
    console.log(`reference: ${verdict} ${id} ${durationMs} ms ${[...notes, ...open].join('\n    ')}`)
  }
}
console.log(`reference: ${JSON.stringify(report.summary)} ${report.durationMs} ms, ${report.requests} requests`)
if (failedIn(report).length > 0) wrong += 1
for (const mutant of GATEWAY_MUTANTS.filter(({ id }) => values.only?.includes(id) ?? true)) {
  const killed = await killsOfGateway(mutant, select)
  const due = mutant.kills.filter((id) => !values.suite || values.suite.some((name) => id.includes(`${name}/`)))
  const isSpilt = mutant.spills === true && due.every((id) => killed.includes(id))
  const isDeclared = isSpilt || killed.toSorted().join() === due.toSorted().join()
  if (!isDeclared || killed.length === 0) wrong += 1
  const note = killed.length === 0 ? 'SURVIVES' : isDeclared ? '' : `DECLARED OTHERWISE: ${due.join(', ')}`
  console.log(`${mutant.id}  ${mutant.flaw}\n     ${killed.join(', ')} ${note}`.trimEnd())
}
process.exitCode = wrong > 0 ? 1 : 0
