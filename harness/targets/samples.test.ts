import { describe, expect, test } from 'vitest'
import { judgedOrigin } from '../matrix/judged.ts'
import { unlike } from '../matrix/recorded.testing.ts'
import { bundledOrigins } from './bundled.ts'
import { hasRuntime } from './runtimes.testing.ts'

/** Making a virtual environment can take a minute where the registry is slow. */
const FIRST_USE_MS = 240_000

const CONTROL = 'origin/signature/control-valid'

const timeMoves = hasRuntime('faketime', 'the findings of samples that take more than 3 s')

describe.each(bundledOrigins())('$name', ({ name, start, expected }) => {
  const isTestable = hasRuntime(start.runtime, `the sample ${name}`)

  test.runIf(isTestable)(
    'has the findings that its origin.json lists, and the verdicts of docs/matrix.json',
    { timeout: FIRST_USE_MS },
    async () => {
      const report = await judgedOrigin(name, console.log)
      const { preflight, cases, exit } = report
      // Of a sample that refuses every valid token the control is judged, and nothing else can be.
      const isBroken = expected.some((entry) => entry.case === CONTROL)
      if (!isBroken) expect(preflight.cause).toBeUndefined()
      const unjudged = isBroken ? ['skip', 'inconclusive'] : ['skip']
      const found = cases
        .filter(({ verdict }) => !['pass', 'info', ...unjudged].includes(verdict))
        .map(({ id, verdict }) => `${id} ${verdict}`)
      const listed = expected.map((entry) => `${entry.case} ${entry.verdict}`)

      // Where time does not move, some of them cannot show; what does show has to be listed all the same.
      expect(found).toEqual(timeMoves ? listed : listed.filter((line) => found.includes(line)))
      expect(unlike(name, report, timeMoves ? [] : ['skip'])).toEqual([])
      expect(exit.code).toBe(expected.every(({ accepted }) => accepted) ? 0 : 1)
    },
  )
})
