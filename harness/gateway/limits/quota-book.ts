import type { Meters, Reservation, Reserved } from '../policy.ts'
import { amountOf } from './meters.ts'

/** A change of the book, as it is written down and read again. */
export type QuotaChange =
  | readonly ['anchor', key: string, anchorMs: number]
  | readonly ['use', key: string, startMs: number, endMs: number, meters: Meters]

interface Use {
  readonly startMs: number
  readonly endMs: number
  readonly meters: Map<string, number>
}

/** Anchors and uses by key. */
export interface QuotaBook {
  readonly anchorOf: (key: string) => number | undefined
  /** What would become of a reservation; nothing is changed. */
  readonly judge: (reservation: Reservation) => Reserved
  /** End of the period of the key, if it begins at that moment. */
  readonly endOf: (key: string, startMs: number) => number | undefined
  readonly apply: (change: QuotaChange) => void
  /** Forgets periods that are over at that moment; anchors stay. */
  readonly forget: (nowMs: number) => void
  /** The changes from which the book as it is can be made. */
  readonly changes: () => Iterable<QuotaChange>
  /** Number of those changes. */
  readonly size: () => number
}

export function createQuotaBook(): QuotaBook {
  const anchors = new Map<string, number>()
  const uses = new Map<string, Use>()
  return {
    anchorOf: (key) => anchors.get(key),
    judge({ key, startMs, meters, allowances }) {
      const known = uses.get(key)
      // An earlier start comes of a clock that is behind: it must not begin a period anew that is under way.
      const current = known && known.startMs >= startMs ? known : undefined
      const used = Object.fromEntries(current?.meters ?? [])
      return { allowed: fits(used, meters, allowances), startMs: current?.startMs ?? startMs, used }
    },
    endOf(key, startMs) {
      const known = uses.get(key)
      return known?.startMs === startMs ? known.endMs : undefined
    },
    apply(change) {
      if (change[0] === 'anchor') {
        anchors.set(change[1], change[2])
        return
      }
      const [, key, startMs, endMs, meters] = change
      const known = uses.get(key)
      const use = known?.startMs === startMs ? known : { startMs, endMs, meters: new Map<string, number>() }
      for (const [meter, amount] of Object.entries(meters)) {
        if (amount !== 0) use.meters.set(meter, (use.meters.get(meter) ?? 0) + amount)
      }
      uses.set(key, use)
    },
    forget(nowMs) {
      for (const [key, { endMs }] of uses) if (endMs <= nowMs) uses.delete(key)
    },
    *changes() {
      for (const [key, anchorMs] of anchors) yield ['anchor', key, anchorMs]
      for (const [key, { startMs, endMs, meters }] of uses) {
        yield ['use', key, startMs, endMs, Object.fromEntries(meters)]
      }
    },
    size: () => anchors.size + uses.size,
  }
}

/** Whether no meter is used up, and none would go beyond its allowance. */
function fits(used: Meters, meters: Meters, allowances: Meters): boolean {
  return Object.entries(allowances).every(([meter, allowance]) => {
    const before = amountOf(used, meter)
    // A meter that custom code sets later has no amount yet: then it is enough that something is left.
    return before < allowance && before + amountOf(meters, meter) <= allowance
  })
}
