import {
  closeSync,
  constants,
  existsSync,
  fdatasync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import { holdFile } from '../lock/file-lock.ts'

/** Milliseconds after which what was written is on the disk, where the machine itself loses power. */
const SYNC_MS = 1_000

/** A file that is empty and appended to. */
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND

/**
 * Lines of a file that only grows. A line is with the operating system when `append` returns, so that it outlives
 * the process however that ends; a machine without power may lose the last second.
 */
export interface Journal {
  /** The lines that were there when it was opened. */
  readonly lines: readonly string[]
  /** Throws what the file system throws; then nothing of the line is in the file. */
  readonly append: (line: string) => void
  /** What was appended is on the disk when it returns. */
  readonly sync: () => void
  /** Replaces all lines, at once or not at all. */
  readonly rewrite: (lines: Iterable<string>) => void
  readonly close: () => void
}

/**
 * Opens the file, or creates it for its owner alone. Throws ERR_USAGE, with `instead`, while another process has it:
 * neither would see what the other writes.
 */
export function openJournal(file: string, instead: string): Journal {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
  const release = holdFile(file, instead)
  let held: Buffer
  let descriptor: number
  try {
    const isThere = existsSync(file)
    held = isThere ? readFileSync(file) : Buffer.alloc(0)
    descriptor = openSync(file, 'a', 0o600)
    if (!isThere) syncFolder(path.dirname(file))
  } catch (error) {
    release()
    throw error
  }
  // A process that was killed while it wrote leaves a part of a line; nobody was told that it was written.
  let size = held.lastIndexOf('\n') + 1
  if (size < held.length) ftruncateSync(descriptor, size)
  let timer: NodeJS.Timeout | undefined

  const sync = (): void => {
    timer = undefined
    fdatasync(descriptor, () => undefined)
  }

  return {
    lines: held.toString('utf8', 0, size).split('\n').slice(0, -1),
    append(line) {
      try {
        writeAll(descriptor, `${line}\n`)
      } catch (error) {
        ftruncateSync(descriptor, size)
        throw error
      }
      size += Buffer.byteLength(line) + 1
      timer ??= setTimeout(sync, SYNC_MS).unref()
    },
    sync() {
      fsyncSync(descriptor)
    },
    rewrite(lines) {
      const text = [...lines].map((line) => `${line}\n`).join('')
      const next = openSync(`${file}.next`, NEW_FILE, 0o600)
      try {
        writeAll(next, text)
        fsyncSync(next)
        renameSync(`${file}.next`, file)
      } catch (error) {
        closeSync(next)
        throw error
      }
      // Nothing that can fail is in between: what is appended must not go into a file that has no name any more.
      const former = descriptor
      descriptor = next
      size = Buffer.byteLength(text)
      closeSync(former)
      syncFolder(path.dirname(file))
    },
    close() {
      clearTimeout(timer)
      fsyncSync(descriptor)
      closeSync(descriptor)
      release()
    },
  }
}

function writeAll(descriptor: number, text: string): void {
  let rest = Buffer.from(text)
  while (rest.length > 0) rest = rest.subarray(writeSync(descriptor, rest))
}

/** A new name of a file is on the disk only with its folder. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
