import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { readExpected, readProfile } from './profile.ts'

const CLI = fileURLToPath(new URL('./main.ts', import.meta.url))
const COMPOSE = fileURLToPath(new URL('../../docker-compose.test.yml', import.meta.url))
const SAMPLE = fileURLToPath(new URL('../../origins/node-express-jose/origin.json', import.meta.url))

interface Ended {
  readonly code: number
  readonly said: string
}

/** Runs the command on a machine where no Docker engine answers. */
async function withoutDocker(...args: readonly string[]): Promise<Ended> {
  // Its own settings, and those of the library, are looked for at home.
  const home = await mkdtemp(path.join(tmpdir(), 'trustspec-home-'))
  onTestFinished(() => rm(home, { recursive: true }))
  const env = { ...process.env, HOME: home, DOCKER_HOST: `unix://${home}/docker.sock` }
  return await new Promise((resolve) => {
    execFile(process.execPath, [CLI, 'run', ...args], { env }, (error, _, stderr) => {
      resolve({ code: Number(error?.code ?? 0), said: stderr })
    })
  })
}

test.each([
  [['--docker', '--origin', 'tornado-repaired']],
  [['--image', 'orders:1']],
  [['--compose', COMPOSE, '--service', 'origin']],
])('%j without Docker is one sentence with what to do', async (args) => {
  const { code, said } = await withoutDocker(...args)

  expect(said).toBe(
    'ERR_DOCKER_MISSING: No Docker engine answers; instead: start Docker (on Debian: apt-get install docker.io), or set DOCKER_HOST, or leave out --docker.\n',
  )
  expect(code).toBe(2)
})

test.each([
  [['--docker'], 'The flag belongs to a bundled origin'],
  [['--docker', '--origin', 'nobody'], 'There is no such origin'],
  [['--compose', COMPOSE], 'A compose file and a service belong together'],
  [['--service', 'origin'], 'A compose file and a service belong together'],
  [['--image', 'orders:1', '--exec', 'true'], 'More than one target is given'],
  [['--image', 'orders:1', '--path', 'orders'], 'The path does not begin with a slash'],
  [['--image', 'orders:1', '--container-port', '0'], 'The value is no whole number within the bounds'],
  [['--container-port', '80'], 'The flag belongs to a container'],
  [['http://127.0.0.1:1/', '--issuer-host', 'here'], 'The host goes with the port of the issuer'],
])('%j is refused before anything starts', async (args, message) => {
  const { code, said } = await withoutDocker(...args)

  expect(said).toContain(`ERR_USAGE: ${message}`)
  expect(said.trim().split('\n')).toHaveLength(1)
  expect(code).toBe(2)
})

test('the origin.json of a sample serves as a profile file, with what is known of it', () => {
  expect(readProfile(SAMPLE)).toMatchObject({ marker: 'Access granted', leewaySec: 1 })
  expect(readExpected(SAMPLE).map((entry) => entry.verdict)).toEqual(['warn', 'warn'])
})
