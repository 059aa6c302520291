import type { Clock } from '../../clock/clock.ts'
import type { LimitStore, Take, Taken } from '../policy.ts'
import { SlidingWindow } from './window.ts'

/** Counters that are kept at most, at some 500 octets each, and 16 for every use beyond four. */
const MOST_KEYS = 200_000

/** Counters that are looked at when one of them has to go. */
const CANDIDATES = 16

/** A limit store that answers at once. */
export interface MemoryLimits extends LimitStore {
  readonly take: (takes: readonly Take[]) => readonly Taken[]
  /** Counters that are kept now. */
  readonly keys: () => number
}

interface Counter {
  readonly window: SlidingWindow
  /** Last limit that it was asked with. */
  limit: number
}

/**
 * Counters in the memory of this process; every answer is there at once. A counter without use in its window is
 * forgotten, since a new one would say the same.
 */
export function createMemoryLimits(clock: Clock, mostKeys = MOST_KEYS): MemoryLimits {
  const counters = new Map<string, Counter>()
  let hand = counters.entries()
  let latestMs = 0
  let aheadMs = 0

  // Where the clock is set back, time goes on from where it was: uses stay in their order and count no longer for it.
  const moment = (): number => {
    const nowMs = Math.floor(clock.nowMs())
    aheadMs = Math.max(aheadMs, latestMs - nowMs)
    latestMs = nowMs + aheadMs
    return latestMs
  }

  const step = (): readonly [string, Counter] | undefined => {
    const next = hand.next()
    if (!next.done) return next.value
    hand = counters.entries()
    return hand.next().value
  }

  // Two steps for every take, so that no take waits for a whole round; with one, new keys would keep ahead of the hand.
  const forget = (nowMs: number): void => {
    for (let steps = 0; steps < 2; steps += 1) {
      const next = step()
      if (next && next[1].window.used(nowMs) === 0) counters.delete(next[0])
    }
  }

  /**
   * Drops one counter. Of a few, the one with the smallest part of its limit used: a flood of new keys then drops
   * keys of the flood, and to have an exhausted one dropped costs nearly all limits of a full table.
   */
  const makeRoom = (nowMs: number): void => {
    let least: string | undefined
    let leastPart = 0
    for (let looked = 0; looked < CANDIDATES; looked += 1) {
      const next = step()
      if (!next) break
      const [key, { window, limit }] = next
      const part = window.used(nowMs) / limit
      if (least !== undefined && part >= leastPart) continue
      least = key
      leastPart = part
    }
    if (least !== undefined) counters.delete(least)
  }

  const counterOf = ({ key, rule }: Take): Counter => {
    const known = counters.get(key)
    if (!known) return { window: new SlidingWindow(rule.windowMs), limit: rule.limit }
    known.limit = rule.limit
    return known
  }

  // Only what was used is kept: a key that was merely looked at or refused takes no room.
  const use = ({ key, cost }: Take, counter: Counter, nowMs: number): void => {
    if (cost === 0) return
    if (!counters.has(key)) {
      if (counters.size >= mostKeys) makeRoom(nowMs)
      counters.set(key, counter)
    }
    counter.window.use(nowMs, cost)
  }

  return {
    keys: () => counters.size,
    take(takes) {
      const nowMs = moment()
      forget(nowMs)
      const asked = takes.map((take) => {
        const counter = counterOf(take)
        return { take, counter, allowed: counter.window.used(nowMs) + take.cost <= take.rule.limit }
      })
      if (asked.every(({ allowed }) => allowed)) {
        for (const { take, counter } of asked) use(take, counter, nowMs)
      }
      return asked.map(({ take: { rule, cost }, counter, allowed }) =>
        counter.window.taken(nowMs, rule.limit, cost, allowed),
      )
    },
  }
}
