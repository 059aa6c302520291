import { describe, expect, test } from 'vitest'
import { SUITES } from '../../suites/catalog.ts'
import { embeddedKeys } from '../../fixtures/keys/keys.ts'
import { runOrigin } from '../runner/run.ts'
import { bundledOrigins, startBundled } from './bundled.ts'
import { hasRuntime } from './runtimes.testing.ts'

/** Making a virtual environment can take a minute where the registry is slow. */
const FIRST_USE_MS = 240_000

const testable = bundledOrigins().filter(({ name, start }) => hasRuntime(start.runtime, `the sample ${name}`))

describe.each(testable)('$name', (origin) => {
  test('has exactly the findings that its origin.json lists', { timeout: FIRST_USE_MS }, async () => {
    const report = await runOrigin({
      suites: SUITES,
      select: {},
      start: (settings) => startBundled(origin.name, settings, console.log),
      control: { kind: 'issuer', keys: embeddedKeys(), port: 0 },
      profile: {},
      seed: 1,
      deadlineMs: 5_000,
      strict: false,
      allowInconclusive: false,
      on: () => undefined,
      signal: new AbortController().signal,
    })

    const unjudged = report.preflight.cause === undefined ? ['skip'] : ['skip', 'inconclusive']
    const found = report.cases.filter(({ verdict }) => !['pass', 'info', ...unjudged].includes(verdict))

    expect(found.map(({ id, verdict }) => `${id} ${verdict}`)).toEqual(
      origin.expected.map((entry) => `${entry.case} ${entry.verdict}`),
    )
    expect(report.exit.code).toBe(origin.expected.every(({ accepted }) => accepted) ? 0 : 1)
  })
})
