import type { Clock } from '../../clock/clock.ts'
import type { Taken } from '../policy.ts'

/** Refusals that are remembered at most; a forgotten one costs its caller's limit a single request. */
const MOST_VERDICTS = 10_000

/** Refusals that came too late for the request that they were meant for, until they no longer hold. */
export interface Verdicts {
  /** What the counters would say now; undefined where nothing is held against the caller. */
  readonly of: (key: string) => readonly Taken[] | undefined
  readonly keep: (key: string, taken: readonly Taken[]) => void
}

export function createVerdicts(clock: Clock): Verdicts {
  const kept = new Map<string, { readonly atMs: number; readonly taken: readonly Taken[] }>()
  return {
    of(key) {
      const known = kept.get(key)
      if (!known) return undefined
      const aged = known.taken.map((taken) => age(taken, clock.nowMs() - known.atMs))
      if (aged.some(({ allowed }) => !allowed)) return aged
      kept.delete(key)
      return undefined
    },
    keep(key, taken) {
      const [oldest] = kept.size >= MOST_VERDICTS ? kept.keys() : []
      if (oldest !== undefined) kept.delete(oldest)
      kept.set(key, { atMs: clock.nowMs(), taken })
    },
  }
}

function age(taken: Taken, ms: number): Taken {
  const retryMs = Math.max(0, taken.retryMs - ms)
  return { ...taken, allowed: retryMs === 0, retryMs, moreMs: Math.max(0, taken.moreMs - ms) }
}
