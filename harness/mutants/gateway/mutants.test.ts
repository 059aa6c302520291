import { describe, expect, test } from 'vitest'
import { allCases, GATEWAY_SUITES } from '../../../suites/catalog.ts'
import { REFERENCE } from '../../matrix/implementations.ts'
import { unlike } from '../../matrix/recorded.testing.ts'
import { failedIn, suitesOf } from '../matrix.ts'
import { GATEWAY_MUTANTS } from './catalog.ts'
import { judgeGateway, killsOfGateway } from './judge.ts'
import { startGatewayPole } from './poles.ts'

const SHORT_MS = 300

/** Everything at once on a machine that has other things to do. */
const WHOLE_MS = 120_000

test('the reference gateway passes every case, none left out', { timeout: WHOLE_MS }, async () => {
  const report = await judgeGateway()

  expect(report.cases.map(({ id }) => id)).toEqual(allCases(GATEWAY_SUITES).map(({ id }) => id))
  const judged = report.cases.filter(({ level }) => level !== 'INFO')
  expect(judged.filter(({ verdict }) => verdict !== 'pass')).toEqual([])
  expect(judged.filter(({ stimuli }) => stimuli === 0)).toEqual([])
  expect(report.cases.filter(({ verdict }) => verdict === 'info').map(({ id }) => id)).toEqual([
    'gateway/observed/notes',
  ])
  expect(unlike(REFERENCE, report)).toEqual([])
  expect(report.cases.flatMap(({ notProven }) => notProven)).toEqual([])
  expect(report.exit.code).toBe(0)
})

test.each(GATEWAY_MUTANTS)('$id, which $flaw, fails exactly what it must of their suites', async (mutant) => {
  const killed = await killsOfGateway(mutant, suitesOf(mutant))

  if (mutant.spills) expect(killed).toEqual(expect.arrayContaining([...mutant.kills]))
  else expect(killed.toSorted()).toEqual([...mutant.kills].toSorted())
  expect([...mutant.kills, ...(mutant.chain ?? [])]).not.toEqual([])
})

describe('poles', () => {
  test.each([
    ['refuses-all', 'fail-closed', 'is not let in'],
    ['fails-all', 'fail-crash', 'is answered with status 500'],
    ['answers-itself', 'fail', 'nothing reached the capture origin'],
    ['hangs', 'fail-crash', 'The gateway does not answer a request without a key'],
  ] as const)('%s: one cause, and nothing passes', async (pole, verdict, cause) => {
    const report = await judgeGateway((settings) => startGatewayPole(pole, settings), {}, SHORT_MS)

    expect(report.preflight.cause).toContain(cause)
    expect(report.summary.pass).toBe(0)
    expect(failedIn(report)).toEqual(['gateway/key-auth/control-valid'])
    expect(report.cases[0]?.verdict).toBe(verdict)
    expect(report.exit.code).toBe(1)
  })

  test('forwards-all: nothing that refuses or carries a token passes', async () => {
    const report = await judgeGateway((settings) => startGatewayPole('forwards-all', settings), {})

    const passed = report.cases.filter(({ verdict }) => verdict === 'pass').map(({ id }) => id)
    const guarding = /^gateway\/(?:key-auth|token|jwks)\//u
    expect(passed.filter((id) => guarding.test(id))).toEqual([])
    expect(report.exit.code).toBe(1)
  })

  test('dead: the run ends before the first case', async () => {
    await expect(judgeGateway((settings) => startGatewayPole('dead', settings))).rejects.toMatchObject({
      code: 'ERR_TARGET_UNREACHABLE',
    })
  })
})
