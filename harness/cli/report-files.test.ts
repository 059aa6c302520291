import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { sentence, TrustspecError } from '../model/errors.ts'
import { EVERYTHING, renderingOf } from '../report/report.testing.ts'
import { readArgs } from './args.ts'
import { ownFolder, trustspec } from './cli.testing.ts'
import { wantedReports, writeReports } from './report-files.ts'
import { sourceOf } from './report-source.ts'

const given = (...args: readonly string[]) => readArgs('run', args)

/** What is said where it fails. */
async function saidBy(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return ''
  } catch (error) {
    return error instanceof TrustspecError ? `${error.code}: ${sentence(error)}` : String(error)
  }
}

describe('what --report asks for', () => {
  test('several at once, repeated, with and without a file, --json beside them', async () => {
    const args = ['--report', 'junit=/tmp/a.xml,sarif', '--report', 'markdown = /tmp/b=c.md', '--json', '/tmp/r.json']
    const wanted = await wantedReports(given(...args), {})

    expect(wanted.map(({ kind, file, flag }) => `${flag} ${kind} ${file}`)).toEqual([
      '--json json /tmp/r.json',
      '--report junit /tmp/a.xml',
      '--report sarif trustspec.sarif',
      '--report markdown /tmp/b=c.md',
    ])
  })

  test('and the summary of a job of GitHub', async () => {
    expect(await wantedReports(given(), { GITHUB_STEP_SUMMARY: '' })).toEqual([])
    expect(await wantedReports(given(), { GITHUB_STEP_SUMMARY: '/tmp/summary.md' })).toMatchObject([
      { kind: 'markdown', file: '/tmp/summary.md', isShared: true },
    ])
  })

  test.each<readonly [readonly string[], string]>([
    [
      ['--report', 'sarf=x'],
      'ERR_USAGE: There is no such format of a report (flag --report, given sarf); instead: sarif=FILE; the formats are json, ',
    ],
    [['--report', 'out.xml'], 'ERR_USAGE: There is no such format of a report (flag --report, given out.xml)'],
    [
      ['--report', 'junit='],
      'ERR_USAGE: The file of the report is missing (flag --report, given junit=); instead: junit=FILE or junit.',
    ],
    [
      ['--report', 'junit=/tmp/a,sarif=/tmp/../tmp/a'],
      'ERR_USAGE: Two reports would be written to one file (flag --report, file /tmp/../tmp/a); instead: a file for each.',
    ],
    [
      ['--report', 'junit=/nowhere/a.xml'],
      'ERR_USAGE: The report cannot be written (--report /nowhere/a.xml); instead: a file in a folder that exists and may be written to.',
    ],
    [['--json', '/tmp'], 'ERR_USAGE: The report cannot be written (--json /tmp); instead: a file in a folder that'],
  ])('%s is said to be wrong', async (args, said) => {
    expect((await saidBy(wantedReports(given(...args), {}))).slice(0, said.length)).toBe(said)
  })
})

