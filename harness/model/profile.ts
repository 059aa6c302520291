import type { HeaderLines } from './http.ts'
import type { Algorithm } from './token.ts'

/** A protected operation of the origin. */
export interface Route {
  /** Path on the origin, `/protected`; may hold a query. */
  readonly path: string
  /** Methods that the route answers with 2xx to a valid token; the first is the one that cases use. */
  readonly methods: readonly string[]
  /** Scope that a token needs here; control tokens carry it in `scope`. */
  readonly scope?: string
  /** The route accepts each `jti` once. */
  readonly once?: boolean
  /** Body to send with methods that take one. */
  readonly body?: { readonly contentType: string; readonly text: string }
  /** Header lines that the route needs. */
  readonly headers?: HeaderLines
  /** Of an OpenAPI document: only its guard is tested, since nobody knows what it answers to a valid token. */
  readonly operation?: string
}

/** How an origin keeps the JWKS. Every number bounds what a run waits for or advances by. */
export interface JwksProfile {
  /**
   * `discovery`: the URL comes from the metadata of the issuer; `per-kid`: the gateway publishes a file for each kid;
   * `pinned`: keys are configured and never fetched.
   */
  readonly mode?: 'static' | 'discovery' | 'per-kid' | 'pinned'
  /** Age in seconds at which the set is fetched again before it is used: a removed key dies here at the latest. */
  readonly maxAgeSec?: number
  /** Seconds after a fetch from which an unknown kid causes the next one. */
  readonly cooldownSec?: number
  /** Milliseconds after which a fetch is given up. */
  readonly timeoutMs?: number
  /** Seconds beyond its age for which a set serves while it cannot be fetched; default 0. */
  readonly maxStaleSec?: number
  /** Processes that each keep a JWKS; default 1. `unbounded`: nobody can say, as with functions on demand. */
  readonly workers?: number | 'unbounded'
  /** max-age of the JWKS answer replaces maxAgeSec. */
  readonly honoursCacheControl?: boolean
}

/** An API key of a caller, which the gateway takes and no origin may. */
export interface ApiKeyProfile {
  readonly key: string
  /** Where the gateway takes it: header names, each with an optional scheme, and names of query parameters. */
  readonly headers?: readonly { readonly name: string; readonly scheme?: string }[]
  readonly query?: readonly string[]
}

/** A counter of what a protected route did, readable with a valid token. */
export interface SideEffectProfile {
  /** Path of the route that has the effect, answered to POST. */
  readonly path: string
  /** Path that tells how often, answered to GET. */
  readonly counter: string
  /** JSON pointer to the number in its answer. */
  readonly pointer: string
}

/** What an origin declares of itself: declared and broken fails, undeclared is measured or skipped by name. */
export interface OriginProfile {
  /** Algorithms that the origin accepts; undeclared: those whose control token it accepts are found out. */
  readonly algorithms?: readonly Algorithm[]
  /** `iss` that the origin expects; default: the URL of the issuer that the harness runs. */
  readonly issuer?: string
  /** `aud` that the origin expects; null: control tokens carry none. */
  readonly audience?: string | null
  /** Explicit `typ` that the origin insists on (RFC 8725 section 3.11). */
  readonly typ?: string
  /** Claims without which a token is refused; default iss, aud, exp, sub. */
  readonly requiredClaims?: readonly string[]
  /** Clock skew that the origin tolerates, in seconds. */
  readonly leewaySec?: number
  /** Longest exp - iat that the origin accepts, in seconds. */
  readonly maxLifetimeSec?: number
  /** Oldest iat that the origin accepts, in seconds. */
  readonly maxTokenAgeSec?: number
  /** The issuer serves this origin alone, so that a missing `aud` is accepted by declaration. */
  readonly singleOrigin?: boolean
  /** Subjects to mint for; the first two must be ones that the origin serves. */
  readonly subjects?: readonly [string, string, ...string[]]
  /** The origin refuses subjects that are not in `subjects`. */
  readonly knownSubjects?: boolean
  /** Text that the body of an accepted answer contains, and no other answer. */
  readonly marker?: string
  /** JSON pointer (RFC 6901) to the subject in the body of an accepted answer. */
  readonly identityEcho?: string
  /** Where the token travels; default the header Authorization with the scheme Bearer. */
  readonly token?: { readonly header: string; readonly scheme: string }
  /** Tokens keep the base64 padding that RFC 7515 leaves out. */
  readonly padding?: boolean
  /** Protected routes; default: GET on the path of the URL under test. */
  readonly routes?: readonly [Route, ...Route[]]
  /** Routes that need no token; the first is used to try tricks with rewritten paths. */
  readonly publicRoutes?: readonly Route[]
  /** Headers in which the gateway tells an identity, besides the usual ones. */
  readonly identityHeaders?: readonly string[]
  /** Answers preflight requests (OPTIONS) without a token. */
  readonly corsPreflight?: boolean
  readonly apiKey?: ApiKeyProfile
  /** Path of a protected route that upgrades the connection to WebSocket. */
  readonly upgrade?: string
  readonly sideEffect?: SideEffectProfile
  readonly jwks?: JwksProfile
  /** Longest time, in milliseconds, that 95 of 100 valid requests may take under a flood of invalid ones. */
  readonly latencyBudgetMs?: number
  /** Extra claims that control tokens must carry. */
  readonly claims?: Readonly<Record<string, string | number | boolean>>
  /** Authorised answers are meant to be stored by shared caches. */
  readonly publicCache?: boolean
  /** The JWKS must hold ordinary keys alone: the origin's client rejects a set with unusual members. */
  readonly plainJwks?: boolean
}

/** The profile that cases see: defaults filled in, algorithms declared or measured. */
export interface ResolvedProfile extends OriginProfile {
  readonly algorithms: readonly [Algorithm, ...Algorithm[]]
  /** True when `algorithms` was declared, false when it was measured. */
  readonly algorithmsDeclared: boolean
  readonly issuer: string
  readonly audience: string | null
  readonly requiredClaims: readonly string[]
  readonly subjects: readonly [string, string, ...string[]]
  readonly token: { readonly header: string; readonly scheme: string }
  readonly routes: readonly [Route, ...Route[]]
  readonly jwks: JwksProfile & { readonly workers: number | 'unbounded' }
}
