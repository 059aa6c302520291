import { TrustspecError } from '../../model/errors.ts'
import { openJournal } from '../journal.ts'
import type { KeyChange } from './book.ts'
import type { OpenLog } from './log.ts'

/** Lines beyond those that the book needs after which the file is written anew, at least. */
const LEAST_SPARE = 10_000

/** Keeps changes in a file of JSON lines, on the disk before anybody is told; ERR_USAGE when another process has it. */
export function fileLog(file: string, leastSpare = LEAST_SPARE): OpenLog {
  return (book) => {
    const journal = openJournal(file, '--url with the management API of the gateway that runs')
    try {
      for (const [at, line] of journal.lines.entries()) {
        for (const change of changesOf(line, file, at + 1)) book.apply(change)
      }
    } catch (error) {
      journal.close()
      throw error
    }
    const { append, sync, rewrite, close } = journal
    let lines = journal.lines.length
    /** Lines from which it is worth a look whether the file can be shorter. */
    let long = leastSpare
    const writeAnew = (): void => {
      const kept = [...book.changes()].map((change) => JSON.stringify([change]))
      long = Math.max(leastSpare, 2 * kept.length)
      if (lines <= long) return
      try {
        rewrite(kept)
        lines = kept.length
      } catch {
        // The change is in the file as it is. A disk that is full now may have room when there are twice as many.
        long = 2 * lines
      }
    }
    return Promise.resolve({
      append(changes) {
        // One line for all: a change that needs several is there as a whole or not at all.
        append(JSON.stringify(changes))
        sync()
        lines += 1
        for (const change of changes) book.apply(change)
        if (lines > long) writeAnew()
        return Promise.resolve(true)
      },
      latest: () => Promise.resolve(),
      silentMs: () => 0,
      [Symbol.asyncDispose]() {
        close()
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
