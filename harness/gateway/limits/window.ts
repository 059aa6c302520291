import type { Taken } from '../policy.ts'

/** Uses that a window has room for at first; it doubles with them. */
const FIRST_ROOM = 4

/**
 * The uses of one counter within its window, exact: each with its own moment, those of one millisecond together. A use
 * counts from its moment on and no longer once `windowMs` have gone by. Times are milliseconds and never go back.
 */
export class SlidingWindow {
  readonly windowMs: number
  /** Pairs of moment and amount in a ring, oldest first: 16 octets for each millisecond in which something was used. */
  #ring = new Float64Array(FIRST_ROOM * 2)
  #first = 0
  #count = 0
  #used = 0

  constructor(windowMs: number) {
    this.windowMs = windowMs
  }

  /** What counts at that moment. */
  used(nowMs: number): number {
    while (this.#count > 0 && this.#at(0) + this.windowMs <= nowMs) {
      this.#used -= this.#at(0, 1)
      this.#first = (this.#first + 2) % this.#ring.length
      this.#count -= 1
    }
    return this.#used
  }

  /** Counts an amount from now on. */
  use(nowMs: number, amount: number): void {
    this.#used += amount
    const newest = this.#count - 1
    if (newest >= 0 && this.#at(newest) === nowMs) {
      this.#ring[this.#indexOf(newest) + 1] = this.#at(newest, 1) + amount
      return
    }
    if (this.#count * 2 === this.#ring.length) this.#grow()
    const end = this.#indexOf(this.#count)
    this.#ring[end] = nowMs
    this.#ring[end + 1] = amount
    this.#count += 1
  }

  /** What the counter says to somebody who asked for `cost` and got it or not. */
  taken(nowMs: number, limit: number, cost: number, allowed: boolean): Taken {
    return {
      allowed,
      remaining: Math.max(0, limit - this.#used),
      retryMs: allowed ? 0 : this.#freeMs(nowMs, limit, cost),
      moreMs: this.#count === 0 ? 0 : this.#at(0) + this.windowMs - nowMs,
    }
  }

  /** Milliseconds until the oldest uses that are in the way of `cost` have left. */
  #freeMs(nowMs: number, limit: number, cost: number): number {
    if (cost > limit) return Number.POSITIVE_INFINITY
    let excess = this.#used + cost - limit
    let nth = 0
    while (nth < this.#count && (excess -= this.#at(nth, 1)) > 0) nth += 1
    return this.#at(nth) + this.windowMs - nowMs
  }

  #indexOf(nth: number): number {
    return (this.#first + nth * 2) % this.#ring.length
  }

  /** Moment of a use, or its amount with an offset of 1. */
  #at(nth: number, offset: 0 | 1 = 0): number {
    return this.#ring[this.#indexOf(nth) + offset] ?? 0
  }

  #grow(): void {
    const larger = new Float64Array(this.#ring.length * 2)
    larger.set(this.#ring.subarray(this.#first))
    larger.set(this.#ring.subarray(0, this.#first), this.#ring.length - this.#first)
    this.#ring = larger
    this.#first = 0
  }
}
