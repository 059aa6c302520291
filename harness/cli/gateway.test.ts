import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { request } from 'undici'
import { expect, onTestFinished, test } from 'vitest'
import { startCapture } from '../capture/server.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const MAIN = path.join(ROOT, 'harness/cli/main.ts')
const DOCUMENT = path.join(ROOT, 'fixtures/openapi/reference-origin.json')

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = start(args, env)
  const closed = once(child, 'close') as Promise<[number]>
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), closed])
  return { out, err, code }
}

async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'trustspec-cli-'))
  onTestFinished(() => rm(made, { recursive: true }))
  return made
}

/** A gateway by the command line; what it prints until its state, by the first word of each line. */
async function gateway(args: readonly string[]) {
  const child = start(['gateway', ...args])
  const told = new Map<string, string>()
  for await (const line of createInterface({ input: child.stdout })) {
    const [, name = '', value = ''] = /^(\S+)\s+(.*)$/u.exec(line) ?? []
    told.set(name, value)
    if (name === 'state') break
  }
  const stop = async (signal: NodeJS.Signals): Promise<number | null> => {
    const closed = once(child, 'close') as Promise<[number | null]>
    child.stdout.resume()
    child.kill(signal)
    return (await closed)[0]
  }
  return { told, stop }
}

test('a key that is made while the gateway runs works, counts again after a restart, and ends when it is revoked', async () => {
  await using origin = await startCapture()
  const state = path.join(await folder(), 'state')
  const args = ['--openapi', DOCUMENT, '--origin', origin.url, '--state', state, '--access-log', 'off']
  const first = await gateway(args)
  const made = await run(['keys', 'create', '--consumer', 'acme', '--metadata', '{"plan":"team"}', '--state', state])
  const key = made.out.trim()
  const get = async (base: string, authorization?: string): Promise<number> => {
    const answer = await request(`${base}/protected`, { headers: authorization === undefined ? {} : { authorization } })
    await answer.body.dump()
    return answer.statusCode
  }

  expect(made).toMatchObject({ code: 0 })
  expect(key).toMatch(/^tsk_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}$/u)
  expect(made.err).not.toContain(key)
  expect(await get(first.told.get('gateway') ?? '', `Bearer ${key}`)).toBe(200)
  expect(await get(first.told.get('gateway') ?? '')).toBe(401)
  expect(origin.all()).toHaveLength(1)
  expect(origin.all()[0]?.header('authorization')).toHaveLength(1)
  expect((await stat(path.join(state, 'management-key'))).mode & 0o777).toBe(0o600)
  expect([...first.told.values()].join('\n')).not.toContain(key)
  expect(await first.stop('SIGTERM')).toBe(0)

  const listed = await run(['keys', 'list', '--state', state])
  const id = /key_\w+/u.exec(listed.out)?.[0] ?? ''
  const second = await gateway(args)
  expect(await get(second.told.get('gateway') ?? '', `Bearer ${key}`)).toBe(200)
  expect(await run(['keys', 'revoke', '--consumer', 'acme', '--key', id, '--state', state])).toMatchObject({ code: 0 })
  expect(await get(second.told.get('gateway') ?? '', `Bearer ${key}`)).toBe(401)
  expect(await second.stop('SIGINT')).toBe(0)
})

test('keys are rolled, disabled and imported without a gateway', async () => {
  const state = await folder()
  const keys = (...args: string[]) =>
    run(['keys', ...args, '--consumer', 'acme', '--state', state], { TRUSTSPEC_API_KEY: 'an-old-key-of-24-letters' })
  await keys('create', '--expires', '2030-01-01T00:00:00Z')
  const rolled = await keys('roll', '--expires', '2029-01-01T00:00:00Z')
  await keys('import')
  const listed = (await keys('list')).out.trim().split('\n')
  const [id = ''] = listed[0]?.split('  ') ?? []
  const disabled = await keys('disable', '--key', id)

  expect(rolled.out).toMatch(/^tsk_/u)
  expect(listed).toHaveLength(3)
  expect(listed[0]).toContain('until 2029-01-01T00:00:00.000Z')
  expect(disabled).toMatchObject({ code: 0, out: '' })
  expect((await keys('list')).out).toContain('disabled')
})

