import type { RequestListener } from 'node:http'
import type { IssuerNames } from '../issuer/server.ts'
import type { KeyStore } from '../issuer/keys.ts'
import type { Measurement } from '../model/behaviour.ts'
import type { Operation } from '../openapi/operations.ts'
import type { GatewayPreset } from '../model/gateways.ts'
import type { JsonObject } from '../model/json.ts'
import type { Suite } from '../model/case.ts'
import type { OriginProfile } from '../model/profile.ts'
import type { RunEvent } from '../model/events.ts'
import type { Edition } from '../model/edition.ts'
import type { ExpectedFinding } from '../model/result.ts'
import type { Level, Verdict } from '../model/verdict.ts'
import type { Reach, Target, TargetSettings } from '../targets/target.ts'
import type { BudgetLimits } from './budget.ts'

/** How much the run can prove: a rung of the control ladder. */
export type Control = { readonly keys: KeyStore } & (
  | {
      /** The origin trusts the issuer of the run. */
      readonly kind: 'issuer'
      /** 0 takes a free one. */
      readonly port: number
      /** URLs that the origin has hard-coded: the run answers for their host, over TLS and through a proxy. */
      readonly known?: IssuerNames
    }
  | {
      /** The user gave a token, or a command that prints one. */
      readonly kind: 'token'
      /** Asked again when the last token has expired. */
      readonly token: () => Promise<string>
      /** Keys of its real issuer, where they are known. */
      readonly jwks?: readonly JsonObject[]
    }
  | { readonly kind: 'none' }
)

/** Which cases run; a case must match every member that is given. Selecting nothing is ERR_NOTHING_SELECTED. */
export interface Selection {
  /** `origin/claims` or `claims`. */
  readonly suites?: readonly string[]
  /** `origin/claims/iss-wrong`, `claims/iss-wrong` or `iss-wrong`. */
  readonly cases?: readonly string[]
  readonly levels?: readonly Level[]
}

/** What fails a run and what bounds it. */
export interface GateOptions {
  /** Verdicts that fail the run, `inconclusive` for a MUST alone; none: it never fails. Default: FAILS_BY_DEFAULT. */
  readonly failOn?: readonly Verdict[]
  /** Known findings, beside those that the target brings along; they come first. */
  readonly baseline?: readonly ExpectedFinding[]
  /** Which cases count, and how much; default: all, as the catalogue has it. */
  readonly edition?: Edition
  readonly budget?: BudgetLimits
}

export interface RunOptions extends GateOptions {
  readonly suites: readonly Suite[]
  readonly select: Selection
  /** Starts what is under test; called once, when the issuer listens. */
  readonly start: (settings: TargetSettings) => Promise<Target>
  readonly control: Control
  /** How the target reaches the servers of the run; default: on the loopback address. */
  readonly reach?: Reach
  /** Answers for the host of a known issuer in place of a proxy: where the origin is in a process of the user's. */
  readonly intercept?: (
    handle: RequestListener,
    canaryUrl: string,
  ) => Promise<AsyncDisposable & { readonly connects: () => number }>
  /** How the gateway signs; default: the first one that is known. */
  readonly gateway?: GatewayPreset
  /** Declarations of the command line; they win over those of the target. */
  readonly profile: OriginProfile
  readonly seed: number
  /** Longest wait for one answer, in milliseconds; then it counts as a hang. */
  readonly deadlineMs: number
  /** Operations of its OpenAPI document, by method and path. */
  readonly operations?: readonly Operation[]
  /** What is measured besides the cases; default: nothing. */
  readonly measurements?: readonly Measurement[]
  /** Permits valid tokens with methods that change something, on operations of an OpenAPI document. */
  readonly writes?: boolean
  readonly on: (event: RunEvent) => void
  /** Ends the run early; the target is stopped. */
  readonly signal: AbortSignal
}
