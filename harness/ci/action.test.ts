import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { access, copyFile, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { validateAction, validateWorkflow } from '@action-validator/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { freePort, ownFolder, trustspec } from '../cli/cli.testing.ts'
import { FLAGS } from '../cli/flags.ts'
import { newPair } from '../evidence/evidence.testing.ts'
import { besideIssuer, REFERENCE_CONFIG, TRUSTING } from './little.testing.ts'
import { leftWith } from './processes.testing.ts'
import { runSteps } from './composite.testing.ts'
import type { JobResult, Step } from './composite.testing.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const TEXT = readFileSync(path.join(ROOT, 'action.yml'), 'utf8')
const ACTION = parse(TEXT) as {
  inputs: Record<string, { description: string; default: string }>
  outputs: Record<string, { description: string; value: string }>
  runs: { steps: readonly Step[] }
}
/** In the environment of all that the action starts. */
const MARK = `MARK=${randomUUID()}`

/** Runs the action with inputs, in a folder. */
async function use(
  cwd: string,
  inputs: Readonly<Record<string, string>>,
  {
    actionPath = ROOT,
    env = {},
  }: { readonly actionPath?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<JobResult> {
  const unknown = Object.keys(inputs).filter((name) => !(name in ACTION.inputs))
  if (unknown.length > 0) throw new Error(`There is no input ${unknown.join(', ')}`)
  const defaults = Object.fromEntries(Object.entries(ACTION.inputs).map(([name, input]) => [name, input.default]))
  const contexts = { inputs: { ...defaults, reports: 'json', ...inputs }, github: { action_path: actionPath } }
  return await runSteps(ACTION.runs.steps, { cwd, contexts, env: { ...env, MARK: MARK.slice(5) } })
}

function step({ steps }: JobResult, name: string) {
  const found = steps.find((one) => one.name === name)
  if (!found) throw new Error(`There is no step ${name}`)
  return found
}

function outputsOf(result: JobResult): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(ACTION.outputs).map(([name, { value }]) => [name, result.evaluate(value)]))
}

/** Inputs that start the reference origin, which trusts the issuer that the run starts. */
async function conforming(): Promise<Readonly<Record<string, string>>> {
  const { start, url, waitFor, flags } = await besideIssuer()
  return { start, url, 'wait-for': waitFor, args: flags }
}

async function trusting(): Promise<Readonly<Record<string, string>>> {
  const port = await freePort()
  return {
    start: `echo '::warning::not a command'; ${TRUSTING} ${port}`,
    url: `http://127.0.0.1:${port}/`,
    args: "--case 'no-token'",
  }
}

describe('action.yml', () => {
  test('is valid, and every input has a default and a description', () => {
    expect(validateAction(TEXT).errors).toEqual([])
    for (const [name, { description, default: value }] of Object.entries(ACTION.inputs)) {
      expect([name, typeof value, description.length > 10]).toEqual([name, 'string', true])
    }
  })

  test('lets no input into a script, and hands the key to the test alone', () => {
    const withRun = ACTION.runs.steps.filter(({ run }) => run !== undefined)
    expect(withRun).toHaveLength(4)
    for (const { run, shell } of withRun) {
      expect(run).not.toContain('${{')
      expect(shell).toBe('bash')
    }
    const withKey = ACTION.runs.steps.filter((one) => JSON.stringify(one).includes('evidence-key'))
    expect(withKey.map(({ name }) => name)).toEqual(['Test'])
    for (const { uses } of ACTION.runs.steps) expect(uses ?? 'x@v1').toMatch(/@v\d+(\.\d+)*$/u)
  })

  test('reads every input, and gives every flag that the scripts name', async () => {
    for (const name of Object.keys(ACTION.inputs)) expect(TEXT).toContain(`inputs.${name}`)
    const script = await readFile(path.join(ROOT, 'ci/run.sh'), 'utf8')
    const flags = [...script.matchAll(/^flag ([a-z-]+) /gmu)].map(([, name = '']) => name)
    const later = ['source']
    expect(flags.filter((name) => !(name in FLAGS.run) && !later.includes(name))).toEqual([])
  })
})

describe('the documents', () => {
  const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8')
  const blocks = ['README.md', 'docs/ci.md'].flatMap((file) =>
    [...read(file).matchAll(/^```yaml\n(.*?)^```$/gmsu)].map(([, text = '']) => text),
  )

  test('use inputs that exist, and name every one of them', () => {
    const used = blocks.map((text) => text.split('uses: OWNER/trustspec@v0')[1]).filter((text) => text !== undefined)
    expect(used).toHaveLength(3)
    for (const text of used) {
      const [, given = ''] = /^ +with:\n((?: +.*\n)*)/mu.exec(text) ?? []
      const { with: inputs } = parse(`with:\n${given.replace(/^ +env:\n[^]*/mu, '')}`) as { with: object }
      expect(Object.keys(inputs).filter((name) => !(name in ACTION.inputs))).toEqual([])
    }
    const table = read('docs/ci.md')
    const names = [...Object.keys(ACTION.inputs), ...Object.keys(ACTION.outputs)]
    expect(names.filter((name) => !table.includes(`\`${name}\``))).toEqual([])
  })

  test('have a workflow that is valid', () => {
    const [workflow = '', ...others] = blocks.filter((text) => text.includes('runs-on'))
    expect(others).toEqual([])
    expect(validateWorkflow(workflow.replace('OWNER', 'acme')).errors).toEqual([])
  })
})

describe('an origin that conforms', () => {
  let result: JobResult
  let folder: string
  const pair = newPair()
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'trustspec-action-'))
    await writeFile(path.join(folder, 'trustspec.config.json'), JSON.stringify(REFERENCE_CONFIG))
    const env = {
      GITHUB_SHA: 'c'.repeat(40),
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_REPOSITORY: 'acme/orders',
    }
    result = await use(folder, { ...(await conforming()), 'evidence-key': pair.privatePem }, { env })
  })

  afterAll(() => rm(folder, { recursive: true }))

  test('is green, with its report and its evidence, and is stopped', async () => {
    expect([result.ok, step(result, 'Test').out]).toEqual([true, expect.stringContaining('Exit code 0')])
    const { json = '', evidence = '', ...others } = outputsOf(result)
    expect(others).toMatchObject({ 'exit-code': '0', verdict: 'conforms', html: '' })
    const report = JSON.parse(await readFile(json, 'utf8')) as { exit: { code: number } }
    expect(report.exit.code).toBe(0)
    await access(evidence)
    expect(await leftWith(MARK)).toEqual([])
  })

  test('is what the evidence is about', async () => {
    await writeFile(path.join(folder, 'pub.pem'), pair.publicPem)
    const commit = `git+https://github.com/acme/orders@gitCommit:${'c'.repeat(40)}`
    const { evidence = '', json = '' } = outputsOf(result)
    const args = ['verify', evidence, '--key', 'pub.pem', '--report', json, '--subject', commit]
    const verified = await trustspec(folder, [...args, '--require', 'origin/claims/iss-wrong'])

    expect([verified.code, verified.err]).toEqual([0, ''])
    expect(JSON.stringify(result.steps)).not.toContain(pair.privatePem.split('\n')[1])
  })

  test('has its reports uploaded', () => {
    expect(step(result, 'Upload findings to code scanning').outcome).toBe('skipped')
    const { outcome, given } = step(result, 'Upload the reports')
    expect([outcome, given['name'], given['path']]).toEqual([
      'success',
      'trustspec-report',
      path.join(folder, 'trustspec-report'),
    ])
  })
})

