import { execFile, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cacheFolder } from '../targets/cache.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

const run = promisify(execFile)

/** Folder of the Node of this checkout. */
const OWN_NODE = path.join(ROOT, 'node_modules', '.bin')

/** The lowest Node of each line that the package permits, or the newest that npm had. */
const NODES = [
  ['22.22.0', await nodeFolder('22.22.0')],
  ['24', OWN_NODE],
  ['26.10.0', await nodeFolder('26.10.0')],
] as const

/** The folder with that Node, installed into the cache on first use; undefined, with the reason printed, where it cannot be had. */
async function nodeFolder(version: string): Promise<string | undefined> {
  const folder = path.join(cacheFolder('node'), version)
  const bin = path.join(folder, 'node_modules', '.bin')
  if (existsSync(path.join(bin, 'node'))) return bin
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(path.join(folder, 'package.json'), JSON.stringify({ private: true, allowScripts: { node: true } }))
    await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', `node@${version}`], { cwd: folder })
    return bin
  } catch (error) {
    console.log(`Skipped: Node ${version} cannot be installed: ${String(error).slice(0, 300)}`)
    return undefined
  }
}

const place = await mkdtemp(path.join(tmpdir(), 'trustspec-package-'))
let tarball = ''

beforeAll(async () => {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', place], { cwd: ROOT })
  const [, file = ''] = /"filename": "([^"]+)"/u.exec(stdout) ?? []
  tarball = path.join(place, file)
})

afterAll(async () => {
  await rm(place, { recursive: true, force: true })
})

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a line for a shell in a folder, with the Node of another one. */
async function shell(line: string, cwd: string, bin: string): Promise<Ended> {
  const env = {
    ...process.env,
    PATH: `${bin}:${process.env['PATH']}`,
    XDG_CACHE_HOME: path.join(place, 'cache'),
    NO_COLOR: '1',
  }
  // What vitest sets for its workers is not for them.
  for (const name of ['NODE_OPTIONS', 'FORCE_COLOR', 'VITEST']) delete (env as NodeJS.ProcessEnv)[name]
  try {
    const { stdout, stderr } = await run('/bin/sh', ['-c', line], { cwd, env, maxBuffer: 1e8 })
    return { code: 0, stdout, stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, stdout, stderr }
  }
}

