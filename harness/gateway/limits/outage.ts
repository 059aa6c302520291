import type { PolicyContext } from '../policy.ts'

/** Tells the operator that a store is away, and that it is back: once each, however many requests met it. */
export interface Outage {
  readonly away: (error: unknown) => void
  readonly back: () => void
}

/** Events are `NAME-down` and `NAME-up`. */
export function createOutage(name: string, { name: policy, report }: PolicyContext): Outage {
  let isAway = false
  return {
    away(error) {
      if (!isAway) report({ event: `${name}-down`, policy, error: codeOf(error) })
      isAway = true
    },
    back() {
      if (isAway) report({ event: `${name}-up`, policy })
      isAway = false
    },
  }
}

/** What is known of an error without its message: that may hold an address or a key. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
