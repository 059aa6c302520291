import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { embeddedTarget } from '../targets/embedded.ts'
import { MUTANTS } from './catalog.ts'
import { failedIn, formatMatrix, isAsDeclared, judge, killsOf } from './matrix.ts'

const { values } = parseArgs({
  options: { write: { type: 'boolean', default: false }, only: { type: 'string', multiple: true } },
})
const chosen = MUTANTS.filter(({ id }) => values.only?.includes(id) ?? true)
const kills = new Map<string, readonly string[]>()
let wrong = 0

const reference = failedIn(await judge(embeddedTarget))
if (reference.length > 0) {
  wrong += 1
  console.error(`The reference origin fails ${reference.join(', ')}`)
}
for (const mutant of chosen) {
  const killed = await killsOf(mutant)
  kills.set(mutant.id, killed)
  const asDeclared = isAsDeclared(mutant, killed)
  if (killed.length === 0 || !asDeclared) wrong += 1
  const note = killed.length === 0 ? 'SURVIVES' : asDeclared ? '' : `DECLARED OTHERWISE: ${mutant.kills.join(', ')}`
  console.log(`${mutant.id}  ${mutant.flaw}\n     ${killed.join(', ')} ${note}`.trimEnd())
}
const matrix = formatMatrix(kills)
const file = new URL('../../docs/kill-matrix.md', import.meta.url)
if (values.write && !values.only) writeFileSync(file, matrix)
else if (!values.only) console.log(`\n${matrix}`)
const missed = chosen.length - [...kills.values()].filter((killed) => killed.length > 0).length
console.log(`${chosen.length - missed} of ${chosen.length} mutants are killed.`)
process.exitCode = wrong > 0 ? 1 : 0
