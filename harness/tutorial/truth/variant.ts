import { rmSync } from 'node:fs'
import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff'
import { TrustspecError } from '../../model/errors.ts'
import { bundledOrigin } from '../../targets/bundled.ts'

/** The file that is mended. */
const PROGRAM = 'app.py'

/** A change of a text: what stood there exactly once, and what stands there now. */
export interface Edit {
  readonly from: string
  readonly to: string
}

/** A copy of a sample origin in a folder of its own, removed with it. */
export interface Variant extends Disposable {
  readonly folder: string
}

/** Copies the sample of that name. */
export async function copyOf(name: string): Promise<Variant> {
  const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-variant-'))
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true })
  }
  // For an end that leaves no time to dispose of anything, such as Ctrl-C.
  process.once('exit', remove)
  await cp(bundledOrigin(name).folder, folder, { recursive: true, filter: (source) => !source.includes('__pycache__') })
  return {
    folder,
    [Symbol.dispose]() {
      process.off('exit', remove)
      remove()
    },
  }
}

/** Applies the edits to the app.py of a folder; the diff. ERR_HARNESS where one does not apply: then nothing changes. */
export async function mend(folder: string, edits: readonly Edit[]): Promise<string> {
  const file = path.join(folder, PROGRAM)
  const before = await readFile(file, 'utf8')
  const after = edits.reduce(applied, before)
  await writeFile(file, after)
  return diffOf(PROGRAM, before, after)
}

/** A unified diff with two lines of context; empty where nothing changed. */
export function diffOf(name: string, before: string, after: string): string {
  if (before === after) return ''
  const options = { context: 2, headerOptions: FILE_HEADERS_ONLY }
  return createTwoFilesPatch(name, name, before, after, undefined, undefined, options).trimEnd()
}

/** The text with the edit in it. ERR_HARNESS where what it replaces does not stand there exactly once. */
export function applied(text: string, { from, to }: Edit): string {
  const parts = text.split(from)
  if (parts.length === 2) return parts.join(to)
  throw new TrustspecError('ERR_HARNESS', 'A step of the tutorial does not apply', {
    found: `${parts.length - 1} times: ${from.trim().slice(0, 80)}`,
  })
}
