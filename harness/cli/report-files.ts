import path from 'node:path'
import { nearest } from '../model/nearest.ts'
import { appendTo, assertWritable, writeWhole } from '../report/files.ts'
import { FORMATS, FORMAT_KINDS } from '../report/formats.ts'
import type { FormatKind } from '../report/formats.ts'
import type { Rendering } from '../report/rendering.ts'
import { listOf, textOf, usage } from './args.ts'
import type { Given } from './args.ts'

/** A report that is to be written. */
interface Wanted {
  readonly kind: FormatKind
  readonly file: string
  /** What named the file: a flag or a variable. */
  readonly flag: string
  /** Others write there too. */
  readonly isShared?: boolean
}

/**
 * The reports that --report, --json and the job of GitHub ask for; ERR_USAGE for an unknown kind, two reports in one
 * file, or a file that cannot be written.
 */
export async function wantedReports(given: Given, env: NodeJS.ProcessEnv): Promise<readonly Wanted[]> {
  const json = textOf(given, 'json')
  const summary = env['GITHUB_STEP_SUMMARY'] ?? ''
  const wanted: readonly Wanted[] = [
    ...(json === undefined ? [] : [{ kind: 'json', file: json, flag: '--json' } as const]),
    ...(listOf(given, 'report') ?? []).map(wantedOf),
    ...(summary === ''
      ? []
      : [{ kind: 'markdown', file: summary, flag: 'GITHUB_STEP_SUMMARY', isShared: true } as const]),
  ]
  const seen = new Set<string>()
  for (const { file, flag } of wanted) {
    if (seen.has(path.resolve(file))) {
      throw usage('Two reports would be written to one file', { flag, file, instead: 'a file for each' })
    }
    seen.add(path.resolve(file))
    await assertWritable(file, flag)
  }
  return wanted
}

function wantedOf(text: string): Wanted {
  const [name = '', ...rest] = text.split('=')
  const kind = FORMAT_KINDS.find((known) => known === name.trim())
  if (kind === undefined) {
    throw usage('There is no such format of a report', {
      flag: '--report',
      given: name,
      instead: `${nearest(name, FORMAT_KINDS)}=FILE; the formats are ${FORMAT_KINDS.join(', ')}`,
    })
  }
  const file = rest.join('=').trim()
  if (rest.length > 0 && file === '') {
    throw usage('The file of the report is missing', {
      flag: '--report',
      given: text,
      instead: `${kind}=FILE or ${kind}`,
    })
  }
  return { kind, file: file === '' ? FORMATS[kind].file : file, flag: '--report' }
}

/** Writes them, each whole or not at all, and says where they are. */
export async function writeReports(
  wanted: readonly Wanted[],
  rendering: Rendering,
  print: (text: string) => void,
): Promise<void> {
  const texts = new Map(wanted.map(({ kind }) => [kind, FORMATS[kind].render(rendering)]))
  for (const { kind, file, flag, isShared } of wanted) {
    const text = texts.get(kind) ?? ''
    if (isShared === true) {
      await appendTo(file, text, flag)
    } else {
      await writeWhole(text, file, flag)
      print(`The report is in ${file}\n`)
    }
  }
  if (rendering.source === undefined && wanted.some(({ kind }) => kind === 'sarif')) {
    print('Its findings have no file, and GitHub takes none without: name one of your repository with --source FILE\n')
  }
}
