import type { Judgement } from './bench.ts'
import type { Arrival, VerifiedToken } from './capture.ts'
import type { ChainCapability } from './chain-capabilities.ts'
import type { Call, GatewayHooks } from './gateway-bench.ts'
import type { ApiKey, ResolvedGatewayProfile } from './gateway-profile.ts'
import type { Answer, HeaderLines } from './http.ts'
import type { OriginProfile, Route } from './profile.ts'

export { CHAIN_CAPABILITIES } from './chain-capabilities.ts'

/** The origin behind the gateway as cases see it: defaults filled in. */
export interface ChainOrigin extends OriginProfile {
  /** Protected routes; the first is what the first route of the gateway reaches. */
  readonly routes: readonly [Route, ...Route[]]
  readonly token: { readonly header: string; readonly scheme: string }
}

/** A call through the gateway, what came back, and what passed the tap of it. */
export interface Crossing {
  readonly answer: Answer
  /** Requests that passed the tap for it so far, in order; empty where there is no tap. */
  readonly tapped: () => readonly Arrival[]
}

/** A request past the gateway, straight to the origin; without a token unless one is given. */
export interface Direct {
  /** Compact token, sent where the origin takes it. */
  readonly token?: string
  /** Default: the first route of the origin. */
  readonly route?: Route
  readonly method?: string
  /** Query to add, without the question mark. */
  readonly query?: string
  readonly headers?: HeaderLines
}

/** A gateway token that passed the tap, read and not verified. */
export interface TappedToken {
  readonly compact: string
  readonly kid?: string
  readonly sub?: string
  /** Seconds since the epoch. */
  readonly exp?: number
}

/** A time in which the origin cannot fetch the JWKS. Disposed, or at the end of the case, it can again. */
export interface JwksCut extends Disposable {
  /** Fetches of the origin that were dropped so far. */
  readonly served: () => number
}

/** What a chain case is given. As with OriginBench, steps do not throw, and each has to be awaited. */
export interface ChainBench {
  /** Seconds since the epoch by the clock of the origin. */
  readonly now: () => number
  readonly gateway: ResolvedGatewayProfile
  readonly origin: ChainOrigin
  /** Keys of different consumers that worked in the pre-flight, the main one first. */
  readonly keys: readonly ApiKey[]
  readonly hooks: Pick<GatewayHooks, 'rotateSigningKey' | 'revokeSigningKey' | 'restart'>
  /** Time passes by moving the clocks of both sides: nobody waits for it. */
  readonly movable: boolean

  /** Through the gateway: must be accepted by the origin, and pass the tap exactly once. */
  readonly accepts: (call: Call, stimulus: string) => Promise<Crossing>
  /** Through the gateway; sent and recorded, judged by `judge` alone. */
  readonly observes: (call: Call, stimulus: string) => Promise<Crossing>
  /** Past the gateway; sent and recorded. */
  readonly direct: (request: Direct, stimulus: string) => Promise<Answer>
  /**
   * Past the gateway: must be refused with 400, 401 or 403. The bench proves with calls through the gateway, before
   * the first and after the last one, that the origin accepts what it should.
   */
  readonly refuses: (request: Direct, stimulus: string) => Promise<Answer>
  /** Calls at a steady pace from before `act` until it is done; the answers in order. */
  readonly underLoad: (act: () => Promise<void>, stimulus: string) => Promise<readonly Answer[]>
  /** Why the run does not reach the origin past the gateway: one clause; undefined where it does. */
  readonly unreachable: string | undefined
  /** Waits until the gateway answers again, at most three seconds. */
  readonly revived: () => Promise<boolean>

  /** The token of the first request that passed the tap for a call; undefined where none did. */
  readonly tokenOf: (crossing: Crossing) => TappedToken | undefined
  /** Every `kid` of the JWKS that an instance serves now; default the first one. */
  readonly kids: (instance?: number) => Promise<readonly string[]>
  /** The token by the JWKS that an instance serves now, whatever its claims. */
  readonly verify: (token: TappedToken, instance: number) => Promise<VerifiedToken>
  /** Drops what the origin asks the JWKS for. */
  readonly cutJwks: () => JwksCut
  /** Gives the origin the JWKS of that instance until the case ends; the result counts how often it fetched it. */
  readonly jwksFrom: (instance: number) => () => number

  readonly judge: (holds: boolean, judgement: Judgement) => void
  /** Makes the case inconclusive unless it holds. */
  readonly guard: (holds: boolean, otherwise: string) => void
  /** Ends the case as one that cannot be judged here, unless it holds. */
  readonly applies: (holds: boolean, otherwise: string) => void
  readonly records: (name: string, value: string | number | boolean) => void
  readonly can: (capability: ChainCapability, stimulus: string) => boolean
  readonly notProven: (stimulus: string, reason: string, unlock: string) => void
  /** A key that no token was minted for, where the gateway can issue one; else the main one. */
  readonly freshKey: () => Promise<ApiKey>
  /** Lets time pass on both sides: their clocks are moved, or at most three seconds are waited. */
  readonly elapse: (seconds: number) => Promise<void>
  /** Moves the clock of one side, so that the origin is so far ahead of the gateway, or behind; until the case ends. */
  readonly skew: (seconds: number) => Promise<void>
  readonly nonce: () => string
}