test('an origin that lets everybody in is red, with its report, and is stopped', async () => {
  const folder = await ownFolder()
  const result = await use(folder, await trusting())

  expect(result.ok).toBe(false)
  expect(step(result, 'Test').code).toBe(1)
  expect(step(result, 'Test').out).toContain('fail-open')
  expect(outputsOf(result)).toMatchObject({ 'exit-code': '1', verdict: 'nonconforming' })
  await access(path.join(folder, 'trustspec-report/report.json'))
  expect(step(result, 'Upload the reports').outcome).toBe('success')
  expect(await leftWith(MARK)).toEqual([])
})

describe('an origin that does not come up', () => {
  test.each([
    ['ends', 'echo no such module; echo ::warning::boo; exit 3', 'The origin ended with exit code 3', 'no such module'],
    ['never answers', 'echo waiting for Godot; exec sleep 1000', 'The origin did not answer within 3 seconds', 'Godot'],
    ['hides its child', '(sleep 1000 & echo forked; wait)', 'The origin did not answer within 3 seconds', 'forked'],
  ])('because it %s: the log is shown, and nothing is left running', async (_, start, says, logged) => {
    const url = `http://127.0.0.1:${await freePort()}/`
    const result = await use(await ownFolder(), { start, url, 'wait-seconds': says.includes('within') ? '3' : '60' })
    const { code, out } = step(result, 'Start the origin')

    expect([result.ok, code]).toEqual([false, 2])
    expect(out).toContain(`::error title=trustspec::${says}`)
    expect(out).toContain(logged)
    const [, token = ''] = /::stop-commands::(\w{32})\n/u.exec(out) ?? []
    expect(out.indexOf(`::${token}::`)).toBeGreaterThan(out.indexOf(logged))
    expect(step(result, 'Test').outcome).toBe('skipped')
    expect(step(result, 'Stop the origin').outcome).toBe('success')
    expect(await leftWith(MARK)).toEqual([])
  })

  test.each([
    [{ url: 'localhost:8888' }, 'no URL'],
    [{ url: 'http://127.0.0.1:1/', 'wait-seconds': 'soon' }, 'wait-seconds'],
  ])('is not begun with %j', async (inputs, says) => {
    const result = await use(await ownFolder(), { start: 'touch started', ...inputs })
    expect(step(result, 'Start the origin').out).toContain(says)
    expect(result.ok).toBe(false)
  })
})

