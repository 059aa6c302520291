import type { HeaderLines } from './http.ts'
import type { Algorithm } from './token.ts'

/** Where a gateway takes an API key. */
export interface KeyLocation {
  /** `body`: a field of application/x-www-form-urlencoded. */
  readonly in: 'header' | 'query' | 'cookie' | 'body'
  /** Name of the header, parameter, cookie or field. */
  readonly name: string
  /** Scheme before the key in a header, such as `Bearer`. */
  readonly scheme?: string
}

/** An API key and what is known of it. */
export interface ApiKey {
  readonly key: string
  /** Equal for keys of the same consumer; made up where nobody says. */
  readonly consumer: string
  /** `sub` of the gateway tokens of its requests, where it is declared. */
  readonly subject?: string
  /** Values of identity headers at the origin, by name; a name that is missing is an attribute that it lacks. */
  readonly identity?: Readonly<Record<string, string>>
}

/** A route of the gateway that needs a key. */
export interface GatewayRoute {
  /** Path on the gateway, without a query. */
  readonly path: string
  /** Methods that the route forwards; the first is the one that cases use. */
  readonly methods: readonly [string, ...string[]]
  /** `aud` of its tokens; default: the audience of the profile. */
  readonly audience?: string
  /** Which capture origin it forwards to; default 1. */
  readonly origin?: 1 | 2
  /** Path at the origin, where the gateway rewrites it. */
  readonly originPath?: string
  /** Body to send with methods that take one; default: a small JSON object. */
  readonly body?: { readonly contentType: string; readonly text: string }
  /** Header lines that the route needs. */
  readonly headers?: HeaderLines
}

/** A limit on requests. */
export interface LimitProfile {
  /** A route under the limit, alone with it: cases use it up. */
  readonly route: GatewayRoute
  /** What has a count of its own. */
  readonly scope: 'key' | 'consumer' | 'address' | 'route'
  /** Requests in a window. */
  readonly requests: number
  readonly windowSec: number
  /** Requests let through beyond, default 0. */
  readonly burst?: number
  /** Never lets more through, however many come at once. */
  readonly strict?: boolean
  /** Status of the refusal, default 429. */
  readonly status?: number
  /** Default: measured. */
  readonly algorithm?: 'fixed' | 'sliding' | 'token-bucket'
  /** Instances count together. */
  readonly distributed?: boolean
  /** What happens while its store is away. */
  readonly onStoreDown?: 'open' | 'closed'
}

/** A limit over a long time, counted for each key. */
export interface QuotaProfile {
  readonly route: GatewayRoute
  readonly requests: number
  /** Longest time until it begins anew, in seconds. */
  readonly windowSec: number
  /** A limit on the same route that ends earlier, in seconds. */
  readonly shortWindowSec?: number
  /** Status of the refusal, default 429. */
  readonly status?: number
  /** Survives a restart. */
  readonly persistent?: boolean
}

/** How an operator puts a leaked-key receiver under test: its key list is served by the run. */
export interface SecretScanningProfile {
  /** Path of the receiver on the gateway. */
  readonly path: string
  /** Type of the tokens in its alerts. */
  readonly type: string
  /** Seconds until a reported key is refused; default 0. */
  readonly propagationSec?: number
  /** Seconds for which the receiver keeps the key list; default 0. */
  readonly keyListMaxAgeSec?: number
}

/** What a gateway does with the names of its caller's proxies. */
export type ForwardedPolicy = 'replace' | 'append' | 'remove'

