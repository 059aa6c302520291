import { readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { TrustspecError } from '../model/errors.ts'
import { nearest } from '../model/nearest.ts'
import type { ExpectedFinding } from '../model/result.ts'
import { BASELINE_SHAPE } from './gate-shape.ts'
import type { BaselineEntry } from './gate-shape.ts'
import { ConfigurationError } from './mistakes.ts'
import type { Mistake } from './shape.ts'

/** What stands in a baseline. */
export interface Baseline {
  readonly $schema?: string
  readonly findings: readonly BaselineEntry[]
}

/**
 * Reads a baseline; `ids` are those of all cases. ERR_USAGE where there is none, ERR_PROFILE_INVALID with a sentence
 * for each mistake.
 */
export function readBaseline(file: string, ids: readonly string[]): Baseline {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    const fields = { file, instead: 'a JSON file such as "trustspec baseline write FILE --report R.json" writes' }
    throw new TrustspecError('ERR_USAGE', 'The baseline cannot be read', fields, { cause: error })
  }
  const mistakes = BASELINE_SHAPE.check(content, '')
  if (mistakes.length > 0) throw new ConfigurationError('The baseline is wrong', file, mistakes)
  const baseline = content as Baseline
  const wrong = baseline.findings.flatMap((entry, at) => mistakesOf(entry, at, baseline.findings, ids))
  if (wrong.length > 0) throw new ConfigurationError('The baseline is wrong', file, wrong)
  return baseline
}

function mistakesOf(
  entry: BaselineEntry,
  at: number,
  all: readonly BaselineEntry[],
  ids: readonly string[],
): readonly Mistake[] {
  const given = JSON.stringify(entry.case)
  if (!ids.includes(entry.case)) {
    return [{ member: `findings[${at}].case`, given, instead: JSON.stringify(nearestCase(entry.case, ids)) }]
  }
  const first = all.findIndex((other) => other.case === entry.case && other.verdict === entry.verdict)
  if (first === at) return []
  const instead = `one entry for this case and verdict, with the stimuli of both: it is in findings[${first}] as well`
  return [{ member: `findings[${at}]`, given, instead }]
}

/** The case that was meant: by the last part of its id first, since that is what people remember. */
function nearestCase(id: string, ids: readonly string[]): string {
  const last = (one: string): string => one.slice(one.lastIndexOf('/') + 1)
  return ids.find((one) => last(one) === last(id)) ?? nearest(id, ids)
}

/** The entries as a run is held against them. */
export function expectedBy({ findings }: Baseline): readonly ExpectedFinding[] {
  return findings.map((entry) => ({ ...entry, accepted: true }))
}

/** Writes a baseline, whole or not at all; ERR_USAGE where it cannot be written. */
export async function writeBaseline(file: string, baseline: Baseline): Promise<void> {
  const draft = `${file}.${process.pid}.tmp`
  try {
    await writeFile(draft, `${JSON.stringify(baseline, undefined, 2)}\n`)
    await rename(draft, file)
  } catch (error) {
    const fields = { file, instead: 'a file in a folder that exists and may be written to' }
    throw new TrustspecError('ERR_USAGE', 'The baseline cannot be written', fields, { cause: error })
  }
}
