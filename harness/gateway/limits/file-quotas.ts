import type { Clock } from '../../clock/clock.ts'
import { TrustspecError } from '../../model/errors.ts'
import { openJournal } from '../journal.ts'

import { createMemoryQuotas } from './memory-quotas.ts'
import type { MemoryQuotas } from './memory-quotas.ts'
import { createQuotaBook } from './quota-book.ts'
import type { QuotaChange } from './quota-book.ts'

/** Lines beyond those of the book itself after which the file is written anew, at least. */
const LEAST_SPARE = 20_000

/** Quotas whose counters outlive the process, however it ends. */
export interface FileQuotas extends MemoryQuotas, Disposable {}

/**
 * Keeps counters in memory and every change of them in a file; throws ERR_USAGE where the file holds anything
 * else, or another process has it.
 */
export function openFileQuotas(file: string, clock: Clock, leastSpare = LEAST_SPARE): FileQuotas {
  const journal = openJournal(file, 'Redis, where several gateways share their counters')
  const book = createQuotaBook()
  for (const [at, line] of journal.lines.entries()) {
    const change = changeOf(line)
    if (change) book.apply(change)
    else {
      journal.close()
      throw new TrustspecError('ERR_USAGE', 'The file of the quotas is damaged', {
        file,
        line: at + 1,
        instead: 'a file that this gateway wrote, or none',
      })
    }
  }
  let spare = journal.lines.length - book.size()
  const rewrite = (): void => {
    book.forget(clock.nowMs())
    journal.rewrite(lines(book.changes()))
    spare = 0
  }
  if (spare > 0) rewrite()
  const quotas = createMemoryQuotas(clock, book, (change) => {
    // Before the change and not behind it: the book and the file then hold the same.
    if (spare >= Math.max(leastSpare, book.size())) rewrite()
    journal.append(JSON.stringify(change))
    spare += 1
  })
  return { ...quotas, [Symbol.dispose]: journal.close }
}

function* lines(changes: Iterable<QuotaChange>): Iterable<string> {
  for (const change of changes) yield JSON.stringify(change)
}

function changeOf(line: string): QuotaChange | undefined {
  let change: unknown
  try {
    change = JSON.parse(line)
  } catch {
    return undefined
  }
  if (!Array.isArray(change) || typeof change[1] !== 'string') return undefined
  const [kind, , first, second, meters]: readonly unknown[] = change
  if (typeof first !== 'number') return undefined
  if (kind === 'anchor') return change as unknown as QuotaChange
  const isUse = kind === 'use' && typeof second === 'number' && isMeters(meters)
  return isUse ? (change as unknown as QuotaChange) : undefined
}

function isMeters(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((amount: unknown) => typeof amount === 'number')
  )
}