/** The first command of the README, with the packed file in place of the name in the registry. */
async function firstCommand(): Promise<string> {
  const readme = await readFile(path.join(ROOT, 'README.md'), 'utf8')
  const [, line = ''] = /```sh\n(.*)\n/u.exec(readme) ?? []
  expect(line).toMatch(/^npm install --save-dev trustspec && npx trustspec run\b/u)
  return line.replace('--save-dev trustspec', `--save-dev --prefer-offline --no-audit --no-fund ${tarball}`)
}

describe.each(NODES)('with Node %s', (version, bin) => {
  const folder = path.join(place, `project-${version}`)

  test.skipIf(bin === undefined)('the first command of the README passes every case in an empty folder', async () => {
    await mkdir(folder)
    const { code, stdout, stderr } = await shell(await firstCommand(), folder, bin ?? '')
    expect(stderr).not.toContain('Warning')
    expect(stdout).toMatch(/203 cases \(origin, gateway, chain\): .*; exit code 0/u)
    expect(code).toBe(0)
    const installed: string[] = readdirSync(path.join(folder, 'node_modules'))
    expect(installed).toContain('trustspec')
    expect(installed).not.toContain('vitest')
    expect(installed).not.toContain('msw')
  })

  test.skipIf(bin === undefined)('a configuration in TypeScript is read', async () => {
    const config = `import { defineOrigin } from 'trustspec'
const url: string = 'http://127.0.0.1:1/orders'
export default defineOrigin({ url })
`
    await writeFile(path.join(folder, 'trustspec.config.ts'), config)
    const { code, stdout, stderr } = await shell('npx trustspec run', folder, bin ?? '')
    await rm(path.join(folder, 'trustspec.config.ts'))
    expect(stdout).toContain('Configuration: trustspec.config.ts')
    expect(stderr).toContain('ERR_TARGET_UNREACHABLE')
    expect(code).toBe(2)
  })

  test.skipIf(bin === undefined)('the gateway starts, and keys are made', async () => {
    const document = { openapi: '3.1.0', info: { title: 'Orders', version: '1' }, paths: { '/orders': { get: {} } } }
    await writeFile(path.join(folder, 'openapi.json'), JSON.stringify(document))
    const main = path.join(folder, 'node_modules', 'trustspec', 'dist', 'harness', 'cli', 'main.js')
    const args = [
      'gateway',
      '--openapi',
      'openapi.json',
      '--origin',
      'http://127.0.0.1:1',
      '--port',
      '0',
      '--state',
      'state',
    ]
    const gateway = spawn(path.join(bin ?? '', 'node'), [main, ...args], { cwd: folder })
    try {
      const lines = createInterface({ input: gateway.stdout })[Symbol.asyncIterator]()
      expect((await lines.next()).value).toContain('http://127.0.0.1:')
    } finally {
      gateway.kill()
    }
    const made = await shell('npx trustspec keys create --consumer one --state state', folder, bin ?? '')
    expect(made.code).toBe(0)
  })
})

describe('the installed package', () => {
  const folder = path.join(place, 'project-24')
  const installed = path.join(folder, 'node_modules', 'trustspec')
  const files = (): readonly string[] => readdirSync(installed, { recursive: true, encoding: 'utf8' })

  test('has no tests, and no sources of what it has built', () => {
    expect(files().filter((file) => /\.test\.|\.testing\./u.test(file))).toEqual([])
    expect(files().filter((file) => file.startsWith('dist') && /(?<!\.d)\.ts$/u.test(file))).toEqual([])
  })

  test('imports nothing that it does not depend on', () => {
    const { dependencies, peerDependencies } = JSON.parse(
      readFileSync(path.join(installed, 'package.json'), 'utf8'),
    ) as {
      readonly dependencies: object
      readonly peerDependencies: object
    }
    const scripts = files().filter((file) => file.startsWith('dist') && file.endsWith('.js'))
    const imported = scripts.flatMap((file) => {
      const text = readFileSync(path.join(installed, file), 'utf8')
      return [...text.matchAll(/^(?:import|export)\b.* from '([^.'][^']*)'|\bimport\('([^.'][^']*)'\)/gmu)].map(
        ([, fixed, lazy]) => fixed ?? lazy ?? '',
      )
    })
    const names = imported
      .filter((name) => !name.startsWith('node:') && name !== '@zuplo/runtime')
      .map((name) => /^(?:@[^/]+\/)?[^/]+/u.exec(name)?.[0] ?? '')
    expect([...new Set(names)].toSorted()).toEqual(
      [...Object.keys(dependencies), ...Object.keys(peerDependencies)].toSorted(),
    )
  })

  test('runs a bundled origin out of the cache, and nothing is written into node_modules', async () => {
    const before = files()
    const { code, stdout } = await shell(
      'npx trustspec run --origin node-express-jose --suite challenge',
      folder,
      OWN_NODE,
    )
    expect(stdout).toContain('the bundled origin node-express-jose')
    expect(code).toBe(0)
    expect(files()).toEqual(before)
  })

  test('lists and explains', async () => {
    expect((await shell('npx trustspec list', folder, OWN_NODE)).stdout).toContain('origin/claims/iss-wrong')
    expect((await shell('npx trustspec explain exp-past', folder, OWN_NODE)).stdout).toContain('exp')
  })
})

describe('the examples of docs/in-process.md, as written', () => {
  const folder = path.join(place, 'examples')

  beforeAll(async () => {
    const page = await readFile(path.join(ROOT, 'docs', 'in-process.md'), 'utf8')
    await mkdir(path.join(folder, 'node_modules'), { recursive: true })
    await writeFile(path.join(folder, 'package.json'), '{ "type": "module" }')
    for (const [, name = '', text = ''] of page.matchAll(/```ts\n\/\/ (\S+)\n([\s\S]*?)```/gu)) {
      await writeFile(path.join(folder, name), text)
    }
    const own = path.join(place, 'project-24', 'node_modules')
    for (const name of readdirSync(own).filter((one) => !one.startsWith('.'))) {
      await symlink(path.join(own, name), path.join(folder, 'node_modules', name))
    }
    for (const name of ['vitest', 'msw', 'jose']) {
      const module = path.join(ROOT, 'node_modules', name)
      await symlink(module, path.join(folder, 'node_modules', name))
      // The package looks for its peers from where it really lies.
      await symlink(module, path.join(own, name))
    }
  })

  test('pass', async () => {
    const { code, stdout } = await shell('npx vitest run --reporter=verbose', folder, OWN_NODE)
    expect(stdout).toMatch(/✓ orders\.test\.ts > conformance of the origin > origin\/claims\/iss-wrong /u)
    expect(stdout).toMatch(
      /✓ hard-coded\.test\.ts > orders behind the gateway > origin\/kid-rotation\/new-kid-picked-up /u,
    )
    expect(stdout).toMatch(/↓ orders\.test\.ts .*origin\/claims\/typ-wrong .*\[needs a declared explicit typ/u)
    expect(stdout).not.toContain('Warning')
    expect(code).toBe(0)
  })

  test('fail with the finding, and run only what the filter leaves', async () => {
    const app = await readFile(path.join(folder, 'app.ts'), 'utf8')
    await writeFile(
      path.join(folder, 'app.ts'),
      app.replace("requiredClaims: ['exp', 'sub']", "requiredClaims: ['sub']"),
    )
    const filtered = 'npx vitest run -t origin/expired-tokens/exp-missing 2>&1'
    const { code, stdout } = await shell(filtered, folder, OWN_NODE)
    await writeFile(path.join(folder, 'app.ts'), app)
    expect(stdout).toContain('fail-open  origin/expired-tokens/exp-missing  MUST')
    expect(stdout).toContain('stimulus     exp removed')
    expect(stdout).toMatch(/Tests .*1 failed/u)
    expect(code).toBe(1)
  })
})
