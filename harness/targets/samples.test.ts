import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { SUITES } from '../../suites/catalog.ts'
import { embeddedKeys } from '../../fixtures/keys/keys.ts'
import { runOrigin } from '../runner/run.ts'
import { bundledOrigins, startBundled } from './bundled.ts'

/** Making a virtual environment can take a minute where the registry is slow. */
const FIRST_USE_MS = 240_000

function hasGo(): boolean {
  try {
    execFileSync('go', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    console.log('The Go sample is not tested here: go is missing.')
    return false
  }
}

function hasPython(): boolean {
  try {
    execFileSync('python3', ['-c', 'import venv, ensurepip'], { stdio: 'ignore' })
    return true
  } catch {
    console.log('The Python samples are not tested here: python3 with its venv module is missing.')
    return false
  }
}

const has = { node: () => true, python: hasPython, go: hasGo }

describe.each(bundledOrigins().filter(({ start }) => has[start.runtime]()))('$name', (origin) => {
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
