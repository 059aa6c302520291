import type { Clock, MovableClock } from '../clock/clock.ts'
import type { GatewayHooks, KeyWish } from '../model/gateway-bench.ts'
import type { GatewayProfile } from '../model/gateway-profile.ts'
import type { ExpectedFinding } from '../model/result.ts'

/** A gateway under test, and how much of it the harness holds. */
export interface GatewayTarget extends AsyncDisposable {
  readonly kind: 'embedded' | 'url' | 'process'
  /** Name of a bundled configuration. */
  readonly name?: string
  /** URL of the protected route that is the default, known once it has started. */
  readonly url: string
  readonly profile: GatewayProfile
  readonly expected: readonly ExpectedFinding[]
  /** Its clock, where the harness has a means to move it. */
  readonly clock?: MovableClock
  /** Why there is no such means, where one could be had: one sentence. */
  readonly noClock?: string
  readonly hooks: Partial<GatewayHooks>
  /** Wishes that the hook which issues keys heeds; default: all. */
  readonly wishes?: readonly (keyof KeyWish)[]
  /** Whether it forwards to the capture origins of the run. */
  readonly captured: boolean
  /** Last lines of its output, oldest first, at most 200. */
  readonly logTail?: () => readonly string[]
}

/** What a gateway is told before it starts. */
export interface GatewayTargetSettings {
  /** URLs of the capture origins, without a slash at the end. */
  readonly capture: string
  readonly secondCapture: string
  /** List of public keys of the run's secret scanner. */
  readonly keyListUrl: string
}

/** Time at a gateway, for the parts of a run that have to tell it before it has started: the machine's until then. */
export interface GatewayTime extends Clock {
  /** Told once the gateway is there. */
  readonly follow: (clock: Clock) => void
}

/** A clock that follows another as soon as that is known. */
export function gatewayTime(): GatewayTime {
  let followed: Clock = { nowMs: () => Date.now() }
  return {
    nowMs: () => followed.nowMs(),
    follow(clock) {
      followed = clock
    },
  }
}
