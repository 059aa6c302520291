import { access, appendFile, constants, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { TrustspecError } from '../model/errors.ts'

/** ERR_USAGE where a report cannot be written, before anything is run for it; `flag` is the one that named the file. */
export async function assertWritable(file: string, flag: string): Promise<void> {
  try {
    await access(path.dirname(file), constants.W_OK)
  } catch (error) {
    throw unwritable(file, flag, error)
  }
  if (await isFolder(file)) throw unwritable(file, flag)
}

/** Writes a report, whole or not at all; ERR_USAGE when the file cannot be written. */
export async function writeWhole(text: string, file: string, flag: string): Promise<void> {
  const draft = `${file}.${process.pid}.tmp`
  try {
    await writeFile(draft, text)
    await rename(draft, file)
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined)
    throw unwritable(file, flag, error)
  }
}

/** Adds to a file in which others write too, such as the job summary of GitHub; ERR_USAGE when it cannot be done. */
export async function appendTo(file: string, text: string, flag: string): Promise<void> {
  try {
    await appendFile(file, text)
  } catch (error) {
    throw unwritable(file, flag, error)
  }
}

async function isFolder(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isDirectory()
  } catch {
    return false
  }
}

function unwritable(file: string, flag: string, cause?: unknown): TrustspecError {
  return new TrustspecError(
    'ERR_USAGE',
    'The report cannot be written',
    { [flag]: file, instead: 'a file in a folder that exists and may be written to' },
    cause === undefined ? {} : { cause },
  )
}
