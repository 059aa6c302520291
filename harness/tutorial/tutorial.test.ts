import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { request } from 'undici'
import { expect, onTestFinished, test } from 'vitest'
import { MAIN, ownFolder, trustspec } from '../cli/cli.testing.ts'
import { connects } from '../targets/guarded.ts'
import { hasRuntime } from '../targets/runtimes.testing.ts'
import { familyOf, leftOf } from './terminal.testing.ts'

const TIMEOUT_MS = 60_000

/** Packages of a Python sample are installed on first use. */
const FIRST_USE_MS = 300_000

/** The caches of this machine, where they may be installed already. */
const CACHE = { XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache') }

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

const COMPILED = { NODE_COMPILE_CACHE: path.join(tmpdir(), 'node-compile-cache') }

const WHOLE_KEY = /\btsk_[0-9A-Za-z]{16,}/u
const WHOLE_TOKEN = /\beyJ[\w-]+\.[\w-]+\.[\w-]+/u

async function isThere(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  )
}

/** A tutorial that goes on until it is told to stop; its output as it comes. */
async function kept(
  cwd: string,
): Promise<{ readonly pid: number; readonly out: string; readonly closed: () => Promise<number> }> {
  const args = [MAIN, 'tutorial', '--yes', '--keep', '--framework', 'express']
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, ...COMPILED, TMPDIR: cwd },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const closing = once(child, 'close')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await closing
  })
  let out = ''
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    out += chunk.toString()
    if (out.includes('Ctrl-C ends it all')) break
  }
  child.stdout.resume()
  return { pid: child.pid ?? 0, out, closed: async () => Number((await closing)[0]) }
}

test(
  '--yes runs through, shows no credential, and leaves the project alone behind',
  { timeout: TIMEOUT_MS },
  async () => {
    const cwd = await ownFolder()
    const scratch = path.join(cwd, 'scratch')
    await mkdir(scratch)
    const args = ['tutorial', '--yes', '--framework', 'express']
    const { code, out, err } = await trustspec(cwd, args, { ...COMPILED, TMPDIR: scratch })

    expect(code, err).toBe(0)
    expect(out).toContain('reason JwtServicePlugin is not defined')
    expect(out).toContain('{"message":"Access granted","sub":"reader"}')
    expect(out).toContain('"label":"true_positive"')
    expect(out).toMatch(/exp-missing +pass/u)
    expect(out).toMatch(
      /curl -X GET \\\n +'http:\/\/127\.0\.0\.1:\d+\/protected' \\\n +-H 'Authorization: Bearer YOUR_API_KEY'\n/u,
    )
    expect(`${out}${err}`).not.toMatch(WHOLE_KEY)
    expect(`${out}${err}`).not.toMatch(WHOLE_TOKEN)
    expect(`${out}${err}`).not.toContain('\u001B')
    const [, port] = /127\.0\.0\.1:(\d+)/u.exec(out) ?? []
    expect(await connects(Number(port))).toBe(false)
    expect(await readdir(scratch)).toEqual([])
    expect(await readFile(path.join(cwd, 'trustspec-tutorial/modules/zuplo.runtime.ts'), 'utf8')).toMatch(
      /^import \{ JwtServicePlugin, RuntimeExtensions \} from "@zuplo\/runtime";\n\nexport function runtimeInit/u,
    )
  },
)

test('what the reader edited is not touched', async () => {
  const cwd = await ownFolder()
  const edited = path.join(cwd, 'trustspec-tutorial', 'config', 'routes.oas.json')
  await mkdir(path.dirname(edited), { recursive: true })
  await writeFile(edited, 'mine')
  const { code, out, err } = await trustspec(cwd, ['tutorial', '--yes', '--framework', 'express'], COMPILED)

  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toMatch(/^ERR_USAGE: The folder of the project is there already, .*--project with another folder.*\.\n$/u)
  expect(await readFile(edited, 'utf8')).toBe('mine')
})

test('without Python it says what to install before anything is made', async () => {
  const cwd = await ownFolder()
  const bin = path.join(cwd, 'bin')
  await mkdir(bin)
  await symlink('/bin/sh', path.join(bin, 'sh'))
  const { code, out, err } = await trustspec(cwd, ['tutorial', '--yes'], { ...COMPILED, PATH: bin })

  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toMatch(/^ERR_RUNTIME_MISSING: .*apt-get install python3.*--framework express.*\.\n$/u)
  expect(await isThere(path.join(cwd, 'trustspec-tutorial'))).toBe(false)
})

test('a framework that it does not know is named, with the nearest', async () => {
  const { code, err } = await trustspec(await ownFolder(), ['tutorial', '--framework', 'fastapy'], COMPILED)

  expect(code).toBe(2)
  expect(err).toContain('instead: fastapi')
})

test('--keep leaves all running, and what it prints works elsewhere', { timeout: TIMEOUT_MS }, async () => {
  const cwd = await ownFolder()
  const { pid, out, closed } = await kept(cwd)
  const end = out.slice(out.indexOf('Everything is still running'))
  const [, url = '', file = ''] =
    /curl -X GET \\\n +'(\S+)' \\\n +-H "Authorization: Bearer \$\(cat (\S+)\)"/u.exec(end) ?? []
  const called = async (key: string): Promise<number> => {
    const { statusCode, body } = await request(url, { headers: { authorization: `Bearer ${key}` }, reset: true })
    await body.dump()
    return statusCode
  }
  expect(await called(await readFile(file, 'utf8'))).toBe(200)
  expect(await called('tsk_guessed')).toBe(401)

  const [, create = ''] = /\$ (npm run -s trustspec -- keys create .*)/u.exec(end) ?? []
  const { stdout } = await promisify(execFile)('sh', ['-c', create], { cwd: ROOT })
  expect(await called(stdout.trim())).toBe(200)

  const pids = await familyOf(pid)
  process.kill(pid, 'SIGINT')
  expect(await closed()).toBe(0)
  expect(await leftOf(pids, `TMPDIR=${cwd}`)).toEqual([])
  expect(await isThere(path.dirname(file))).toBe(false)
})

test('killed outright, it leaves no origin behind', { timeout: TIMEOUT_MS }, async () => {
  const cwd = await ownFolder()
  const { pid, out, closed } = await kept(cwd)
  const pids = await familyOf(pid)
  expect(pids.length).toBeGreaterThan(2)
  process.kill(pid, 'SIGKILL')
  await closed()

  expect(await leftOf(pids, `TMPDIR=${cwd}`)).toEqual([])
  expect(out).toContain('/protected')
})

const SIBLING = 'the tutorial with an origin that takes RS256 alone'
test.runIf(hasRuntime('python', SIBLING))(
  'a gateway that is told to sign with RS256 does so at once',
  { timeout: FIRST_USE_MS },
  async () => {
    const args = ['tutorial', '--yes', '--framework', 'fastapi']
    const { code, out, err } = await trustspec(await ownFolder(), args, { ...COMPILED, ...CACHE })

    expect(code, err).toBe(0)
    const [, mended = ''] = out.split('What is missing in the gateway')
    expect(mended).toMatch(/API key +JWT, RS256 +fetches keys\n/u)
    expect(mended).toContain('The call works')
    expect(mended).toMatch(/exp-missing +pass/u)
  },
)
