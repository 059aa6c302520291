import { TrustspecError } from '../../model/errors.ts'
import { openJournal } from '../journal.ts'
import type { KeyChange } from './book.ts'
import type { OpenLog } from './log.ts'

/** Lines beyond those that the book needs after which the file is written anew, at least. */
const LEAST_SPARE = 10_000

/** Keeps changes in a file of JSON lines, on the disk before anybody is told; ERR_USAGE when another process has it. */
export function fileLog(file: string, leastSpare = LEAST_SPARE): OpenLog {
  return (apply, snapshot) => {
    const journal = openJournal(file, '--url with the management API of the gateway that runs')
    try {
      for (const [at, line] of journal.lines.entries()) {
        for (const change of changesOf(line, file, at + 1)) apply(change)
      }
    } catch (error) {
      journal.close()
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
