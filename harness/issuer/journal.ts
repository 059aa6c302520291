import type { HeaderLines } from '../model/http.ts'

/** What an endpoint of the issuer is for. */
export type Endpoint = 'jwks' | 'discovery' | 'other'

/** One request that the issuer received. */
export interface JournalEntry {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly endpoint: Endpoint
  readonly method: string
  /** Request target exactly as received. */
  readonly target: string
  readonly headers: HeaderLines
  /** Number of the connection; equal numbers are the same socket. */
  readonly connection: number
  readonly phase: string
  /** What was served: `document`, `not-modified`, or the name of the fault. */
  readonly served: string
  /** 0 when no status line was sent. */
  readonly status: number
}

/** Every request that the issuer received, in order, and how many at once. */
export interface Journal {
  readonly entries: readonly JournalEntry[]
  /** Names the time from now on; returns the name before. */
  readonly phase: (name: string) => string
  readonly count: (filter?: { readonly endpoint?: Endpoint; readonly phase?: string }) => number
  /** When an answer last ended, in milliseconds since the epoch: from then on, a client counts the age of what it holds. */
  readonly endedAt: () => number
  /** Most requests that were open at once since the last reset. */
  readonly highWater: () => number
  readonly resetHighWater: () => void
}

/** The side of the journal that the server writes to. */
export interface JournalWriter extends Journal {
  readonly add: (entry: Omit<JournalEntry, 'phase'>) => void
  /** Notes an open request; call the result when it is answered. */
  readonly enter: () => () => void
}

/** An empty journal in the phase `start`. */
export function createJournal(): JournalWriter {
  const entries: JournalEntry[] = []
  let phase = 'start'
  let open = 0
  let most = 0
  let endedAt = 0
  return {
    entries,
    phase(name) {
      const before = phase
      phase = name
      return before
    },
    count: (filter = {}) =>
      entries.filter(
        (entry) =>
          (filter.endpoint === undefined || entry.endpoint === filter.endpoint) &&
          (filter.phase === undefined || entry.phase === filter.phase),
      ).length,
    endedAt: () => endedAt,
    highWater: () => most,
    resetHighWater() {
      most = open
    },
    add(entry) {
      entries.push({ ...entry, phase })
    },
    enter() {
      open += 1
      most = Math.max(most, open)
      let left = false
      return () => {
        if (left) return
        open -= 1
        left = true
        endedAt = Date.now()
      }
    },
  }
}