describe('inputs', () => {
  const NASTY = '$(touch pwned) `touch pwned` ; touch pwned & | > pwned'

  test.each([
    ['url', 'ERR_USAGE'],
    ['args', 'ERR_USAGE'],
    ['report-folder', 'ERR_'],
    ['strict', 'strict is true or false'],
    ['reports', 'reports is a list'],
    ['subject', 'evidence needs evidence-key'],
  ])('as text for a shell, in %s, execute nothing', async (name, says) => {
    const folder = await ownFolder()
    const rest = { as: NASTY, config: NASTY, 'fail-on': NASTY, edition: NASTY, baseline: NASTY, source: NASTY }
    const result = await use(folder, { url: 'http://127.0.0.1:1/', ...rest, [name]: NASTY })

    expect(result.ok).toBe(false)
    expect(step(result, 'Test').out).toContain(says)
    await expect(access(path.join(folder, 'pwned'))).rejects.toThrow('ENOENT')
  })

  test('of args are words as a shell reads them', async () => {
    const exec = `${TRUSTING} {port}`
    const result = await use(await ownFolder(), { exec, args: `--case no-token --marker "wel  *come" --seed '7'` })
    expect(step(result, 'Test').out).toContain('seed 7')
    const open = await use(await ownFolder(), { exec, args: '--marker "welcome' })
    expect(step(open, 'Test').out).toContain('A quote in args is not closed')
  })

  test('that look like flags are none', async () => {
    const result = await use(await ownFolder(), { url: '--help', as: '--verbose' })
    expect(step(result, 'Test').out).toContain('ERR_USAGE')
    expect(result.ok).toBe(false)
  })
})

test('it installs what it needs, and nothing else, beside itself', { timeout: 120_000 }, async () => {
  const actionPath = await ownFolder()
  for (const name of ['package.json', 'package-lock.json'])
    await copyFile(path.join(ROOT, name), path.join(actionPath, name))
  await cp(path.join(ROOT, 'ci'), path.join(actionPath, 'ci'), { recursive: true })
  for (const name of ['harness', 'suites', 'fixtures'])
    await symlink(path.join(ROOT, name), path.join(actionPath, name))
  await mkdir(path.join(actionPath, 'work'))
  const inputs = { as: 'origin', args: '--case iss-wrong' }
  const result = await use(path.join(actionPath, 'work'), inputs, { actionPath })

  expect(step(result, 'Install trustspec').out).not.toContain('::error')
  expect(result.ok).toBe(true)
  await access(path.join(actionPath, 'node_modules/undici'))
  await expect(access(path.join(actionPath, 'node_modules/vitest'))).rejects.toThrow('ENOENT')
})

test.each(['v20.19.5', 'v22.21.9', 'v25.1.0', undefined])(
  'a runner with Node %s is told what is needed',
  async (version) => {
    const folder = await ownFolder()
    const script = version === undefined ? 'exit 127' : `echo ${version}`
    await writeFile(path.join(folder, 'node'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    const env = { PATH: `${folder}:${process.env['PATH'] ?? ''}` }
    const { steps, ok } = await use(folder, {}, { env })

    expect(ok).toBe(false)
    expect(steps[0]?.out).toContain(`this runner has ${version ?? 'none'}; put actions/setup-node before`)
  },
)

const HAS_FORMATS = 'report' in FLAGS.run
if (!HAS_FORMATS) console.log('Skipped: all reports of the action, since "run" has no --report yet')

test.skipIf(!HAS_FORMATS)('all reports that are asked for by default are written and uploaded', async () => {
  const folder = await ownFolder()
  await writeFile(path.join(folder, 'app.js'), '')
  const result = await use(folder, {
    ...(await trusting()),
    reports: ACTION.inputs['reports']?.default ?? '',
    source: 'app.js',
  })

  expect(step(result, 'Test').code).toBe(1)
  const { html = '', json = '', junit = '', sarif = '' } = outputsOf(result)
  for (const file of [html, json, junit, sarif]) await access(file)
  expect(step(result, 'Upload findings to code scanning').given['sarif_file']).toBe(sarif)
  expect(result.summary).toContain('no-token')
})
