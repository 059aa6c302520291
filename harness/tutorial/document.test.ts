import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { hasRuntime } from '../targets/runtimes.testing.ts'
import { HIDDEN_FAULTS, PATH_FAULTS } from './truth/faults.ts'

const MAIN = fileURLToPath(new URL('../cli/main.ts', import.meta.url))
const DOCUMENT = fileURLToPath(new URL('../../docs/tutorial.md', import.meta.url))

/** A run takes half a minute; making a virtual environment can take another one. */
const RUN_MS = 300_000

const FAULTS = [...PATH_FAULTS, ...HIDDEN_FAULTS]

/** Cells of the rows of the Markdown tables with these columns. */
function rowsBelow(text: string, ...columns: readonly string[]): readonly (readonly string[])[] {
  const tables = text.split(`| case | ${columns.join(' | ')} |\n`).slice(1)
  return tables.flatMap((table) => {
    const lines = table.split('\n\n')[0]?.trim().split('\n').slice(1) ?? []
    return lines.map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    )
  })
}

const UNTESTED = 'that docs/tutorial.md is what a run shows'
test.runIf(hasRuntime('python', UNTESTED) && hasRuntime('faketime', UNTESTED))(
  'a run ends with the verdicts of the three variants, and shows what docs/tutorial.md has',
  { timeout: RUN_MS },
  async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-document-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const given = [MAIN, 'tutorial', '--yes', '--write', 'tutorial.md']
    const { stdout } = await promisify(execFile)(process.execPath, given, { cwd: folder })
    const written = await readFile(path.join(folder, 'tutorial.md'), 'utf8')

    expect(written, 'npm run tutorial -- --yes --write docs/tutorial.md').toBe(await readFile(DOCUMENT, 'utf8'))

    const judged = rowsBelow(written, 'before', 'after')
    expect(judged.map(([id]) => id)).toEqual(FAULTS.map((fault) => fault.case))
    for (const [, before, after] of judged) expect([before === 'pass', after]).toEqual([false, 'pass'])

    const named = rowsBelow(written, 'published', 'repaired', 'hardened')
    expect(named.map(([, ...verdicts]) => verdicts.at(-1))).toEqual(named.map(() => 'pass'))
    expect(named[0]).toEqual(['origin/signature/control-valid', 'fail-crash', 'pass', 'pass'])
    expect(stdout).toMatch(/exit code +1 +1 +0\n/u)
  },
)
