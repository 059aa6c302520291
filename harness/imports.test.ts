import { spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const OXLINT = join(ROOT, 'node_modules/oxlint/bin/oxlint')
const FOLDERS = [
  'model',
  'clock',
  'lock',
  'signing',
  'openapi',
  'client',
  'issuer',
  'origin',
  'capture',
  'gateway',
  'scanner',
  'tap',
  'targets',
  'bench',
  'report',
  'config',
]
const COMPOSITION = ['runner', 'cli', 'matrix', 'mutants', 'tutorial', 'vitest', 'msw']

/** Where a file stands, and the folders of the harness that it may import beside its own. */
const RULES: readonly (readonly [file: string, may: readonly string[]])[] = [
  ['suites/probe.ts', ['model']],
  ['suites/origin/probe.ts', ['model']],
  ['harness/model/probe.ts', []],
  ['harness/clock/probe.ts', ['model']],
  ['harness/lock/probe.ts', ['model']],
  ['harness/client/probe.ts', ['model', 'clock']],
  ['harness/signing/probe.ts', ['model']],
  ['harness/issuer/probe.ts', ['model', 'clock', 'signing']],
  ['harness/origin/probe.ts', ['model', 'clock', 'signing']],
  ['harness/capture/probe.ts', ['model', 'clock', 'signing']],
  ['harness/gateway/probe.ts', ['model', 'clock', 'lock', 'signing', 'openapi']],
  ['harness/gateway/keys/probe.ts', ['model', 'clock', 'lock', 'signing', 'openapi']],
  ['harness/targets/probe.ts', ['model', 'clock', 'lock']],
  ['harness/targets/embedded.ts', ['model', 'clock', 'origin']],
  ['harness/targets/embedded-gateway.ts', ['model', 'clock', 'gateway']],
  ['harness/scanner/probe.ts', ['model']],
  ['harness/tap/probe.ts', ['model', 'clock', 'capture']],
  ['harness/bench/probe.ts', ['model', 'clock', 'client', 'issuer', 'capture', 'scanner', 'tap']],
  ['suites/gateway/probe.ts', ['model']],
  ['harness/report/probe.ts', ['model']],
  ['harness/report/matrix/probe.ts', ['model']],
  ['harness/config/probe.ts', ['model']],
]

/** A case with two forgotten awaits of destructured bench methods, one of them disguised by `void`. */
const FORGETFUL = `import { defineSuite } from '../../harness/model/case.ts'

export const suite = defineSuite({
  id: 'origin/forgetful',
  title: 'Forgotten awaits',
  cases: [
    {
      id: 'forgetful',
      title: 'forgets',
      level: 'MUST',
      clause: ['rfc7519/exp'],
      needs: [],
      rationale: 'None.',
      remedy: 'Await.',
      async run({ accepts, refuses, mint }) {
        await accepts(mint(), 'awaited')
        accepts(mint(), 'forgotten')
        void refuses(mint(), 'disguised')
      },
    },
  ],
})
`

interface Diagnostic {
  readonly code: string
  readonly filename: string
  readonly labels: readonly { readonly span: { readonly line: number } }[]
}

interface Outcome {
  readonly exitCode: number | null
  readonly files: number
  /** One line for each finding: `file:line rule`. */
  readonly findings: readonly string[]
}

interface Workspace extends AsyncDisposable {
  readonly write: (file: string, source: string) => Promise<void>
  readonly lint: (...flags: string[]) => Promise<Outcome>
}

async function lint(cwd: string, args: readonly string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [OXLINT, '--format=json', ...args], { cwd })
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const [output, errors, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), closed])
  if (errors !== '') throw new Error(errors)
  const report = JSON.parse(output) as { diagnostics: readonly Diagnostic[]; number_of_files: number }
  const findings = report.diagnostics.map(
    ({ code, filename, labels }) => `${filename}:${labels[0]?.span.line} ${code.replace(/^.*\((.*)\)$/u, '$1')}`,
  )
  return { exitCode, files: report.number_of_files, findings: [...new Set(findings)].toSorted() }
}

/** A folder with the linter's configuration and the model, and nothing else of the project. */
async function workspace(): Promise<Workspace> {
  const folder = await mkdtemp(join(tmpdir(), 'trustspec-lint-'))
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  for (const file of ['.oxlintrc.json', 'tsconfig.json', 'harness/model']) {
    await cp(join(ROOT, file), join(folder, file), { recursive: true })
  }
  return {
    async write(file, source) {
      await mkdir(dirname(join(folder, file)), { recursive: true })
      await writeFile(join(folder, file), source)
    },
    lint: (...flags) => lint(folder, [...flags, 'suites', 'harness']),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
}

function specifier(file: string, target: string): string {
  const path = relative(dirname(file), target)
  return path.startsWith('.') ? path : `./${path}`
}

function importing(specifiers: readonly string[]): string {
  return specifiers.map((name, index) => `import * as part${index} from '${name}'\n`).join('')
}

describe('import rule', () => {
  test.each(RULES)('%s imports nothing that it must not', async (file, may) => {
    await using project = await workspace()
    const own = file.startsWith('harness/') ? (file.split('/')[1] ?? '') : ''
    const allowed = [...may, own].filter((folder) => FOLDERS.includes(folder))
    const forbidden = [...FOLDERS, ...COMPOSITION].filter((folder) => !allowed.includes(folder))
    const permitted = allowed.map((folder) => specifier(file, `harness/${folder}/part.ts`))
    const violations = [
      ...forbidden.map((folder) => specifier(file, `harness/${folder}/part.ts`)),
      specifier(file, 'harness/model/../mutants/part.ts'),
      'jose',
      'vitest',
    ]
    await project.write(file, importing([...permitted, 'node:crypto', ...violations]))

    const { findings, exitCode } = await project.lint('--allow=all', '--deny=no-restricted-imports')

    const first = permitted.length + 2
    expect(findings).toEqual(violations.map((_, at) => `${file}:${first + at} no-restricted-imports`).toSorted())
    expect(exitCode).toBe(1)
  })
})

test('a forgotten await of a bench method is reported, even behind void', async () => {
  await using project = await workspace()
  await project.write('suites/origin/forgetful.ts', FORGETFUL)

  const { findings, exitCode } = await project.lint('--type-aware')

  expect(findings).toEqual([
    'suites/origin/forgetful.ts:17 no-floating-promises',
    'suites/origin/forgetful.ts:18 no-floating-promises',
  ])
  expect(exitCode).toBe(1)
})

test('the tree is clean, and the linter looked at it', async () => {
  const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { scripts: { lint: string } }
  const [command, ...args] = scripts.lint.split(' ')

  const outcome = await lint(ROOT, args)

  expect(command).toBe('oxlint')
  expect(args).toEqual(expect.arrayContaining(['--type-aware', 'suites', 'harness']))
  expect(outcome.findings).toEqual([])
  expect(outcome.files).toBeGreaterThan(20)
  expect(outcome.exitCode).toBe(0)
})
