import type { Clock } from '../clock/clock.ts'
import type { JsonObject } from '../model/json.ts'
import type { OptionTable } from './options.ts'
import type { Verdict } from './reply.ts'
import type { GatewayRequest } from './request.ts'

/** Lets a request go on (undefined), or answers in place of the origin. What it throws is answered with 500. */
export type Inbound = (request: GatewayRequest) => Verdict | undefined | Promise<Verdict | undefined>

/** Something that the operator of the gateway should know; holds no key and no token. */
export interface OperatorEvent {
  /** kebab-case, such as `leaked-key-revoked` or `limit-store-down`. */
  readonly event: string
  readonly [detail: string]: string | number | boolean
}

/** An API key that the gateway knows, found by the text of the key. */
export interface KeyRecord {
  /** Public id, such as `key_…`; safe to log. */
  readonly id: string
  readonly consumer: string
  readonly metadata: JsonObject
  /** Milliseconds since the epoch from which the key is refused. */
  readonly expiresMs?: number
  /** The key or its consumer was switched off. */
  readonly disabled: boolean
}

/** What is known of keys. It is at hand: a change in the store, here or in another instance, arrives by itself. */
export interface KeyDirectory {
  /** The record of exactly this key in the bucket; undefined when there is none. */
  readonly find: (bucket: string, key: string) => KeyRecord | undefined
  /** Milliseconds since the store was last heard of; 0 where it cannot be away. */
  readonly silentMs: () => number
}

/** So many in so long. */
export interface LimitRule {
  readonly limit: number
  readonly windowMs: number
}

/** What a counter made of a request. */
export interface Taken {
  /** Whether it had enough left; the request is let through if all of its counters had. */
  readonly allowed: boolean
  /** What is left of the limit, once the request took its part. */
  readonly remaining: number
  /** Milliseconds until as much as was asked for is left; 0 when it was allowed, infinite when it never will be. */
  readonly retryMs: number
  /** Milliseconds until the oldest use leaves the window, so that more is left than now; 0 when nothing is used. */
  readonly moreMs: number
}

/** What a request wants of one counter. */
export interface Take {
  /** A key always comes with the same window: another window is another counter. */
  readonly key: string
  readonly rule: LimitRule
  /** A whole number, 0 for only looking. */
  readonly cost: number
}

/** Counters of a sliding window, exact: never more than `limit` in any span of `windowMs`. Rejects when its store is away. */
export interface LimitStore {
  /** Takes from every counter, or from none if one has not enough left; tells of each in the order of what was asked. */
  readonly take: (takes: readonly Take[]) => readonly Taken[] | Promise<readonly Taken[]>
}

/** Amounts by meter; none is negative where it is asked for. */
export type Meters = Readonly<Record<string, number>>

/** What a request wants of a quota. */
export interface Reservation {
  readonly key: string
  /** The period, in milliseconds since the epoch; its end is not part of it. */
  readonly startMs: number
  readonly endMs: number
  readonly meters: Meters
  /** Most that each meter may reach in the period; meters that are not here have no bound. */
  readonly allowances: Meters
}

/** What became of a reservation. */
export interface Reserved {
  readonly allowed: boolean
  /** Start of the period that it counts in: a later one, when some other instance has begun that already. */
  readonly startMs: number
  /** Use of that period without this reservation. */
  readonly used: Meters
}

/** Counters of long periods, kept across restarts. Rejects when its store is away. */
export interface QuotaStore {
  /** The moment from which periods of the key are counted: what its first asker gave, kept for ever. */
  readonly anchor: (key: string, anchorMs: number) => number | Promise<number>
  /** Adds the meters, unless one is used up or would go beyond its allowance: then nothing is added. */
  readonly reserve: (reservation: Reservation) => Reserved | Promise<Reserved>
  /** Adds to the period that begins at `startMs`, whatever is allowed; negative amounts give back. Nothing once it is over. */
  readonly add: (key: string, startMs: number, meters: Meters) => void | Promise<void>
}

/** Mints gateway tokens and publishes the keys to them. */
export interface TokenService {
  /** Value of `iss`: configured, never made from a request. */
  readonly issuer: string
  /** Seconds that a token lives where nothing else is said. */
  readonly lifetimeSec: number
  /** Seconds that a token may live: its key stays published for so long. */
  readonly longestLifetimeSec: number
  /** Grows with every change after which tokens signed so far must not be used again. */
  readonly generation: () => number
  /** A compact JWS over the claims with `iss`, `iat` and `exp` of the service. Throws when no key can sign. */
  readonly sign: (claims: JsonObject, lifetimeSec: number) => string
}

/** What policies share. */
export interface Services {
  readonly clock: Clock
  readonly keys: KeyDirectory
  readonly limits: LimitStore
  readonly quotas: QuotaStore
  /** Undefined where the project registers no JWT service. */
  readonly tokens: TokenService | undefined
  readonly report: (event: OperatorEvent) => void
}

/** What a policy is made with. */
export interface PolicyContext extends Services {
  /** Name in policies.json: counters are kept by it. */
  readonly name: string
  /** A function of the project's own modules, loaded before; for options that name `module` and `export`. */
  readonly own: (module: string, exported: string) => (...args: readonly unknown[]) => unknown
}

/** A kind of inbound policy. */
export interface PolicyKind {
  /** `policyType`, such as `api-key-inbound`. */
  readonly type: string
  /** `handler.export`, such as `ApiKeyInboundPolicy`. */
  readonly exported: string
  readonly options: OptionTable
  /** The options have passed the table; defaults are the policy's to fill in. */
  readonly create: (options: Readonly<Record<string, unknown>>, context: PolicyContext) => Inbound
  /** Names of headers that it takes a credential from, and that it sets for origins. */
  readonly headers?: (options: Readonly<Record<string, unknown>>) => {
    readonly reads?: readonly string[]
    readonly sets?: readonly string[]
  }
  /** Whether it can only work where a JWT service is registered; then its absence stops the start-up. */
  readonly needsTokens?: boolean
}
