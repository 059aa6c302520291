import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ALL_SUITES, allCases } from '../../suites/catalog.ts'
import type { AnySuite } from '../../suites/catalog.ts'
import { caseResult } from '../model/result.testing.ts'
import type { Report } from '../model/result.ts'
import type { Verdict } from '../model/verdict.ts'
import { matrixHtml } from '../report/matrix/html.ts'
import { matrixMarkdown } from '../report/matrix/markdown.ts'
import { implementations } from './implementations.ts'
import { DATA_FILE, differences, pageOf, readRecorded, recordedOf, recordedText } from './recorded.ts'

const columns = readRecorded()

function committed(name: string): string {
  return readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')
}

test('docs/matrix.md and docs/matrix.html are what docs/matrix.json makes (npm run matrix -- --render)', () => {
  const page = pageOf(columns)

  expect(committed('matrix.md') === matrixMarkdown(page)).toBe(true)
  expect(committed('matrix.html') === matrixHtml(page)).toBe(true)
  expect(readFileSync(DATA_FILE, 'utf8') === recordedText(columns)).toBe(true)
})

test('every implementation has a column with every case (npm run matrix -- NAME)', () => {
  const key = ({ name, subject }: { readonly name: string; readonly subject: string }) => `${subject} ${name}`
  const ids = allCases<AnySuite>(ALL_SUITES).map(({ id }) => id)

  expect(columns.map(key)).toEqual(implementations().map(key))
  for (const { subject, name, cells } of columns) {
    expect(Object.keys(cells), name).toEqual(ids.filter((id) => id.startsWith(`${subject}/`)))
  }
})

test('nothing that differs between machines is kept', () => {
  expect(committed('matrix.json')).not.toMatch(/127\.0\.0\.1:\d|localhost:\d|\/tmp\/|eyJ|\b20\d\d-\d\d-\d\d\b/u)
})

const CASE = caseResult('origin/claims/iss-wrong', { verdict: 'fail-open' })

function reportOf(observed: string | readonly string[], verdict: Verdict = 'fail-open'): Report {
  const findings = [observed].flat().map((one) => {
    return { stimulus: 'one', expected: 'refused', observed: one, failure: 'fail-open' } as const
  })
  const cases = [{ ...CASE, verdict, findings: verdict === 'pass' ? [] : findings, reason: `At ${String(observed)}.` }]
  return { subject: 'origin', cases } as unknown as Report
}

test('what is kept stays as it is while only measured numbers change, and a verdict that changes is told', () => {
  const first = recordedOf('a', reportOf('12 fetches from 127.0.0.1:4711'))

  expect(JSON.stringify(first)).toContain('12 fetches from 127.0.0.1:PORT')
  expect(recordedOf('a', reportOf('9 fetches from 127.0.0.1:80'), first)).toEqual(first)
  expect(JSON.stringify(recordedOf('a', reportOf('nothing'), first))).toContain('nothing')
  const skipped = recordedOf('a', reportOf([], 'skip')).cells
  expect(skipped).toEqual({ [CASE.id]: { verdict: 'skip', reason: 'At .' } })

  // Findings of what is sent at the same time come in any order.
  const two = recordedOf('a', reportOf(['this', 'that']))
  expect(recordedOf('a', reportOf(['that', 'this']), two)).toEqual(two)
  expect(recordedOf('a', reportOf(['that', 'other']), two)).not.toEqual(two)

  expect(differences(reportOf('anything'), first)).toEqual([])
  expect(differences(reportOf('', 'pass'), first)).toEqual([`${CASE.id}: fail-open in docs/matrix.json, pass here`])
  expect(differences({ ...reportOf(''), cases: [] }, first)).toEqual([
    `${CASE.id}: fail-open in docs/matrix.json, nothing here`,
  ])
})
