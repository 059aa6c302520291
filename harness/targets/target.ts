import type { MovableClock } from '../clock/clock.ts'
import type { OriginProfile } from '../model/profile.ts'
import type { ExpectedFinding } from '../model/result.ts'

/** What is under test and how much of it the harness holds. */
export interface Target extends AsyncDisposable {
  readonly kind: 'embedded' | 'url' | 'process' | 'container' | 'compose'
  /** Name of a bundled origin. */
  readonly name?: string
  /** URL of the protected route that is the default, known once it has started. */
  readonly url: string
  readonly profile: OriginProfile
  readonly expected: readonly ExpectedFinding[]
  /** Its clock, where the harness has a means to move it. */
  readonly clock?: MovableClock
  /** Why there is no such means, where one could be had: one sentence. */
  readonly noClock?: string
  /** Octets of its resident memory; undefined where they cannot be read. */
  readonly residentOctets?: () => number | undefined
  /** How it ended when nobody had asked it to, one entry each. */
  readonly deaths?: () => readonly string[]
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
  /** Variables that make it find an issuer whose address is hard-coded. */
  readonly environment?: Readonly<Record<string, string>>
  /** Where the run answers for hosts that are hard-coded, for a target that has names of its own for them. */
  readonly front?: FrontDoor
}

/** A TLS server for some hosts, and a folder that the target has to see under the same path. */
export interface FrontDoor {
  readonly hosts: readonly string[]
  readonly port: number
  readonly folder: string
}

/** Where the servers of the run listen, and the host by which the target reaches them. */
export interface Reach {
  readonly listen: string
  readonly name: string
}
