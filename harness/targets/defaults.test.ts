import { describe, expect, test } from 'vitest'
import { MEASUREMENTS } from '../../suites/behaviour/measurements.ts'
import { SUITES } from '../../suites/catalog.ts'
import { embeddedKeys } from '../../fixtures/keys/keys.ts'
import { runOrigin } from '../runner/run.ts'
import { bundledOrigins, startBundled } from './bundled.ts'
import { hasRuntime } from './runtimes.testing.ts'

const FIRST_USE_MS = 240_000

/** What the documentation of the libraries promises of the JWKS clients that the samples use with their defaults. */
const DOCUMENTED: readonly (readonly [
  sample: string,
  library: string,
  documented: Readonly<Record<string, unknown>>,
])[] = [
  [
    'node-express-jose',
    'jose: cacheMaxAge 10 minutes, cooldownDuration 30 seconds, timeoutDuration set to 2 seconds by the sample',
    {
      'jwks-max-age': 600,
      'refetch-on-unknown-kid': true,
      'jwks-cooldown': 30,
      'fetches-at-once': 1,
      // A duration: a machine that is busy makes it longer, and nothing makes it shorter.
      'fetch-timeout': expect.toSatisfy((value: unknown) => value === 'more than 2500' || Number(value) >= 2_000),
      'leeway-exp': 1,
    },
  ],
  [
    'python-fastapi-pyjwt',
    'PyJWT: lifespan 300 seconds, cooldown_duration 30 seconds, timeout 30 seconds, no leeway',
    {
      'jwks-max-age': 300,
      'refetch-on-unknown-kid': true,
      'jwks-cooldown': 30,
      'fetches-at-once': 1,
      'fetch-timeout': 'more than 2500',
      'leeway-exp': 0,
    },
  ],
  [
    'node-jwks-rsa',
    'jwks-rsa: cacheMaxAge 10 minutes, rateLimit off, timeout 30 seconds',
    {
      'jwks-max-age': 600,
      'refetch-on-unknown-kid': true,
      'jwks-cooldown': 0,
      'fetch-timeout': 'more than 2500',
      'leeway-exp': 0,
    },
  ],
]

describe.each(DOCUMENTED)('%s', (sample, library, documented) => {
  const runtime = bundledOrigins().find(({ name }) => name === sample)?.start.runtime ?? 'node'
  const untested = `that the behaviour profile of ${sample} is what its library documents`
  const isMeasurable = hasRuntime(runtime, untested) && hasRuntime('faketime', untested)

  test.runIf(isMeasurable)(`behaves as is documented of ${library}`, { timeout: FIRST_USE_MS }, async () => {
    const { behaviour } = await runOrigin({
      suites: SUITES,
      select: { cases: ['control-valid'] },
      measurements: MEASUREMENTS,
      // Nothing is declared, so that all of it is found out.
      start: async (settings) => {
        const target = await startBundled(sample, settings, console.log)
        const { jwks: _declared, ...profile } = target.profile
        return { ...target, profile, [Symbol.asyncDispose]: () => target[Symbol.asyncDispose]() }
      },
      control: { kind: 'issuer', keys: embeddedKeys(), port: 0 },
      profile: {},
      seed: 1,
      deadlineMs: 5_000,
      on: () => undefined,
      signal: new AbortController().signal,
    })
    const measured = Object.fromEntries(behaviour.map(({ name, value }) => [name, value]))

    expect(measured).toMatchObject(documented)
  })
})
