import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { validateWorkflow } from '@action-validator/core'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { runSteps } from '../ci/composite.testing.ts'
import type { Step } from '../ci/composite.testing.ts'
import { runJob } from '../ci/gitlab.testing.ts'
import type { GitlabJob } from '../ci/gitlab.testing.ts'
import { pathWithNpx, REFERENCE, TRUSTING } from '../ci/little.testing.ts'
import { configText } from '../init/config-text.ts'
import { lookInto } from '../init/folder.ts'
import { sentence, TrustspecError } from '../model/errors.ts'
import { readArgs } from './args.ts'
import { ownFolder } from './cli.testing.ts'
import { FLAGS } from './flags.ts'
import { initCommand } from './init.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const HAS_FORMATS = 'report' in FLAGS.run
if (!HAS_FORMATS) console.log('Left out: reports of pipelines besides JSON, since "run" has no --report yet')

/** What init says, and what is then in the folder. */
async function init(folder: string, ...args: readonly string[]): Promise<readonly string[]> {
  const said: string[] = []
  await initCommand(readArgs('init', args), folder, (line) => said.push(line))
  return said
}

async function refused(folder: string, ...args: readonly string[]): Promise<string> {
  try {
    await init(folder, ...args)
  } catch (error) {
    if (error instanceof TrustspecError && error.code === 'ERR_USAGE') return sentence(error)
    throw error
  }
  return 'nothing'
}

function filesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder, { recursive: true })
}

/** Configurations as a process of its own loads them: here, vitest would. */
async function loaded(files: readonly string[]): Promise<unknown> {
  const loader = path.join(ROOT, 'harness/config/load.ts')
  const code = `import { loadConfig } from ${JSON.stringify(loader)}
const settings = []
for (const file of ${JSON.stringify(files)}) settings.push(await loadConfig(file, {}))
console.log(JSON.stringify(settings))`
  const args = ['--input-type=module', '--eval', code]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  return JSON.parse(await text(child.stdout))
}

/** The script without what a command line does not know yet. */
function known(script: string): string {
  return HAS_FORMATS ? script : script.replace(/ --report \S+/u, '')
}

async function githubSteps(folder: string): Promise<readonly Step[]> {
  const workflow = parse(await readFile(path.join(folder, '.github/workflows/trustspec.yml'), 'utf8')) as {
    jobs: { conformance: { steps: readonly Step[] } }
  }
  const { steps } = workflow.jobs.conformance
  return steps.map((step) => (step.run === undefined ? step : { ...step, run: known(step.run) }))
}

describe('what is written', () => {
  const WISHES = [
    ['origin', []],
    ['origin', ['--exec', `node "it's" \\ \`x\` {port}`, '--path', '/a']],
    ['gateway', ['--url', 'http://localhost:8080/x']],
    ['chain', ['--url', 'http://localhost:8080/x', '--origin-url', 'http://localhost:8888/x']],
  ] as const

  test.each(['ts', 'yaml'])('is a configuration in %s, and a valid workflow', async (format) => {
    const folder = await ownFolder()
    const files: string[] = []
    for (const [at, [as, args]] of WISHES.entries()) {
      const own = path.join(folder, String(at))
      await mkdir(own)
      await init(own, '--as', as, '--format', format, ...args)
      files.push(path.join(own, `trustspec.config.${format}`))
      const workflow = await readFile(path.join(own, '.github/workflows/trustspec.yml'), 'utf8')
      expect(validateWorkflow(workflow).errors).toEqual([])
      expect(workflow.includes('secrets.TRUSTSPEC_API_KEY')).toBe(as !== 'origin')
    }
    expect(await loaded(files)).toMatchObject([
      { subject: 'origin', origin: { url: 'http://localhost:8888/orders' } },
      { subject: 'origin', origin: { exec: WISHES[1][1][1], path: '/a' } },
      { subject: 'gateway', gateway: { url: 'http://localhost:8080/x' } },
      { subject: 'chain', gateway: { url: 'http://localhost:8080/x' }, origin: { url: 'http://localhost:8888/x' } },
    ])
  })

  test('type-checks, with every hint taken', async () => {
    const folder = await ownFolder()
    const wish = { url: 'http://localhost/x', path: '/', originUrl: 'http://localhost/y' }
    for (const subject of ['origin', 'gateway', 'chain'] as const) {
      const written = configText({ subject, ...wish }, 'ts')
      const hinted = written.replaceAll(/^ {2}\/\/ (\w+: .*)$/gmu, '  $1')
      expect(hinted).not.toBe(written)
      await writeFile(path.join(folder, `${subject}.ts`), hinted)
    }
    const settings = {
      extends: path.join(ROOT, 'tsconfig.json'),
      compilerOptions: {
        paths: { trustspec: [path.join(ROOT, 'harness/config/define.ts')] },
        typeRoots: [path.join(ROOT, 'node_modules/@types')],
      },
      include: ['*.ts'],
    }
    await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify(settings))
    await writeFile(path.join(folder, 'package.json'), '{"type":"module"}')
    const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc')
    const child = spawn(process.execPath, [tsc, '--noEmit', '-p', folder], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
    expect([out, code]).toEqual(['', 0])
  })
})

