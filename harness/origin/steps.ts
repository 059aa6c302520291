import type { IncomingMessage, ServerResponse } from 'node:http'
import type { KeyObject } from 'node:crypto'
import type { Clock } from '../clock/clock.ts'
import type { JsonObject } from '../model/json.ts'
import type { OriginProfile, Route } from '../model/profile.ts'
import type { Duplex } from 'node:stream'
import type { JwksClient, JwksClientOptions } from './jwks-client.ts'

/** Why a request is not answered with what it asked for. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 404 | 405 | 431 | 503
  /** Error code of RFC 6750 section 3.1; none when the request carried no credential. */
  readonly error?: 'invalid_request' | 'invalid_token' | 'insufficient_scope'
  /** Scope that was missing. */
  readonly scope?: string
}

/** A token taken apart, nothing verified. */
export interface Parsed {
  readonly compact: string
  readonly header: JsonObject
  readonly claims: JsonObject
  /** JSON text of the claims. */
  readonly claimsText: string
  readonly signingInput: Uint8Array
  readonly signature: Uint8Array
}

/** A key of the JWKS, fit for the algorithm of a token. */
export interface VerifyingKey {
  readonly jwk: JsonObject
  readonly publicKey: KeyObject
}

/** What steps share. */
export interface OriginContext {
  readonly issuer: string
  readonly audience: string
  readonly profile: OriginProfile
  readonly clock: Clock
  readonly jwks: JwksClient
  /** What the routes did, for the counter that one of them shows. */
  readonly done: { transfers: number }
  /** Ends the origin as an uncaught exception ends a process. */
  readonly die: (reason: string) => void
  /** Token ids that were used, with the second until which they have to be remembered. */
  readonly used: Map<string, number>
}

/** Claims that were vouched for, or the reason why not. */
export type Outcome = { readonly claims: JsonObject } | { readonly refusal: Refusal }

/** A route of the origin. */
export interface Located {
  readonly route: Route
  readonly public: boolean
}

/** The steps of the origin, in their order; each can be replaced. A step that throws is answered with 500. */
export interface Steps {
  /** The client that keeps the keys, made once when the origin starts. */
  readonly createJwks: (options: JwksClientOptions, die: OriginContext['die']) => JwksClient
  /** The route of the request; a public one needs no token. */
  readonly route: (request: IncomingMessage, context: OriginContext) => Located | Refusal
  /** Judges the request by the steps from `readCredential` to `judgeClaims`. */
  readonly guard: (request: IncomingMessage, route: Route, context: OriginContext, steps: Steps) => Promise<Outcome>
  /** Text of the token in the request. */
  readonly readCredential: (request: IncomingMessage) => string | Refusal | Promise<string | Refusal>
  readonly parse: (compact: string) => Parsed | Refusal
  readonly findKey: (parsed: Parsed, context: OriginContext) => Promise<VerifyingKey | Refusal>
  /** The claims that the signature vouches for; undefined when it does not. */
  readonly verify: (parsed: Parsed, key: VerifyingKey) => JsonObject | undefined
  /** Undefined when the claims grant what the route needs. */
  readonly judgeClaims: (
    claims: JsonObject,
    parsed: Parsed,
    route: Route,
    context: OriginContext,
  ) => Refusal | undefined
  /** Does what the route is for. */
  readonly act: (route: Route, context: OriginContext) => void
  readonly answer: (outcome: Outcome, request: IncomingMessage, response: ServerResponse, route?: Located) => void
  /** Answers a request to upgrade the connection. */
  readonly upgrade: (outcome: Outcome, request: IncomingMessage, socket: Duplex) => void
}

/** Narrows what a step gave to a refusal. */
export function isRefusal(value: object | string): value is Refusal {
  return typeof value === 'object' && 'status' in value
}

/** The refusal of a token, whatever is wrong with it: callers learn no more. */
export const INVALID_TOKEN: Refusal = { status: 401, error: 'invalid_token' }
