import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { writeWhole } from '../report/files.ts'
import { matrixHtml } from '../report/matrix/html.ts'
import { matrixMarkdown } from '../report/matrix/markdown.ts'
import { implementations, REFERENCE } from './implementations.ts'
import { judgedGateway, judgedOrigin, judgedReference } from './judged.ts'
import { DATA_FILE, differences, pageOf, readRecorded, recordedOf, recordedText } from './recorded.ts'
import type { Recorded } from './recorded.ts'

/**
 * Writes docs/matrix.*: judges every implementation, or those that are named, and keeps what is recorded of the others.
 * With --render, nothing is run.
 */
const { values, positionals } = parseArgs({
  options: { render: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const all = implementations()
const unknown = positionals.filter((name) => !all.some((one) => one.name === name))
if (unknown.length > 0) {
  const names = [...new Set(all.map(({ name }) => name))].join(', ')
  console.error(`There is no implementation named ${unknown.join(' or ')}; instead: ${names}.`)
  process.exit(2)
}

const interrupted = new AbortController()
process.once('SIGINT', () => {
  interrupted.abort()
})

const recorded = existsSync(DATA_FILE) ? readRecorded() : []
const columns: Recorded[] = []
for (const [at, { name, subject }] of all.entries()) {
  const before = recorded.find((one) => one.name === name && one.subject === subject)
  const isChosen = !values.render && (positionals.length === 0 || positionals.includes(name))
  if (!isChosen) {
    if (before) columns.push(before)
    continue
  }
  process.stdout.write(`${at + 1} of ${all.length}: the ${subject} ${name} … `)
  const began = performance.now()
  const judged = subject === 'origin' ? judgedOrigin : judgedGateway
  const report = await (name === REFERENCE
    ? judgedReference(subject === 'origin' ? 'origin' : 'gateway', interrupted.signal)
    : judged(name, console.log, interrupted.signal))
  const counts = Object.entries(report.summary).flatMap(([verdict, number]) =>
    number === 0 ? [] : `${number} ${verdict}`,
  )
  console.log(`${counts.join(', ')} (${((performance.now() - began) / 1000).toFixed(1)} s)`)
  if (before) for (const line of differences(report, before)) console.log(`  ${line}`)
  columns.push(recordedOf(name, report, before))
}
const page = pageOf(columns)
const file = (name: string): string => fileURLToPath(new URL(`../../docs/${name}`, import.meta.url))
await writeWhole(recordedText(columns), DATA_FILE, 'the data')
await writeWhole(matrixMarkdown(page), file('matrix.md'), 'the Markdown')
await writeWhole(matrixHtml(page), file('matrix.html'), 'the page')
console.log('docs/matrix.json, docs/matrix.md and docs/matrix.html are written.')
