import { rmSync } from 'node:fs'
import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff'
import { TrustspecError } from '../../model/errors.ts'
import { bundledOrigin } from '../../targets/bundled.ts'

/** A change of a file: what stood there exactly once, and what stands there now. */
export interface Edit {
  readonly file: string
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

/** Applies the edits to the files of a folder; the diff of what they changed. ERR_HARNESS where one does not apply. */
export async function mend(folder: string, edits: readonly Edit[]): Promise<string> {
  const names = [...new Set(edits.map(({ file }) => file))]
  const diffs: string[] = []
  for (const name of names) {
    const file = path.join(folder, name)
    const before = await readFile(file, 'utf8')
    const after = edits.filter((edit) => edit.file === name).reduce(applied, before)
    await writeFile(file, after)
    diffs.push(diffOf(name, before, after))
  }
  return diffs.join('\n')
}

/** A unified diff with two lines of context; empty where nothing changed. */
export function diffOf(name: string, before: string, after: string): string {
  if (before === after) return ''
  const options = { context: 2, headerOptions: FILE_HEADERS_ONLY }
  return createTwoFilesPatch(name, name, before, after, undefined, undefined, options).trimEnd()
}

/** The text with the edit in it. ERR_HARNESS where what it replaces does not stand there exactly once. */
export function applied(text: string, { file, from, to }: Edit): string {
  const parts = text.split(from)
  if (parts.length === 2) return parts.join(to)
  throw new TrustspecError('ERR_HARNESS', 'A step of the tutorial does not apply', {
    file,
    found: `${parts.length - 1} times: ${from.trim().slice(0, 80)}`,
  })
}
