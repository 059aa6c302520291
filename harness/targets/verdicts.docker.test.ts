import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { embeddedKeys } from '../../fixtures/keys/keys.ts'
import { SUITES } from '../../suites/catalog.ts'
import type { Report } from '../model/result.ts'
import type { RunOptions } from '../runner/options.ts'
import { runOrigin } from '../runner/run.ts'
import { bundledOrigin, bundledOrigins, startBundled } from './bundled.ts'
import { startCompose } from './compose.ts'
import { startContainer } from './container.ts'
import { startBundledContainer } from './docker-origin.ts'
import { prepareGround } from './ground.ts'
import type { Ground } from './ground.ts'
import { hasDocker, hasRuntime } from './runtimes.testing.ts'
import type { TargetSettings } from './target.ts'

const COMPOSE = fileURLToPath(new URL('../../docker-compose.test.yml', import.meta.url))

const isTestable = hasDocker('that verdicts about containers are those about processes')
const hasGo = hasDocker('the image of the Go sample', ['golang:1.26-trixie'])

const RUN: Omit<RunOptions, 'start'> = {
  suites: SUITES,
  select: {},
  control: { kind: 'issuer', keys: embeddedKeys(), port: 0 },
  profile: {},
  seed: 1,
  deadlineMs: 5_000,
  on: () => undefined,
  signal: new AbortController().signal,
}

async function inContainer(
  start: (ground: Ground, settings: TargetSettings) => ReturnType<typeof startContainer>,
  given: Partial<RunOptions> = {},
): Promise<Report> {
  await using ground = await prepareGround(console.log)
  return await runOrigin({ ...RUN, reach: ground.reach, start: (settings) => start(ground, settings), ...given })
}

/** Verdict, and what was missing for it, of each case. */
function verdicts({ cases }: Report): readonly string[] {
  return cases.map(({ id, verdict, missing }) => `${id} ${verdict} ${JSON.stringify(missing)}`)
}

const NAME = 'tornado-repaired'

describe.runIf(isTestable && hasRuntime('python', 'that containers are judged as processes are'))(NAME, () => {
  let asProcess: readonly string[] = []
  beforeAll(async () => {
    asProcess = verdicts(await runOrigin({ ...RUN, start: (settings) => startBundled(NAME, settings, console.log) }))
  })

  test('has the same verdict in each case as a container', async () => {
    const report = await inContainer((ground, settings) => startBundledContainer(ground, NAME, settings, console.log))

    expect(report.target.kind).toBe('container')
    expect(verdicts(report)).toEqual(asProcess)
    expect(asProcess).toHaveLength(99)
  })

  test('has it as a service of a compose file too', async () => {
    process.env['ORIGIN'] = NAME
    onTestFinished(() => {
      delete process.env['ORIGIN']
    })
    const { profile } = bundledOrigin(NAME)
    const audience = profile.audience ?? ''
    const options = { file: COMPOSE, service: 'origin', path: '/protected', profile, readyMs: 60_000 }
    const report = await inContainer((ground, settings) =>
      startCompose(ground, { ...options, settings: { ...settings, audience } }),
    )

    expect(report.target.kind).toBe('compose')
    expect(verdicts(report)).toEqual(asProcess)
  })
})

const samples = bundledOrigins().filter(({ start }) => start.runtime !== 'go' || hasGo)
test.runIf(isTestable).each(samples)(
  'the image of $name shows what its origin.json lists',
  async ({ name, expected }) => {
    const select = { suites: ['claims'] }
    const start = (ground: Ground, settings: TargetSettings) =>
      startBundledContainer(ground, name, settings, () => undefined)
    const { cases } = await inContainer(start, { select })
    const found = cases.filter(({ verdict }) => !['pass', 'info', 'skip', 'inconclusive'].includes(verdict))
    const listed = expected.filter((entry) => cases.some(({ id }) => id === entry.case))

    expect(found.map(({ id, verdict }) => `${id} ${verdict}`)).toEqual(
      listed.map((entry) => `${entry.case} ${entry.verdict}`),
    )
  },
)

/** A host that does not exist (RFC 6761 section 6.4). */
const ISSUER = 'https://gateway.invalid/__zuplo/issuer'

test.runIf(isTestable)('an image with a hard-coded https issuer is judged as it is', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-unmodified-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const sample = 'tornado-hardened'
  const edits = [
    `s|^ISSUER = .*|ISSUER = "${ISSUER}"|`,
    's|^JWKS_URL = .*|JWKS_URL = f"{ISSUER}/.well-known/jwks.json"|',
  ]
  const lines = [
    `FROM trustspec/${sample}:local`,
    'USER root',
    `RUN sed -i '${edits.join(';')}' app.py && grep -c '^ISSUER = "https' app.py`,
    'USER 10001:10001',
  ]
  await writeFile(path.join(folder, 'Dockerfile'), `${lines.join('\n')}\n`)
  const image = 'trustspec/hard-coded:test'
  execFileSync('docker', ['build', '--quiet', '--tag', image, folder], { stdio: 'ignore' })
  onTestFinished(() => {
    execFileSync('docker', ['image', 'rm', '--force', image], { stdio: 'ignore' })
  })
  const report = await inContainer(
    (ground, settings) =>
      startContainer(ground, {
        image,
        path: '/protected',
        profile: { algorithms: ['RS256'] },
        settings,
        readyMs: 30_000,
      }),
    {
      control: {
        ...RUN.control,
        known: { issuer: ISSUER, jwksUrl: `${ISSUER}/.well-known/jwks.json` },
      } as RunOptions['control'],
      select: { suites: ['signature', 'claims'] },
    },
  )

  expect(report.preflight.cause).toBeUndefined()
  expect(report.preflight.checks.find(({ name }) => name === 'fetched the JWKS')?.ok).toBe(true)
  expect(report.cases.filter(({ verdict }) => verdict === 'pass').length).toBeGreaterThan(20)
  expect(report.cases.filter(({ verdict }) => !['pass', 'skip'].includes(verdict)).map(({ id }) => id)).toEqual([])
})

test.runIf(isTestable)(
  'where networks of the engine are elsewhere, a port is published on the loopback address',
  async () => {
    const report = await inContainer(
      ({ docker, id, reach, [Symbol.asyncDispose]: dispose }, settings) => {
        const elsewhere = { docker, id, reach, [Symbol.asyncDispose]: dispose }
        return startBundledContainer(elsewhere, 'tornado-hardened', settings, () => undefined)
      },
      { select: { suites: ['claims'] } },
    )

    expect(new URL(report.target.url).hostname).toBe('127.0.0.1')
    expect(report.exit.code).toBe(0)
  },
)
