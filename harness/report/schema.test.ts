import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { expect, test } from 'vitest'
import { judge } from '../mutants/matrix.ts'
import { MUTANTS } from '../mutants/catalog.ts'
import { judgeGateway } from '../mutants/gateway/judge.ts'
import { embeddedTarget } from '../targets/embedded.ts'
import type { Report } from '../model/result.ts'
import { collected } from './collection.ts'
import { compareReports } from './compare.ts'
import { EVERYTHING } from './report.testing.ts'

const schema = JSON.parse(readFileSync(new URL('./report.schema.json', import.meta.url), 'utf8')) as object
const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema)

const passing = await judge(embeddedTarget)
const flaw = MUTANTS.find(({ id }) => id === 'O48')
const ofGateway = await judgeGateway()
const failing = await judge((settings) => embeddedTarget(settings, flaw?.steps))

/** As it stands in a file: without what JSON cannot hold. */
function written(report: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(report)) as Record<string, unknown>
}

test.each([
  ['a run without findings', passing],
  ['a run with findings', failing],
  ['a report with every verdict and every optional member', EVERYTHING],
])('%s is valid', (_, report) => {
  validate(written(report))

  expect(validate.errors).toBeNull()
})

test('what a baseline, an edition and a budget add is valid, and is no stranger to a comparison', () => {
  const accepted = {
    case: 'a',
    verdict: 'fail-open',
    reason: 'b',
    accepted: true,
    stimuli: ['c'],
    expires: '2026-01-01',
  }
  const [first, ...rest] = written(failing)['cases'] as object[]
  const finding = { stimulus: 'c', expected: 'd', observed: 'e', failure: 'fail-open', known: true }
  const more = {
    ...first,
    upcoming: '2026.2',
    findings: [finding],
    known: { ...accepted, issue: 'https://example.com' },
  }
  const report = {
    ...written(failing),
    cases: [more, ...rest],
    edition: '2026.1',
    stale: [accepted],
    expired: [accepted],
  }

  validate(report)
  expect(validate.errors).toBeNull()
  expect(validate({ ...report, expired: [{ ...accepted, expires: 'soon' }] })).toBe(false)
  expect(Object.values(compareReports(report as unknown as Report, failing)).flat()).toEqual([])
})

test('a run against a gateway, and several runs together, are valid', () => {
  for (const report of [ofGateway, collected([passing, ofGateway])]) {
    validate(written(report))
    expect(validate.errors).toBeNull()
  }
})

test.each(['version', 'reports', 'exit'])('several reports without %s are invalid', (member) => {
  const { [member]: _, ...rest } = written(collected([passing]))

  expect(validate(rest)).toBe(false)
  expect(validate(written(collected([])))).toBe(false)
})

test.each(Object.keys(written(passing)))('a report without %s is invalid', (member) => {
  const { [member]: _, ...rest } = written(failing)

  expect(validate(rest)).toBe(false)
})

test('an unknown verdict and an unknown member are invalid', () => {
  const report = written(failing)
  const [first, ...rest] = report['cases'] as object[]

  expect(validate({ ...report, cases: [{ ...first, verdict: 'passed' }, ...rest] })).toBe(false)
  expect(validate({ ...report, cases: [{ ...first, extra: 1 }, ...rest] })).toBe(false)
  expect(validate({ ...report, extra: 1 })).toBe(false)
})
