import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import type { Report } from '../model/result.ts'
import { hasDocker } from './runtimes.testing.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

const isTestable = hasDocker('docker-compose.test.yml')

/** Runs a service of the file to its end; its report is read from the folder that is mounted. */
async function up(project: string, service: string, env: Readonly<Record<string, string>>, report: string) {
  const reports = await mkdtemp(path.join(tmpdir(), 'trustspec-reports-'))
  const compose = (...args: readonly string[]) =>
    spawnSync('docker', ['compose', '--file', 'docker-compose.test.yml', '--project-name', project, ...args], {
      cwd: ROOT,
      env: { ...process.env, REPORTS: reports, ...env },
      encoding: 'utf8',
    })
  onTestFinished(async () => {
    compose('--profile', 'chain', 'down', '--volumes', '--timeout', '1')
    await rm(reports, { recursive: true })
  })
  const named = service === 'conformance' ? [] : [service]
  const { status, stdout, stderr } = compose('up', '--build', '--exit-code-from', service, ...named)
  expect(`${stdout}${stderr}`).toContain(`${service}-1 exited with code`)
  return { status, report: JSON.parse(await readFile(path.join(reports, report), 'utf8')) as Report }
}

test.runIf(isTestable).each([
  ['tornado-as-published', 1, 'fail-crash'],
  ['tornado-hardened', 0, 'pass'],
] as const)('docker-compose.test.yml with %s ends with %i', async (origin, code, control) => {
  const { status, report } = await up(`test-${origin}`, 'conformance', { ORIGIN: origin }, `${origin}.json`)

  expect(status).toBe(code)
  expect(report.exit.code).toBe(code)
  expect(report.cases.find(({ id }) => id === 'origin/signature/control-valid')?.verdict).toBe(control)
})

test.runIf(isTestable)('docker-compose.test.yml has the chain of gateway and origin too', async () => {
  const env = { ORIGIN: 'tornado-hardened', ORIGIN_ISSUER: 'http://gateway:8787/__zuplo/issuer' }
  const { status, report } = await up('test-chain', 'chain', env, 'tornado-hardened-chain.json')

  expect(status).toBe(0)
  expect(report.subject).toBe('chain')
  expect(report.cases.filter(({ verdict }) => verdict === 'pass').length).toBeGreaterThan(1)
})
