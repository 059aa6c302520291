import type { Arrival, CaptureOrigin, Unfinished } from '../model/capture.ts'
import type { Recorded } from './arrival.ts'
import { createPending } from './pending.ts'

/** What a capture origin has recorded, as cases read it. */
type Record = Pick<
  CaptureOrigin,
  'mark' | 'all' | 'since' | 'arrivalsOf' | 'requestsOf' | 'waitFor' | 'settled' | 'unfinished' | 'onArrival'
>

/** The record, and the side of it that connections write to. */
export interface CaptureJournal extends Record {
  /** Notes a request whose head is complete; call the result once, when it is answered or gone. */
  readonly add: (arrival: Recorded) => () => void
  /** Tells what a connection holds of a head that is not complete; call the result when it holds nothing any more. */
  readonly watch: (connection: number, waiting: () => Uint8Array) => () => void
  readonly next: () => number
}

/** An empty record. */
export function createCaptureJournal(): CaptureJournal {
  const arrivals: Recorded[] = []
  const buffers = new Map<number, () => Uint8Array>()
  const listeners = new Set<(arrival: Arrival) => void>()
  const pending = createPending()
  let open = 0

  const requestsOf = (nonce: string, since = 0): readonly Arrival[] =>
    arrivals.slice(since).filter((arrival) => arrival.isFor(nonce))
  return {
    mark: () => arrivals.length,
    all: () => arrivals,
    since: (mark) => arrivals.slice(mark),
    requestsOf,
    arrivalsOf: (nonce, since = 0) =>
      arrivals.slice(since).filter((arrival) => arrival.isFor(nonce) || arrival.carries(nonce)),
    async waitFor(nonce, deadlineMs) {
      let looked = 0
      let found: Arrival | undefined
      await pending.until(() => {
        found ??= requestsOf(nonce, looked)[0]
        looked = arrivals.length
        return found !== undefined
      }, deadlineMs)
      return found
    },
    settled: (deadlineMs) => pending.until(() => open === 0, deadlineMs),
    unfinished: () =>
      [...buffers].flatMap(([connection, waiting]): Unfinished[] => {
        const octets = waiting()
        // Empty lines between messages are no message.
        return octets.some((octet) => octet !== 0x0d && octet !== 0x0a) ? [{ connection, octets }] : []
      }),
    onArrival(listener) {
      listeners.add(listener)
      return {
        [Symbol.dispose]() {
          listeners.delete(listener)
        },
      }
    },
    next: () => arrivals.length + 1,
    add(arrival) {
      arrivals.push(arrival)
      open += 1
      for (const listener of listeners) listener(arrival)
      pending.changed()
      return () => {
        open -= 1
        pending.changed()
      }
    },
    watch(connection, waiting) {
      buffers.set(connection, waiting)
      return () => {
        buffers.delete(connection)
      }
    },
  }
}
