import type { MovableClock } from '../clock/clock.ts'
import type { OriginProfile } from '../model/profile.ts'
import type { ExpectedFinding } from '../model/result.ts'

/** What is under test and how much of it the harness holds. */
export interface Target extends AsyncDisposable {
  readonly kind: 'embedded' | 'url' | 'process'
  /** Name of a bundled origin. */
  readonly name?: string
  /** URL of the protected route that is the default, known once it has started. */
  readonly url: string
  readonly profile: OriginProfile
  readonly expected: readonly ExpectedFinding[]
  /** Its clock, where the harness can move it. */
  readonly clock?: MovableClock
  /** Process id, where the harness started it. */
  readonly pid?: () => number | undefined
  /** Stops and starts it; the URL stays the same. */
  readonly restart?: () => Promise<void>
  /** Last lines of its output, oldest first, at most 200. */
  readonly logTail?: () => readonly string[]
}

/** What a target is told before it starts: values of the placeholders `{issuer}`, `{jwks_url}`, `{audience}`, `{port}`. */
export interface TargetSettings {
  readonly issuer: string
  readonly jwksUrl: string
  readonly audience: string
}
