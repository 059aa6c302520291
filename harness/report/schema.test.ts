import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { expect, test } from 'vitest'
import { judge } from '../mutants/matrix.ts'
import { MUTANTS } from '../mutants/catalog.ts'
import { judgeGateway } from '../mutants/gateway/judge.ts'
import { embeddedTarget } from '../targets/embedded.ts'
import { collected } from './collection.ts'

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
])('%s is valid', (_, report) => {
  validate(written(report))

  expect(validate.errors).toBeNull()
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
