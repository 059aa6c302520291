import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { TrustspecError } from '../../model/errors.ts'
import { openJournal } from '../limits/journal.ts'
import type { KeyChange } from './book.ts'
import type { OpenLog } from './log.ts'

/** Lines beyond those that the book needs after which the file is written anew, at least. */
const LEAST_SPARE = 10_000

/** Keeps changes in a file of JSON lines, on the disk before anybody is told; ERR_USAGE when another process has it. */
export function fileLog(file: string, leastSpare = LEAST_SPARE): OpenLog {
  return (apply, snapshot) => {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
    const release = hold(`${file}.lock`, file)
    let journal
    try {
      journal = openJournal(file)
      for (const [at, line] of journal.lines.entries()) {
        for (const change of changesOf(line, file, at + 1)) apply(change)
      }
    } catch (error) {
      journal?.close()
      release()
      throw error
    }
    const { append, sync, rewrite, close } = journal
    let lines = journal.lines.length
    return Promise.resolve({
      append(changes) {
        // One line for all: a change that needs several is there as a whole or not at all.
        append(JSON.stringify(changes))
        sync()
        lines += 1
        for (const change of changes) apply(change)
        if (lines > leastSpare) {
          const kept = [...snapshot()]
          if (lines > 2 * kept.length) {
            rewrite(kept.map((change) => JSON.stringify([change])))
            lines = kept.length
          }
        }
        return Promise.resolve(true)
      },
      silentMs: () => 0,
      [Symbol.asyncDispose]() {
        close()
        release()
        return Promise.resolve()
      },
    })
  }
}

/** The changes of one line. */
function changesOf(line: string, file: string, at: number): readonly KeyChange[] {
  try {
    const changes: unknown = JSON.parse(line)
    if (Array.isArray(changes)) return changes as readonly KeyChange[]
    throw new TypeError('Not a list')
  } catch (error) {
    throw new TrustspecError(
      'ERR_USAGE',
      'The file of the keys is damaged',
      { file, line: at, instead: 'a file that this gateway wrote, or none' },
      { cause: error },
    )
  }
}

/** Marks the file as this process's own; gives the way to let go. */
function hold(lock: string, file: string): () => void {
  const holder = existsSync(lock) ? Number(readFileSync(lock, 'utf8')) : 0
  if (holder > 0 && holder !== process.pid && isAlive(holder)) throw inUse(file, holder)
  // A holder that was killed could not let go.
  rmSync(lock, { force: true })
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw inUse(file, Number(readFileSync(lock, 'utf8')))
    throw error
  }
  return () => {
    rmSync(lock, { force: true })
  }
}

function inUse(file: string, pid: number): TrustspecError {
  return new TrustspecError('ERR_USAGE', 'The keys are held by another process', {
    file,
    pid,
    instead: '--url with the management API of the gateway that runs',
  })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
