import { expect, test } from 'vitest'
import { judge } from '../mutants/matrix.ts'
import { MUTANTS } from '../mutants/catalog.ts'
import type { Report } from '../model/result.ts'
import { embeddedTarget } from '../targets/embedded.ts'
import { compareReports, formatComparison, merged } from './compare.ts'

const steps = MUTANTS.find(({ id }) => id === 'O51')?.steps
const sound = {
  ...(await judge(embeddedTarget)),
  behaviour: [{ name: 'a', title: 'a leeway', unit: 's' as const, value: 5 }],
}
const flawed: Report = {
  ...(await judge((settings) => embeddedTarget(settings, steps))),
  behaviour: [
    { name: 'a', title: 'a leeway', unit: 's', value: 60 },
    { name: 'b', title: 'a flag', value: true },
  ],
}

test('a report compared with itself has no difference', () => {
  const comparison = compareReports(sound, sound)

  expect(Object.values(comparison).flat()).toEqual([])
  expect(formatComparison(comparison, { colour: false })).toBe('Nothing changed.')
})

test('what broke is worse, what was mended is better, and measured values stand apart', () => {
  const broken = compareReports(sound, flawed)
  const what = 'origin/expired-tokens/max-age'

  expect(broken.worse).toEqual([{ what, before: 'pass', after: 'fail-open' }])
  expect(compareReports(flawed, sound).better).toEqual([{ what, before: 'fail-open', after: 'pass' }])
  expect(broken.behaviour).toEqual([
    { what: 'a leeway', before: '5 s', after: '60 s' },
    { what: 'a flag', before: 'absent', after: 'yes' },
  ])
  expect(formatComparison(broken, { colour: false })).toContain(`Worse\n  ${what}: pass -> fail-open\n`)
})

test('a case that is no longer judged is neither better nor worse', () => {
  const skipped = { ...sound, cases: sound.cases.slice(1) }

  expect(compareReports(sound, skipped)).toMatchObject({
    worse: [],
    other: [{ what: 'origin/signature/control-valid', before: 'pass', after: 'absent' }],
  })
})

test('reports of several subjects are compared as one; their properties tell whose they are', () => {
  const gateway: Report = { ...flawed, subject: 'gateway', cases: [] }
  const comparison = compareReports(merged([sound], true), merged([flawed, gateway], true))

  expect(comparison.worse).toHaveLength(1)
  expect(comparison.behaviour.map(({ what, before }) => `${what}: ${before}`)).toEqual([
    'a leeway (origin): 5 s',
    'a flag (origin): absent',
    'a leeway (gateway): absent',
    'a flag (gateway): absent',
  ])
})
