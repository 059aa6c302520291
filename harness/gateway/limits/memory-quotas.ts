import type { Clock } from '../../clock/clock.ts'
import type { Meters, QuotaStore, Reservation, Reserved } from '../policy.ts'
import type { QuotaBook, QuotaChange } from './quota-book.ts'
import { createQuotaBook } from './quota-book.ts'

/** Entries between two rounds in which finished periods are forgotten, at least. */
const LEAST_ROUND = 10_000

/** A quota store that answers at once. */
export interface MemoryQuotas extends QuotaStore {
  readonly anchor: (key: string, anchorMs: number) => number
  readonly reserve: (reservation: Reservation) => Reserved
  readonly add: (key: string, startMs: number, meters: Meters) => void
}

/** Counters of quotas in this process. Each change is told before it is made: where telling it throws, it is not made. */
export function createMemoryQuotas(
  clock: Clock,
  book: QuotaBook = createQuotaBook(),
  record: (change: QuotaChange) => void = () => undefined,
): MemoryQuotas {
  let round = LEAST_ROUND
  const change = (made: QuotaChange): void => {
    record(made)
    book.apply(made)
    if (book.size() < round) return
    book.forget(clock.nowMs())
    round = Math.max(LEAST_ROUND, book.size() * 2)
  }
  return {
    anchor(key, anchorMs) {
      const known = book.anchorOf(key)
      if (known !== undefined) return known
      change(['anchor', key, anchorMs])
      return anchorMs
    },
    reserve(reservation) {
      const reserved = book.judge(reservation)
      const { key, endMs, meters } = reservation
      if (reserved.allowed) {
        change(['use', key, reserved.startMs, book.endOf(key, reserved.startMs) ?? endMs, meters])
      }
      return reserved
    },
    add(key, startMs, meters) {
      const endMs = book.endOf(key, startMs)
      if (endMs !== undefined) change(['use', key, startMs, endMs, meters])
    },
  }
}
