import type { Clock } from '../../clock/clock.ts'

/** A clock that stands still between moves, so that a test knows every answer to the millisecond. */
export interface StillClock extends Clock {
  /** Milliseconds forward; or back, as a clock that is set right. */
  readonly move: (ms: number) => void
}

export function stillClock(startMs = Date.UTC(2024, 0, 31, 4, 30)): StillClock {
  let nowMs = startMs
  return {
    nowMs: () => nowMs,
    move(ms) {
      nowMs += ms
    },
  }
}
