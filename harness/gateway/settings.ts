import type { PolicyKind } from './policy.ts'
import type { Problem } from './reply.ts'
import type { GatewayRequest } from './request.ts'

/** Where a request goes. */
export interface Destination {
  /** `http://host:port`, without a path. */
  readonly origin: string
  /** Path and query, as they go on the wire. */
  readonly target: string
}

/** What answers a route once its policies let a request through: an origin. */
export interface Handler {
  /** A refusal where the request would lead somewhere else than the project means. */
  readonly destination: (request: GatewayRequest) => Destination | Problem
  /** Follows redirects of the origin for methods that are safe; never to another origin with the trust header. */
  readonly followRedirects: boolean
}

/** Cross-origin rules of a route (Fetch, section 3.2). */
export interface CorsPolicy {
  readonly name: string
  /** Origins, exact or with one `*` in the place of a host label; `*` alone is any. */
  readonly allowedOrigins: readonly string[]
  readonly allowedMethods: readonly string[]
  readonly allowedHeaders: readonly string[]
  readonly exposeHeaders: readonly string[]
  /** Seconds for which a preflight may be kept. */
  readonly maxAgeSec?: number
  readonly allowCredentials: boolean
}

/** One operation of the gateway. */
export interface RouteSettings {
  /** In upper case. */
  readonly method: string
  /** `open-api`: `/orders/{id}`, a parameter being one segment; `url-pattern`: the syntax of URLPattern pathnames. */
  readonly path: { readonly mode: 'open-api' | 'url-pattern'; readonly pattern: string }
  /** Undefined: no cross-origin answers at all. */
  readonly cors: CorsPolicy | undefined
  readonly handler: Handler
  /** Names of policies, in their order. */
  readonly inbound: readonly string[]
  /** File and operation, for messages and logs. */
  readonly where: string
}

/** A configured policy. */
export interface PolicySettings {
  readonly name: string
  readonly kind: PolicyKind
  readonly options: Readonly<Record<string, unknown>>
}

/** Algorithms that the JWT service signs with. */
export const GATEWAY_ALGORITHMS = ['EdDSA', 'RS256', 'PS256', 'ES256'] as const

export type GatewayAlgorithm = (typeof GATEWAY_ALGORITHMS)[number]

/** The JWT service of the gateway. */
export interface JwtServiceSettings {
  /** Path of the issuer below the public URL; default `/__zuplo/issuer`. */
  readonly basePath: string
  readonly lifetimeSec: number
  readonly algorithm: GatewayAlgorithm
}

/** A gateway project, read and checked. */
export interface GatewayProject {
  /** In the order in which they match. */
  readonly routes: readonly RouteSettings[]
  readonly policies: readonly PolicySettings[]
  /** Undefined where no JWT service is registered. */
  readonly jwtService: JwtServiceSettings | undefined
  /** Functions of the project's own modules by `module#export`. */
  readonly own: ReadonlyMap<string, (...args: readonly unknown[]) => unknown>
}
