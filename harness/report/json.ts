import { rename, writeFile } from 'node:fs/promises'
import { TrustspecError } from '../model/errors.ts'
import type { Report } from '../model/result.ts'

/** Writes the report as JSON, whole or not at all; ERR_USAGE when the file cannot be written. */
export async function writeJson(report: Report, file: string): Promise<void> {
  const draft = `${file}.${process.pid}.tmp`
  try {
    await writeFile(draft, `${JSON.stringify(report, undefined, 2)}\n`)
    await rename(draft, file)
  } catch (error) {
    throw new TrustspecError(
      'ERR_USAGE',
      'The report cannot be written',
      { '--json': file, instead: 'a file in a folder that exists and may be written to' },
      { cause: error },
    )
  }
}
