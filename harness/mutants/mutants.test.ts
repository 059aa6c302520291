import { describe, expect, test } from 'vitest'
import { allCases } from '../../suites/catalog.ts'
import { REFERENCE } from '../matrix/implementations.ts'
import { unlike } from '../matrix/recorded.testing.ts'
import { embeddedTarget } from '../targets/embedded.ts'
import { MUTANTS } from './catalog.ts'
import { failedIn, isAsDeclared, judge, killsOf, suitesOf } from './matrix.ts'
import { startPole } from './poles.ts'

/** Cases about the text of refusals and the headers of acceptances, which a pole may get right. */
const TEXT_ONLY = ['origin/challenge/no-detail-leak', 'origin/challenge/shared-cache-safe']

const SHORT_MS = 300

/** Everything at once on a machine that has other things to do. */
const WHOLE_MS = 120_000

test('the reference origin passes every case, none left out', { timeout: WHOLE_MS }, async () => {
  const report = await judge(embeddedTarget)

  expect(report.cases.map(({ id }) => id)).toEqual(allCases().map(({ id }) => id))
  const judged = report.cases.filter(({ level }) => level !== 'INFO')
  expect(judged.filter(({ verdict }) => verdict !== 'pass')).toEqual([])
  expect(judged.filter(({ stimuli }) => stimuli === 0)).toEqual([])
  expect(report.cases.filter(({ verdict }) => verdict === 'info').map(({ id }) => id)).toEqual([
    'origin/observed/leniency',
  ])
  expect(unlike(REFERENCE, report)).toEqual([])
  expect(report.cases.flatMap(({ notProven }) => notProven)).toEqual([])
  expect(report.exit.code).toBe(0)
})

test.each(MUTANTS)('$id, which $flaw, fails exactly what it must of their suites', async (mutant) => {
  const killed = await killsOf(mutant, suitesOf(mutant))

  if (mutant.spills) expect(killed).toEqual(expect.arrayContaining([...mutant.kills]))
  else expect(killed.toSorted()).toEqual([...mutant.kills].toSorted())
  expect(isAsDeclared(mutant, killed)).toBe(true)
  expect(mutant.kills).not.toEqual([])
})

describe('poles', () => {
  test.each([
    ['refuses-all', 'fail-closed', 'A valid token is not accepted'],
    ['fails-all', 'fail-crash', 'A valid token is answered with 500'],
    ['hangs', 'fail-crash', 'The origin does not answer a request without a token'],
  ] as const)('%s: one cause, and nothing passes', async (pole, verdict, cause) => {
    const report = await judge(() => startPole(pole), {}, SHORT_MS)

    expect(report.preflight.cause).toContain(cause)
    expect(report.summary.pass).toBe(0)
    expect(failedIn(report)).toEqual(['origin/signature/control-valid'])
    expect(report.cases[0]?.verdict).toBe(verdict)
    expect(report.exit.code).toBe(1)
  })

  test.each(['accepts-all', 'believes-all'] as const)('%s: nothing that refuses or accepts passes', async (pole) => {
    const report = await judge(() => startPole(pole))

    const passed = report.cases.filter(({ verdict }) => verdict === 'pass').map(({ id }) => id)

    expect(passed.filter((id) => !TEXT_ONLY.includes(id))).toEqual([])
    expect(report.summary['fail-open']).toBeGreaterThan(30)
    expect(report.preflight.checks.find(({ name }) => name === 'needs a token')?.ok).toBe(false)
    expect(report.exit.code).toBe(1)
  })

  test('dead: the run ends before the first case', async () => {
    await expect(judge(() => startPole('dead'))).rejects.toMatchObject({ code: 'ERR_TARGET_UNREACHABLE' })
  })
})
