import { readFileSync } from 'node:fs'
import net from 'node:net'
import { once } from 'node:events'
import path from 'node:path'
import { Ajv } from 'ajv'
import { request } from 'undici'
import { describe, expect, test } from 'vitest'
import { startCapture } from '../capture/server.ts'
import { judgedGateway } from '../matrix/judged.ts'
import { unlike } from '../matrix/recorded.testing.ts'
import type { CaptureOrigin } from '../model/capture.ts'
import type { ApiKey, KeyLocation } from '../model/gateway-profile.ts'
import { gatewayFixture, gatewayFixtures, missingPackages } from './gateway-fixtures.ts'
import type { GatewayFixture } from './gateway-fixtures.ts'
import type { GatewayTarget } from './gateway-target.ts'
import { hasRuntime } from './runtimes.testing.ts'
import { startThirdParty } from './third-party.ts'

/** Installing a gateway can take minutes where the registry is slow. */
const FIRST_USE_MS = 300_000

const FIXTURES = gatewayFixtures()

const timeMoves = hasRuntime('faketime', 'the verdicts about gateways that take more than 3 s')

async function isTestable(fixture: GatewayFixture): Promise<boolean> {
  const { name, start } = fixture
  const missing = await missingPackages(fixture)
  if (missing.length > 0) {
    console.log(`Not tested here, because ${missing.join(' and ')} is missing: the gateway ${name}.`)
    return false
  }
  return start.runtime === undefined || hasRuntime(start.runtime, `the gateway ${name}`)
}

/** Sends a request with the key, or without one; the status, when the body has been read. */
async function statusWith(target: GatewayTarget, key: ApiKey | undefined): Promise<number> {
  const [{ name, scheme }] = target.profile.keyLocations as readonly [KeyLocation]
  const value = scheme === undefined ? key?.key : `${scheme} ${key?.key}`
  const { statusCode, body } = await request(target.url, {
    headers: key === undefined ? {} : { [name]: value },
    reset: true,
  })
  await body.dump()
  return statusCode
}

async function connects(url: string): Promise<boolean> {
  const socket = net.connect({ port: Number(new URL(url).port), host: '127.0.0.1' })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** Asks until the status is that one, for at most two seconds. */
async function eventually(target: GatewayTarget, key: ApiKey, status: number): Promise<number> {
  const began = Date.now()
  let last = await statusWith(target, key)
  while (last !== status && Date.now() - began < 2_000) last = await statusWith(target, key)
  return last
}

async function started(name: string, capture: CaptureOrigin, second: CaptureOrigin): Promise<GatewayTarget> {
  const settings = { capture: capture.url, secondCapture: second.url, keyListUrl: '' }
  return await startThirdParty(name, settings, console.log)
}

test('every gateway.json is as the schema says', () => {
  const schema = JSON.parse(
    readFileSync(path.join(import.meta.dirname, '../../fixtures/gateways/gateway.schema.json'), 'utf8'),
  ) as object
  const validate = new Ajv().compile(schema)
  for (const { folder } of FIXTURES) {
    const described: unknown = JSON.parse(readFileSync(path.join(folder, 'gateway.json'), 'utf8'))
    validate(described)
    expect(validate.errors ?? [], folder).toEqual([])
  }
  expect(FIXTURES.length).toBeGreaterThan(4)
})

test('the table of the README has every gateway', () => {
  const table = readFileSync(path.join(import.meta.dirname, '../../fixtures/gateways/README.md'), 'utf8')
  const named = [...table.matchAll(/\]\((\S+)\/README\.md\)/gu)].map(([, name]) => name)
  expect(new Set(named)).toEqual(new Set(['signing-sidecar', ...FIXTURES.map(({ name }) => name)]))
})

test('a gateway that is not there is named with those that are', async () => {
  await expect(gatewayFixture('kong')).rejects.toMatchObject({
    code: 'ERR_USAGE',
    fields: { given: 'kong', instead: expect.stringContaining('nginx') },
  })
})

test('packages that are missing are named at once', async () => {
  const [fixture] = FIXTURES
  if (!fixture) throw new Error('There is no gateway')
  const programs = [
    { file: '/nonexistent/module.so', debian: 'one-package' },
    { command: 'a-command-that-is-not-there', debian: 'another-package' },
    { command: 'sh', debian: 'dash' },
  ]
  const missing = await missingPackages({ ...fixture, start: { ...fixture.start, programs } })
  expect(missing).toEqual(['one-package', 'another-package'])
})

describe.each(FIXTURES)('$name', (fixture) => {
  const { name, expected } = fixture

  test('starts, does what its hooks say, starts again, and ends', { timeout: FIRST_USE_MS }, async (context) => {
    context.skip(!(await isTestable(fixture)))
    await using capture = await startCapture({ name: 'origin' })
    await using second = await startCapture({ name: 'second origin' })
    const target = await started(name, capture, second)
    const { keys = [], pairOfKeys, revokedKeys = [] } = target.profile
    const { hooks } = target
    const [key] = keys
    if (!key || !pairOfKeys) throw new Error('There are no keys')

    expect(await statusWith(target, undefined)).toBe(401)
    expect(await statusWith(target, revokedKeys[0])).toBe(401)
    expect(capture.all()).toHaveLength(0)
    expect(await statusWith(target, key)).toBe(200)
    expect(capture.all()).toHaveLength(1)

    if (hooks.revokeKey) {
      expect(await statusWith(target, pairOfKeys[1])).toBe(200)
      await hooks.revokeKey(pairOfKeys[1])
      expect(await eventually(target, pairOfKeys[1], 401)).toBe(401)
      expect(await statusWith(target, pairOfKeys[0])).toBe(200)
    }
    if (hooks.signerDown) {
      const before = capture.all().length
      const outage = await hooks.signerDown()
      expect(await statusWith(target, key)).toBeGreaterThanOrEqual(400)
      expect(capture.all()).toHaveLength(before)
      await outage[Symbol.asyncDispose]()
      expect(await eventually(target, key, 200)).toBe(200)
    }
    await hooks.restart?.()
    expect(await eventually(target, key, 200)).toBe(200)
    if (hooks.revokeKey) expect(await statusWith(target, pairOfKeys[1])).toBe(401)

    await target[Symbol.asyncDispose]()
    expect(await connects(target.url)).toBe(false)
  })

  test(
    'has the findings that its gateway.json lists, and the verdicts of docs/matrix.json',
    { timeout: FIRST_USE_MS },
    async (context) => {
      context.skip(!(await isTestable(fixture)))
      const report = await judgedGateway(name, console.log)
      const { preflight, cases, exit } = report
      expect(preflight.cause).toBeUndefined()
      const found = cases
        .filter(({ verdict }) => !['pass', 'info', 'skip'].includes(verdict))
        .map(({ id, verdict }) => `${id} ${verdict}`)
      expect(found).toEqual(expected.map((entry) => `${entry.case} ${entry.verdict}`))
      expect(unlike(name, report, timeMoves ? [] : ['skip'])).toEqual([])
      expect(exit.code).toBe(expected.every(({ accepted }) => accepted) ? 0 : 1)
    },
  )
})
