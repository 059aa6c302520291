import { expect, test } from 'vitest'
import { caseResult } from '../model/result.testing.ts'
import type { CaseResult, Report } from '../model/result.ts'
import { FAILS_BY_DEFAULT } from '../model/verdict.ts'
import type { Level, Verdict } from '../model/verdict.ts'
import { failingBy } from '../model/fail-on.ts'
import type { FailOnWord } from '../model/fail-on.ts'
import { judge, whyWorthless } from './judge.ts'

function result(verdict: Verdict, level: Level = 'MUST', more: Partial<CaseResult> = {}): CaseResult {
  return caseResult('origin/claims/iss-wrong', { level, verdict, remedy: 'Compare iss.', ...more })
}

const ACCEPTED = { case: 'origin/claims/iss-wrong', verdict: 'fail-open', reason: 'Known.', accepted: true } as const

test.each([
  ['pass', 'MUST', undefined, 'pass'],
  ['info', 'INFO', undefined, 'pass'],
  ['fail-open', 'MUST', undefined, 'fail'],
  ['fail-crash', 'MUST', undefined, 'fail'],
  ['fail-closed', 'MAY', undefined, 'fail'],
  ['fail', 'MUST', undefined, 'fail'],
  ['warn', 'SHOULD', undefined, 'warning'],
  ['warn', 'SHOULD', ['should'], 'fail'],
  ['inconclusive', 'MUST', undefined, 'fail'],
  ['inconclusive', 'MUST', ['must'], 'warning'],
  ['inconclusive', 'SHOULD', undefined, 'warning'],
  ['skip', 'MUST', undefined, 'skip'],
] as const satisfies readonly (readonly [Verdict, Level, readonly FailOnWord[] | undefined, string])[])(
  '%s of a %s with %j: %s',
  (verdict, level, words, kind) => {
    expect(judge(result(verdict, level), 'origin', words ? failingBy(words) : FAILS_BY_DEFAULT).kind).toBe(kind)
  },
)

test('a failure tells the finding', () => {
  const finding = {
    stimulus: 'iss of another',
    expected: 'refused',
    observed: 'status 200',
    failure: 'fail-open',
  } as const
  const { text } = judge(result('fail-open', 'MUST', { findings: [finding] }), 'origin', FAILS_BY_DEFAULT)
  expect(text).toContain('The origin refuses a token of another issuer.')
  expect(text).toMatch(/stimulus +iss of another\nexpected +refused\nobserved +status 200/u)
  expect(text).toMatch(/remedy +Compare iss\./u)
})

test('an accepted finding, and a case that does not count yet, do not fail', () => {
  expect(judge(result('fail-open', 'MUST', { known: ACCEPTED }), 'origin', FAILS_BY_DEFAULT).kind).toBe('warning')
  expect(
    judge(result('fail-open', 'MUST', { known: { ...ACCEPTED, accepted: false } }), 'origin', FAILS_BY_DEFAULT).kind,
  ).toBe('fail')
  expect(judge(result('fail-open', 'MUST', { upcoming: '2027.1' }), 'origin', FAILS_BY_DEFAULT).kind).toBe('warning')
})

test('a skip says what is missing, or why', () => {
  const missing = [{ capability: 'typ', says: 'a declared typ', unlock: '"typ"' }]
  expect(judge(result('skip', 'MUST', { missing }), 'origin', FAILS_BY_DEFAULT).text).toBe(
    'needs a declared typ: "typ"',
  )
  expect(judge(result('skip', 'MUST', { reason: 'No route.' }), 'origin', FAILS_BY_DEFAULT).text).toBe('No route.')
})

test('a report that proves nothing, or has a stale finding, is worthless', () => {
  const report = (cases: readonly CaseResult[], stale: Report['stale'] = []) => ({ cases, stale }) as unknown as Report
  expect(whyWorthless(report([result('pass')]), FAILS_BY_DEFAULT)).toBeUndefined()
  expect(whyWorthless(report([result('skip'), result('inconclusive')]), FAILS_BY_DEFAULT)).toBe(
    'Nothing was judged, so nothing is proven.',
  )
  expect(whyWorthless(report([result('pass')], [ACCEPTED]), FAILS_BY_DEFAULT)).toContain('is no longer fail-open')
})
