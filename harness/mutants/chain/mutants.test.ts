import { describe, expect, test } from 'vitest'
import { allCases, CHAIN_SUITES } from '../../../suites/catalog.ts'
import { failedIn } from '../matrix.ts'
import { CHAIN_MUTANTS } from './catalog.ts'
import { judgeChain, killsOfChain } from './judge.ts'
import { startChainPole } from './poles.ts'

const SHORT_MS = 300

/** Everything at once on a machine that has other things to do. */
const WHOLE_MS = 120_000

test(
  'the reference gateway in front of the reference origin passes every case, none left out',
  { timeout: WHOLE_MS },
  async () => {
    const report = await judgeChain()

    expect(report.cases.map(({ id }) => id)).toEqual(allCases(CHAIN_SUITES).map(({ id }) => id))
    expect(report.cases.filter(({ verdict }) => verdict !== 'pass')).toEqual([])
    expect(report.cases.filter(({ stimuli }) => stimuli === 0)).toEqual([])
    expect(report.cases.flatMap(({ notProven }) => notProven)).toEqual([])
    expect(report.subject).toBe('chain')
    expect(report.exit.code).toBe(0)
  },
)

test.each(CHAIN_MUTANTS)('$id, which $flaw, fails exactly what it must', async (mutant) => {
  const killed = await killsOfChain(mutant)

  expect(killed.toSorted()).toEqual([...mutant.kills].toSorted())
  expect(mutant.kills).not.toEqual([])
})

describe('poles', () => {
  test.each([
    ['refuses-all', 'fail-closed', 'nothing passed the tap, so check the key'],
    ['forwards-nowhere', 'fail-crash', 'is answered with status 502'],
    ['answers-itself', 'fail', 'but nothing passed the tap'],
    ['hangs', 'fail-crash', 'The gateway does not answer a request without a key'],
  ] as const)('%s: one cause, and nothing passes', async (pole, verdict, cause) => {
    const report = await judgeChain((settings) => startChainPole(pole, settings), {}, SHORT_MS)

    expect(report.preflight.cause).toContain(cause)
    expect(report.summary.pass).toBe(0)
    expect(failedIn(report)).toEqual(['chain/happy-path'])
    expect(report.cases[0]?.verdict).toBe(verdict)
    expect(report.exit.code).toBe(1)
  })

  test('dead: the run ends before the first case', async () => {
    await expect(judgeChain((settings) => startChainPole('dead', settings))).rejects.toMatchObject({
      code: 'ERR_TARGET_UNREACHABLE',
    })
  })
})