describe('the workflow runs in a folder that was empty', () => {
  test.each([
    ['conforms', REFERENCE, '/protected', 0],
    ['lets everybody in', `${TRUSTING} "$PORT"`, '/', 1],
  ])('against an origin that %s', async (_, command, route, code) => {
    const folder = await ownFolder()
    await init(folder, '--exec', command, '--path', route)
    if (code === 0) {
      const file = path.join(folder, 'trustspec.config.ts')
      const hint = "// audience: 'https://orders.example.com'"
      const more = `typ: 'at+jwt', subjects: ['consumer-ada', 'consumer-bob'], knownSubjects: true, requiredClaims: ['iss', 'aud', 'exp', 'sub', 'iat', 'jti']`
      const declared = (await readFile(file, 'utf8')).replace(hint, `${hint.slice(3)}, ${more}`)
      await writeFile(file, declared)
    }
    const steps = (await githubSteps(folder)).map((step) =>
      step.run === undefined ? step : { ...step, run: `${step.run} --case iss-wrong,no-token` },
    )
    const env = { PATH: await pathWithNpx(folder) }
    const result = await runSteps(steps, { cwd: folder, contexts: { secrets: {} }, env })
    const tested = result.steps.find(({ name }) => name === 'Test')

    expect([tested?.code, tested?.out]).toEqual([code, expect.stringContaining(`Exit code ${code}`)])
    await access(path.join(folder, 'trustspec-report/report.json'))
    expect(result.steps.filter(({ name }) => name.startsWith('Upload')).map(({ outcome }) => outcome)).toEqual([
      'success',
      'success',
    ])
  })

  test('and so does the job of GitLab', async () => {
    const folder = await ownFolder()
    const said = await init(folder, '--exec', `${TRUSTING} "$PORT"`, '--ci', 'gitlab', '--format', 'yaml')
    const file = path.join(folder, '.gitlab/trustspec.yml')
    const { trustspec: job } = parse(await readFile(file, 'utf8')) as { trustspec: GitlabJob }
    const script = [...job.script.map(known).slice(0, -1), `${known(job.script.at(-1) ?? '')} --case no-token`]
    const { code, out } = await runJob({ ...job, script }, folder, { PATH: await pathWithNpx(folder) })

    expect([code, out]).toEqual([1, expect.stringContaining('fail-open')])
    expect(said.join('\n')).toContain('include: [{ local: .gitlab/trustspec.yml }]')
  })
})

describe('the folder', () => {
  test('tells how the origin starts, what it needs, and its document', async () => {
    const folder = await ownFolder()
    expect(lookInto(folder)).toEqual({ install: [] })
    await writeFile(path.join(folder, 'app.py'), '')
    await writeFile(path.join(folder, 'requirements.txt'), '')
    await writeFile(path.join(folder, 'openapi.yaml'), '')
    const python = 'python3 -m pip install -r requirements.txt'
    expect(lookInto(folder)).toEqual({ exec: 'python3 app.py', install: [python], openapi: 'openapi.yaml' })
    await writeFile(path.join(folder, 'package.json'), 'null')
    expect(lookInto(folder).exec).toBe('python3 app.py')
    await writeFile(path.join(folder, 'package.json'), '{"scripts":{"start":"node ."}}')
    await writeFile(path.join(folder, 'package-lock.json'), '{}')
    expect(lookInto(folder)).toMatchObject({ exec: 'npm start --silent', install: ['npm ci', python] })
    await init(folder)
    const steps = await githubSteps(folder)
    expect(steps.find(({ name }) => name === 'Install the origin')?.run).toBe(`npm ci\n${python}`)
    expect(steps.find(({ name }) => name === 'Test')?.run).toContain('--openapi openapi.yaml')
    expect(await readFile(path.join(folder, 'trustspec.config.ts'), 'utf8')).toContain("exec: 'npm start --silent'")
  })

  test('says nothing of a gateway', async () => {
    const folder = await ownFolder()
    await writeFile(path.join(folder, 'package.json'), '{"scripts":{"start":"node ."}}')
    await init(folder, '--as', 'gateway', '--ci', 'none')
    expect(await readFile(path.join(folder, 'trustspec.config.ts'), 'utf8')).not.toContain('npm start')
    expect(await filesIn(folder)).toHaveLength(2)
  })

  test.each([
    ['trustspec.config.ts', 'trustspec.config.ts'],
    ['.github/workflows/trustspec.yml', '.github/workflows/trustspec.yml'],
    ['trustspec.config.json', 'trustspec.config.json'],
  ])('keeps its %s', async (file, says) => {
    const folder = await ownFolder()
    await mkdir(path.join(folder, path.dirname(file)), { recursive: true })
    await writeFile(path.join(folder, file), 'mine')
    const before = await filesIn(folder)

    expect(await refused(folder)).toContain(`nothing was written (file ${says})`)
    expect(await filesIn(folder)).toEqual(before)
    expect(await readFile(path.join(folder, file), 'utf8')).toBe('mine')
  })

  test('is written anew with --force, save beside another configuration', async () => {
    const folder = await ownFolder()
    await init(folder)
    await init(folder, '--force', '--url', 'http://localhost:1/new')
    expect(await readFile(path.join(folder, 'trustspec.config.ts'), 'utf8')).toContain('http://localhost:1/new')
    expect(await refused(folder, '--force', '--format', 'yaml')).toContain('There is a configuration already')
  })
})

test.each([
  [['--as', 'origins'], '--as origin'],
  [['--ci', 'jenkins'], 'github, gitlab, none'],
  [['--format', 'toml'], 'ts, yaml'],
  [['--url', 'localhost'], 'http://localhost'],
  [['--url', 'http://a/', '--exec', 'x'], '--url and --exec'],
  [['--as', 'gateway', '--exec', 'x'], '--url URL of the gateway'],
  [['--origin-url', 'http://a/'], '--as chain'],
  [['--path', '/x'], '--exec COMMAND'],
  [['--exec', 'x', '--path', 'x'], '/x'],
  [['http://a/'], '--url http://a/'],
])('init %j is told what to write instead', async (args, says) => {
  const folder = await ownFolder()
  expect(await refused(folder, ...args)).toContain(says)
  expect(await filesIn(folder)).toEqual([])
})
