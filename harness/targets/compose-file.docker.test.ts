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

test.runIf(isTestable).each([
  ['tornado-as-published', 1, 'fail-crash'],
  ['tornado-hardened', 0, 'pass'],
] as const)('docker-compose.test.yml with %s ends with %i', async (origin, code, control) => {
  const reports = await mkdtemp(path.join(tmpdir(), 'trustspec-reports-'))
  const compose = (...args: readonly string[]) =>
    spawnSync('docker', ['compose', '--file', 'docker-compose.test.yml', '--project-name', `test-${origin}`, ...args], {
      cwd: ROOT,
      env: { ...process.env, ORIGIN: origin, REPORTS: reports },
      encoding: 'utf8',
    })
  onTestFinished(async () => {
    compose('down', '--volumes', '--timeout', '1')
    await rm(reports, { recursive: true })
  })
  const { status, stdout, stderr } = compose('up', '--build', '--exit-code-from', 'conformance')
  const report = JSON.parse(await readFile(path.join(reports, `${origin}.json`), 'utf8')) as Report

  expect(`${stdout}${stderr}`).toContain('conformance-1 exited with code')
  expect(status).toBe(code)
  expect(report.exit.code).toBe(code)
  expect(report.cases.find(({ id }) => id === 'origin/signature/control-valid')?.verdict).toBe(control)
})