/** What a gateway declares of itself: declared and broken fails, undeclared is skipped by name, or measured. */
export interface GatewayProfile {
  /** Default: Authorization with the scheme Bearer. */
  readonly keyLocations?: readonly [KeyLocation, ...KeyLocation[]]
  /** Default: GET and POST on the path of the URL under test. */
  readonly routes?: readonly [GatewayRoute, ...GatewayRoute[]]
  /** Routes that need no key and reach the first capture origin without a token. */
  readonly publicRoutes?: readonly GatewayRoute[]
  /** Keys of consumers that may use every route: the first two of different consumers. */
  readonly keys?: readonly ApiKey[]
  /** Keys that must not work. */
  readonly revokedKeys?: readonly ApiKey[]
  readonly expiredKeys?: readonly ApiKey[]
  readonly disabledKeys?: readonly ApiKey[]
  /** A route that not every consumer may use, and a key that may not; `keys` may. */
  readonly entitlement?: { readonly route: GatewayRoute; readonly otherKeys?: readonly ApiKey[] }
  /** Fresh keys for cases that use one up, each of a consumer of its own. */
  readonly spareKeys?: readonly ApiKey[]
  /** Two keys of one consumer, where no hook issues them; the second may be revoked. */
  readonly pairOfKeys?: readonly [ApiKey, ApiKey]
  /** Keys differ only by case for this gateway. */
  readonly caseInsensitiveKeys?: boolean
  /** What a key looks like: a regular expression for all of it, and the bits of its random part. */
  readonly keyFormat?: {
    readonly pattern: string
    readonly entropyBits?: number
    /** Characters at the end that are the CRC-32 of what is before them, base62, as in GitHub's tokens. */
    readonly checksum?: 'crc32-base62'
  }
  /** Seconds until a revoked key is refused everywhere; default 0. */
  readonly keyPropagationSec?: number
  /** Answers preflight requests (OPTIONS) without a key. */
  readonly corsPreflight?: boolean
  /** Where the gateway puts its token; default the header Authorization with the scheme Bearer. */
  readonly token?: { readonly header: string; readonly scheme: string }
  readonly issuer?: string
  readonly audience?: string
  /** May be in `aud` besides. */
  readonly alsoAudiences?: readonly string[]
  readonly algorithms?: readonly Algorithm[]
  readonly maxLifetimeSec?: number
  /** Seconds that every token has left when it arrives; default 0. */
  readonly minRemainingSec?: number
  /** Explicit `typ` of the tokens. */
  readonly typ?: string
  /** Tokens have a `jti`. */
  readonly jti?: boolean
  readonly jwksUrl?: string
  readonly discoveryUrl?: string
  /** Headers that tell the origin who the consumer is. */
  readonly identityHeaders?: readonly string[]
  /** Seconds for which a retired signing key stays published; undeclared: for ever is no fault. */
  readonly keyRetentionSec?: number
  /** Longest time for which origins may keep the JWKS; bounds max-age. */
  readonly rotationOverlapSec?: number
  /** The API key goes on to the origin by declaration. */
  readonly forwardsClientCredential?: boolean
  /** Default: not judged. */
  readonly forwardedPolicy?: ForwardedPolicy
  /** Header lines that the gateway removes or sets besides, by name. */
  readonly alteredHeaders?: readonly string[]
  /** A path that upgrades to WebSocket with a key. */
  readonly upgrade?: string
  readonly limits?: readonly LimitProfile[]
  readonly quota?: QuotaProfile
  /** Requests at the origins at once, and the route on which that is tried; more are refused. */
  readonly concurrency?: { readonly requests: number; readonly route: GatewayRoute; readonly status?: number }
  /**
   * Unknown keys from one address in a window, after which more are throttled, with 429 unless another status is here.
   * With a route the limit is that route's alone; without one it is throughout.
   */
  readonly authFailures?: {
    readonly attempts: number
    readonly windowSec: number
    readonly status?: number
    readonly route?: GatewayRoute
  }
  /** The answer has RateLimit fields (draft-ietf-httpapi-ratelimit-headers). */
  readonly rateLimitFields?: boolean
  /** Seconds for which the gateway waits for an answer of the origin to begin. */
  readonly originTimeoutSec?: number
  /** Known keys go on to work while the key store is away. */
  readonly cachesKeys?: boolean
  readonly secretScanning?: SecretScanningProfile
  /** Other instances of the same gateway: base URLs. */
  readonly instances?: readonly string[]
  /** Text of an answer that came from its origin, where that is not the capture origin of the run. */
  readonly marker?: string
}

/** The profile that cases see: defaults filled in. */
export interface ResolvedGatewayProfile extends GatewayProfile {
  readonly keyLocations: readonly [KeyLocation, ...KeyLocation[]]
  readonly routes: readonly [GatewayRoute, ...GatewayRoute[]]
  readonly publicRoutes: readonly GatewayRoute[]
  readonly keys: readonly ApiKey[]
  readonly token: { readonly header: string; readonly scheme: string }
  readonly limits: readonly LimitProfile[]
  readonly keyPropagationSec: number
}
