/** Tells the time of one party, in milliseconds since the epoch. */
export interface Clock {
  readonly nowMs: () => number
}

/** A clock that can be moved, forward only. */
export interface MovableClock extends Clock {
  readonly advance: (seconds: number) => void
}

/** The clock of this machine. */
export const realClock: Clock = { nowMs: Date.now }

/** A clock that runs with the machine's, ahead by what it was advanced. */
export function movableClock(base: Clock = realClock): MovableClock {
  let aheadMs = 0
  return {
    nowMs: () => base.nowMs() + aheadMs,
    advance(seconds) {
      if (seconds < 0) throw new RangeError('A clock is moved forward only')
      aheadMs += seconds * 1000
    },
  }
}