test.each([
  [['gateway'], 'The gateway needs its routes from one place'],
  [['gateway', '--openapi', DOCUMENT], 'The gateway needs the URL of the origin (flag --origin, given nothing)'],
  [['gateway', '--openapi', DOCUMENT, '--origin', 'ftp://x'], 'The gateway needs the URL of the origin'],
  [
    ['gateway', '--openapi', DOCUMENT, '--origin', 'http://127.0.0.1:9', '--alg', 'HS256'],
    'instead: EdDSA, RS256, PS256, ES256',
  ],
  [
    ['gateway', '--openapi', DOCUMENT, '--origin', 'http://127.0.0.1:9', '--trusted-proxy', 'x', '--memory'],
    'The trusted proxy is no network',
  ],
  [
    ['gateway', '--openapi', DOCUMENT, '--origin', 'http://127.0.0.1:9', '--redis', 'redis://127.0.0.1:9'],
    'Redis cannot be reached',
  ],
  [['gateway', '--project', 'no-such-folder'], 'ERR_GATEWAY_PROJECT'],
  [
    ['gateway', '--redis', 'redis://x', '--state', 'y', '--openapi', DOCUMENT, '--origin', 'http://x'],
    'More than one place for the state is given',
  ],
  [['keys'], 'There is no such action'],
  [['keys', 'creat'], 'instead: create'],
  [['keys', 'create', '--redis', 'redis://127.0.0.1:9', '--consumer', 'a'], 'Redis cannot be reached'],
  [
    ['keys', 'create', '--url', 'http://127.0.0.1:9/v1', '--consumer', 'a'],
    'The credential of the management API is missing',
  ],
  [['keys', 'create', '--state', 'x', '--consumer', 'a', '--key-prefix', 'A B'], 'Keys cannot begin so'],
  [['keys', 'create', '--consumer', 'a', '--url', 'http://127.0.0.1:9', '--redis', 'redis://x'], 'More than one place'],
] as const)('%j says in one sentence what is wrong, exit code 2', async (args, sentence) => {
  const { err, code } = await run(args)

  expect(code).toBe(2)
  expect(err).toContain(sentence)
  expect(err.trim().split('\n')).toHaveLength(1)
})

test.each([
  ['http://127.0.0.1:9/v1', 'ERR_TARGET_UNREACHABLE: The management API cannot be reached'],
  ['no-url', 'ERR_USAGE: The management API has no such URL'],
  ['ftp://127.0.0.1/v1', 'ERR_USAGE: The management API has no such URL'],
])('keys --url %s says what is wrong, exit code 2', async (url, sentence) => {
  const { err, code } = await run(['keys', 'list', '--url', url], { TRUSTSPEC_MANAGEMENT_KEY: 'a-secret' })

  expect([code, err.trim().split('\n').length]).toEqual([2, 1])
  expect(err).toContain(sentence)
  expect(err).not.toContain('a-secret')
})

test('keys --url of something else says so, exit code 2', async () => {
  const server = http.createServer((_, response) => response.end('<html>'))
  onTestFinished(() => void server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/v1`
  const { err, code } = await run(['keys', 'list', '--url', url], { TRUSTSPEC_MANAGEMENT_KEY: 'a-secret' })

  expect([code, err.trim().split('\n').length]).toEqual([2, 1])
  expect(err).toContain('This is no management API')
})

test('the credential goes to a gateway that runs, and to nobody who took its place', async () => {
  const state = path.join(await folder(), 'state')
  const seen: string[] = []
  const server = http.createServer(({ headers }, response) => {
    seen.push(headers.authorization ?? '')
    response.end('{"data":[]}')
  })
  onTestFinished(() => void server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await run(['keys', 'create', '--consumer', 'acme', '--state', state])
  await writeFile(path.join(state, 'management-url'), `http://127.0.0.1:${port}/v1\n`)
  await writeFile(path.join(state, 'management-key'), 'a-secret\n')
  const listed = await run(['keys', 'list', '--state', state])

  expect(listed).toMatchObject({ code: 0, out: expect.stringContaining('acme') as unknown })
  expect(seen).toEqual([])
})

test('keys say what to do while another process has the state', async () => {
  await using origin = await startCapture()
  const state = path.join(await folder(), 'state')
  const first = await gateway(['--openapi', DOCUMENT, '--origin', origin.url, '--state', state, '--access-log', 'off'])
  const wrong = await run(['keys', 'list', '--state', state], { TRUSTSPEC_MANAGEMENT_KEY: 'another' })
  const empty = await run(['keys', 'list', '--state', state], { TRUSTSPEC_MANAGEMENT_KEY: '' })
  const url = first.told.get('management')?.split(',')[0] ?? ''
  const credential = (await readFile(path.join(state, 'management-key'), 'utf8')).trim()
  const made = await run(['keys', 'create', '--consumer', 'acme', '--url', url], {
    TRUSTSPEC_MANAGEMENT_KEY: credential,
  })
  await first.stop('SIGTERM')

  expect(wrong).toMatchObject({ code: 2 })
  expect(wrong.err).toContain('The file is held by a process that runs')
  expect(wrong.err.trim().split('\n')).toHaveLength(1)
  expect(empty).toMatchObject({ code: 0, err: '' })
  expect(made.out).toMatch(/^tsk_\w+\n$/u)
})

test.each(['gateway', 'keys'])('%s --help', async (command) => {
  const { out, code } = await run([command, '--help'])

  expect([code, out.startsWith(`trustspec ${command}`)]).toEqual([0, true])
})
