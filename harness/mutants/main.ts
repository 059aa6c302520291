import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { embeddedTarget } from '../targets/embedded.ts'
import { MUTANTS } from './catalog.ts'
import { CHAIN_MUTANTS } from './chain/catalog.ts'
import { judgeChain, killsOfChain } from './chain/judge.ts'
import { GATEWAY_MUTANTS } from './gateway/catalog.ts'
import { judgeGateway, killsOfGateway } from './gateway/judge.ts'
import { formatMatrix, unprovenCases } from './kill-matrix.ts'
import { failedIn, isAsDeclared, judge, killsOf } from './matrix.ts'

const { values } = parseArgs({
  options: { write: { type: 'boolean', default: false }, only: { type: 'string', multiple: true } },
})
const isChosen = ({ id }: { readonly id: string }): boolean => values.only?.includes(id) ?? true
let wrong = 0
let dead = 0
let all = 0

const tell = (
  id: string,
  flaw: string,
  due: readonly string[],
  killed: readonly string[],
  asDeclared: boolean,
): void => {
  all += 1
  if (killed.length > 0) dead += 1
  if (killed.length === 0 || !asDeclared) wrong += 1
  const note = killed.length === 0 ? 'SURVIVES' : asDeclared ? '' : `DECLARED OTHERWISE: ${due.join(', ')}`
  console.log(`${id}  ${flaw}\n     ${killed.join(', ')} ${note}`.trimEnd())
}

const origin = failedIn(await judge(embeddedTarget))
const gateway = failedIn(await judgeGateway())
const chain = failedIn(await judgeChain())
for (const [name, failed] of [
  ['origin', origin],
  ['gateway', gateway],
  ['chain', chain],
] as const) {
  if (failed.length === 0) continue
  wrong += 1
  console.error(`The reference ${name} fails ${failed.join(', ')}`)
}
for (const mutant of MUTANTS.filter(isChosen)) {
  const killed = await killsOf(mutant)
  tell(mutant.id, mutant.flaw, mutant.kills, killed, isAsDeclared(mutant, killed))
}
for (const mutant of GATEWAY_MUTANTS.filter(isChosen)) {
  const killed = await killsOfGateway(mutant)
  tell(mutant.id, mutant.flaw, mutant.kills, killed, killed.toSorted().join() === mutant.kills.toSorted().join())
}
for (const mutant of CHAIN_MUTANTS.filter(isChosen)) {
  const killed = await killsOfChain(mutant)
  tell(mutant.id, mutant.flaw, mutant.kills, killed, killed.toSorted().join() === mutant.kills.toSorted().join())
}
if (values.write) writeFileSync(new URL('../../docs/kill-matrix.md', import.meta.url), formatMatrix())
const unproven = unprovenCases()
if (unproven.length > 0) console.error(`No mutant fails ${unproven.join(', ')}`)
console.log(`${dead} of ${all} mutants are killed.`)
process.exitCode = wrong > 0 || unproven.length > 0 ? 1 : 0
