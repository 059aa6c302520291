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
  /** Protected routes; default: GET on the path of the URL under test. */
  readonly routes?: readonly [Route, ...Route[]]
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
}
