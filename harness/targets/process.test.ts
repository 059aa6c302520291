import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { request } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startProcess } from './process.ts'
import type { ProcessOptions } from './process.ts'

/** Prints its pid and its child's, and answers with its environment and arguments. */
const ORIGIN = `
import http from 'node:http'
import { spawn } from 'node:child_process'
const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
console.log('listening soon')
http.createServer((request, response) => {
  response.end(JSON.stringify({ pid: process.pid, child: child.pid, env: process.env, args: process.argv.slice(2) }))
}).listen(Number(process.env.PORT), '127.0.0.1')
`

/** A harness that starts the origin, prints its pids and never ends by itself. */
const HARNESS = `
import { startProcess } from '${fileURLToPath(new URL('./process.ts', import.meta.url))}'
import { request } from '${import.meta.resolve('undici')}'
const target = await startProcess(JSON.parse(process.argv[2]))
const { body } = await request(target.url)
const { pid, child } = await body.json()
console.log(JSON.stringify([pid, child]))
setInterval(() => {}, 1000)
`

let folder = ''
let options: ProcessOptions

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'trustspec-process-'))
  await writeFile(path.join(folder, 'origin.mjs'), ORIGIN)
  await writeFile(path.join(folder, 'harness.mjs'), HARNESS)
  options = {
    command: `${JSON.stringify(process.execPath)} origin.mjs --port {port} {jwks_url}`,
    cwd: folder,
    env: { EXTRA: 'aud={audience}' },
    path: '/protected',
    profile: {},
    settings: { issuer: 'http://issuer.example.com', jwksUrl: 'http://issuer.example.com/jwks', audience: 'orders' },
    readyMs: 10_000,
  }
})

afterAll(() => rm(folder, { recursive: true }))

interface Said {
  readonly pid: number
  readonly child: number
  readonly env: Record<string, string>
  readonly args: readonly string[]
}

async function ask(url: string): Promise<Said> {
  const { body } = await request(url)
  return (await body.json()) as Said
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function gone(...pids: readonly number[]): Promise<boolean> {
  const until = Date.now() + 10_000
  while (pids.some(isAlive) && Date.now() < until) await wait(20)
  return !pids.some(isAlive)
}

test('fills in the placeholders, tells the log, and ends with everything that it started', async () => {
  const target = await startProcess(options)
  const said = await ask(target.url)

  expect(new URL(target.url).pathname).toBe('/protected')
  expect(said.args).toEqual(['--port', new URL(target.url).port, 'http://issuer.example.com/jwks'])
  expect(said.env).toMatchObject({
    PORT: new URL(target.url).port,
    ISSUER: 'http://issuer.example.com',
    JWKS_URL: 'http://issuer.example.com/jwks',
    AUDIENCE: 'orders',
    EXTRA: 'aud=orders',
  })
  expect(target.logTail?.()).toContain('listening soon')
  expect(isAlive(said.pid)).toBe(true)
  expect(target.residentOctets?.()).toBeGreaterThan(1024 * 1024)
  expect(target.deaths?.()).toEqual([])
  await target[Symbol.asyncDispose]()
  expect(await gone(said.pid, said.child)).toBe(true)
})

test('restarts on the same port, as another process', async () => {
  await using target = await startProcess(options)
  const before = await ask(target.url)
  await target.restart?.()
  const after = await ask(target.url)

  expect(after.pid).not.toBe(before.pid)
  expect(await gone(before.pid, before.child)).toBe(true)
})

test('a command that ends is reported with its last words', async () => {
  const command = `echo 'no such module' >&2; exit 3`

  await expect(startProcess({ ...options, command })).rejects.toMatchObject({
    code: 'ERR_TARGET_DID_NOT_START',
    fields: { reason: 'it ended with exit code 3', log: 'no such module' },
  })
})

test('a command that does not listen is ended', async () => {
  const command = `exec ${JSON.stringify(process.execPath)} -e 'console.log(process.pid); setInterval(() => {}, 1000)'`
  const failed = startProcess({ ...options, command, readyMs: 500 })

  await expect(failed).rejects.toMatchObject({ code: 'ERR_TARGET_DID_NOT_START' })
  const error = (await failed.catch((reason: unknown) => reason)) as { fields: { log: string } }
  expect(await gone(Number(error.fields.log))).toBe(true)
})

test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('no orphan is left when %s ends the harness', async (signal) => {
  const harness = spawn(process.execPath, [path.join(folder, 'harness.mjs'), JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface({ input: harness.stdout }), 'line')) as [string]
  const pids = JSON.parse(line) as number[]
  expect(pids.map(isAlive)).toEqual([true, true])
  harness.kill(signal)
  await once(harness, 'exit')

  expect(await gone(...pids)).toBe(true)
})

test('a guardian whose harness is gone before it has begun ends its command, and fails at nothing', async () => {
  const guardian = fileURLToPath(new URL('./guardian.ts', import.meta.url))
  const child = spawn(process.execPath, [guardian, 'exec sleep 600'], { stdio: ['pipe', 'ignore', 'ignore', 'ipc'] })
  child.disconnect()
  child.stdin?.end()

  expect(await once(child, 'exit')).toEqual([0, null])
})