describe('reports in files', () => {
  test('are written whole, and a summary is added to', async () => {
    const folder = await ownFolder()
    const [file, summary] = [path.join(folder, 'r.json'), path.join(folder, 'summary.md')]
    await writeFile(file, 'x'.repeat(10_000_000))
    await writeFile(summary, 'Of another step.\n')
    const printed: string[] = []
    const wanted = await wantedReports(given('--json', file), { GITHUB_STEP_SUMMARY: summary })
    await writeReports(wanted, renderingOf([EVERYTHING]), (text) => printed.push(text))

    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ version: 1, subject: 'origin' })
    expect(await readFile(summary, 'utf8')).toMatch(/^Of another step\.\n## trustspec: the origin does not conform\n/u)
    expect(await readdir(folder)).toEqual(['r.json', 'summary.md'])
    expect(printed).toEqual([`The report is in ${file}\n`])
  })

  test('SARIF without a file of its findings says what GitHub needs', async () => {
    const folder = await ownFolder()
    const printed: string[] = []
    const wanted = await wantedReports(given('--report', `sarif=${path.join(folder, 'r.sarif')}`), {})
    const { source: _, ...nowhere } = renderingOf([EVERYTHING])
    await writeReports(wanted, nowhere, (text) => printed.push(text))

    expect(printed.join('')).toContain('name one of your repository with --source FILE')
  })

  test('a run over several subjects gives one file in each format', async () => {
    const folder = await ownFolder()
    const cases = ['origin/signature/alg-none', 'gateway/key-auth/missing', 'chain/happy-path'].join(',')
    const kinds = 'json,junit,sarif,ctrf,markdown,badge'
    const { code, out } = await trustspec(folder, ['run', '--case', cases, '--report', kinds, '--source', '.'])
    expect({ code, out }).toMatchObject({ code: 2 })
    const ended = await trustspec(folder, ['run', '--case', cases, '--report', kinds])
    expect(ended).toMatchObject({ code: 0 })
    const read = (name: string) => readFile(path.join(folder, `trustspec.${name}`), 'utf8')
    const subjects = ['origin', 'gateway', 'chain']

    expect(JSON.parse(await read('json'))).toMatchObject({ reports: subjects.map((subject) => ({ subject })) })
    expect(JSON.parse(await read('sarif'))).toMatchObject({
      runs: subjects.map((subject) => ({ automationDetails: { id: `trustspec/${subject}/` } })),
    })
    expect(JSON.parse(await read('ctrf.json'))).toMatchObject({ results: { summary: { tests: 3, passed: 3 } } })
    for (const subject of subjects) {
      expect(await read('junit.xml')).toContain(`classname="trustspec.${subject}`)
      expect(await read('md')).toContain(`## trustspec: the ${subject} conforms`)
    }
    expect(JSON.parse(await read('badge.json'))).toMatchObject({ label: 'trustspec', message: '3 of 3 proven' })
  })
})

describe('the file that findings are shown at', () => {
  /** A repository with a folder in it, from which the run is started. */
  async function repository(): Promise<string> {
    const root = await ownFolder()
    const cwd = path.join(root, 'services/orders')
    await mkdir(path.join(root, '.git'))
    await mkdir(path.join(root, '.github/workflows'), { recursive: true })
    await mkdir(cwd, { recursive: true })
    for (const file of ['app.py', 'trustspec.config.ts', '../../.github/workflows/ci.yml']) {
      await writeFile(path.join(cwd, file), '')
    }
    return cwd
  }
  const workflow = { GITHUB_WORKFLOW_REF: 'acme/shop/.github/workflows/ci.yml@refs/heads/main' }

  test('is of --source, the configuration, the profile, the bundled target or the workflow, in this order', async () => {
    const cwd = await repository()
    const config = { file: 'trustspec.config.ts' }
    const bundled = path.resolve(import.meta.dirname, '../..')

    expect(await sourceOf(given('--source', 'app.py'), config, workflow, cwd)).toBe('services/orders/app.py')
    expect(await sourceOf(given('--profile-file', 'app.py'), config, workflow, cwd)).toBe(
      'services/orders/trustspec.config.ts',
    )
    expect(await sourceOf(given('--profile-file', 'app.py'), {}, workflow, cwd)).toBe('services/orders/app.py')
    expect(await sourceOf(given(), {}, workflow, cwd)).toBe('.github/workflows/ci.yml')
    expect(await sourceOf(given(), {}, {}, cwd)).toBeUndefined()
    expect(await sourceOf(given('--origin', 'tornado-repaired'), {}, {}, bundled)).toBe(
      'origins/tornado-repaired/origin.json',
    )
    expect(await sourceOf(given('--gateway', 'nginx'), {}, {}, bundled)).toBe('fixtures/gateways/nginx/gateway.json')
    expect(await sourceOf(given('--origin', 'tornado-repaired'), {}, {}, cwd)).toBeUndefined()
  })

  test.each(['nothing.py', '/etc/hostname', '../..', '../../.github'])('%s is said to be none', async (file) => {
    expect(await saidBy(sourceOf(given('--source', file), {}, {}, await repository()))).toBe(
      `ERR_USAGE: Findings cannot be shown at this file (--source ${file}); instead: a file that exists in the repository of the run.`,
    )
  })
})
