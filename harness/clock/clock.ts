/** Tells the time of one party, in milliseconds since the epoch. */
export interface Clock {
  readonly nowMs: () => number
}

/** A clock that can be moved, forward only. Whether a move took has to be proven at the party itself. */
export interface MovableClock extends Clock {
  readonly kind: 'injected' | 'hook' | 'libfaketime'
  readonly advance: (seconds: number) => void | Promise<void>
}

/** A clock that runs with the machine's, ahead by what it was advanced; `moved` is told how far it is ahead. */
export function movableClock(
  kind: MovableClock['kind'] = 'injected',
  moved: (aheadSec: number) => void = () => undefined,
) {
  let aheadSec = 0
  return {
    kind,
    nowMs: () => Date.now() + aheadSec * 1000,
    advance(seconds: number): void {
      if (seconds < 0) throw new RangeError('A clock is moved forward only')
      aheadSec += seconds
      moved(aheadSec)
    },
  } satisfies MovableClock
}
