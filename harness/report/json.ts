import { access, constants, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { TrustspecError } from '../model/errors.ts'
import type { Report, ReportCollection } from '../model/result.ts'

/** ERR_USAGE where a report cannot be written, before anything is run for it. */
export async function assertWritable(file: string): Promise<void> {
  try {
    await access(path.dirname(file), constants.W_OK)
  } catch (error) {
    throw unwritable(file, error)
  }
}

/** Writes the report as JSON, whole or not at all; ERR_USAGE when the file cannot be written. */
export async function writeJson(report: Report | ReportCollection, file: string): Promise<void> {
  const draft = `${file}.${process.pid}.tmp`
  try {
    await writeFile(draft, `${JSON.stringify(report, undefined, 2)}\n`)
    await rename(draft, file)
  } catch (error) {
    throw unwritable(file, error)
  }
}

function unwritable(file: string, cause: unknown): TrustspecError {
  return new TrustspecError(
    'ERR_USAGE',
    'The report cannot be written',
    { '--json': file, instead: 'a file in a folder that exists and may be written to' },
    { cause },
  )
}
