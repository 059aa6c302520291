import { describe, expect, test } from 'vitest'
import { SUITES } from '../../suites/catalog.ts'
import { embeddedKeys } from '../../fixtures/keys/keys.ts'
import { runOrigin } from '../runner/run.ts'
import { bundledOrigins, startBundled } from './bundled.ts'
import { hasRuntime } from './runtimes.testing.ts'

/** Making a virtual environment can take a minute where the registry is slow. */
const FIRST_USE_MS = 240_000

const CONTROL = 'origin/signature/control-valid'

const timeMoves = hasRuntime('faketime', 'the findings of samples that take more than 3 s')

describe.each(bundledOrigins())('$name', ({ name, start, expected }) => {
  const isTestable = hasRuntime(start.runtime, `the sample ${name}`)

  test.runIf(isTestable)('has exactly the findings that its origin.json lists', { timeout: FIRST_USE_MS }, async () => {
    const { preflight, cases, exit } = await runOrigin({
      suites: SUITES,
      select: {},
      start: (settings) => startBundled(name, settings, console.log),
      control: { kind: 'issuer', keys: embeddedKeys(), port: 0 },
      profile: {},
      seed: 1,
      deadlineMs: 5_000,
      on: () => undefined,
      signal: new AbortController().signal,
    })
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
    expect(exit.code).toBe(expected.every(({ accepted }) => accepted) ? 0 : 1)
  })
})
