import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Dispatcher } from 'undici'
import type { Headers } from './headers.ts'
import type { Inbound, Services } from './policy.ts'
import type { Problem, ProblemContext, Reply, Verdict } from './reply.ts'
import type { GatewayRequest } from './request.ts'
import type { CorsPolicy, Destination, Handler, RouteSettings } from './settings.ts'

/** Numbers and names that the operator of a gateway chooses. */
export interface GatewayLimits {
  /** Octets of a header section; more is answered with 431. */
  readonly headerOctets: number
  /** Octets of a body; more is answered with 413. */
  readonly bodyOctets: number
  /** Requests at the origins at once; then they queue. */
  readonly concurrency: number
  /** Requests that wait for their turn; then they are answered with 503. */
  readonly queue: number
  /** Milliseconds that a request waits for its turn. */
  readonly queueMs: number
  /** Milliseconds for a connection to an origin, for its answer to begin, and between two pieces of it. */
  readonly connectMs: number
  readonly answerMs: number
  readonly idleMs: number
  /** Milliseconds in which the header section of a request has to arrive. */
  readonly requestHeadMs: number
  /** Milliseconds in which a whole request has to arrive. */
  readonly requestMs: number
  /** Upgraded connections at once; more are answered with 503. */
  readonly tunnels: number
  /** Milliseconds for which a body that nobody wants is read away, so that its sender comes to see the answer. */
  readonly lingerMs: number
  /** Milliseconds that open requests have when the gateway is told to stop. */
  readonly stopMs: number
}

/** Path and query of a request, in the octets of its target. */
export interface Target {
  readonly path: string
  /** With its question mark, or empty. */
  readonly search: string
}

/** A route with what is needed to run it, made once. */
export interface Route extends RouteSettings {
  readonly policies: readonly Inbound[]
  /** Names, in lower case, of headers that a policy of the route takes a credential from. */
  readonly credentials: ReadonlySet<string>
}

/** A route that a request fits, and the values of its path parameters. */
export interface Match {
  readonly route: Route
  readonly params: Readonly<Record<string, string>>
}

/** Finds the route of a request; the first that fits in the order of the project wins. */
export interface RouteTable {
  readonly find: (method: string, path: string) => Match | undefined
  /** Routes at a path, whatever their method: for preflights. */
  readonly at: (path: string) => readonly Route[]
}

/** What the steps share. */
export interface GatewayContext {
  /** `https://api.example.com`, without a slash at its end. */
  readonly publicUrl: string
  readonly limits: GatewayLimits
  readonly services: Services
  readonly table: RouteTable
  /** Proxies in front whose X-Forwarded-For is believed. */
  readonly trusts: (address: string) => boolean
  /** Names, in lower case, of headers that policies set for origins. */
  readonly managed: ReadonlySet<string>
  readonly origins: Dispatcher
}

/** What became of a request, for logs and metrics. */
export interface Outcome {
  /** 0 when nothing was answered, as where the caller went away before. */
  readonly status: number
  /** Milliseconds since the head of the request was there. */
  readonly ms: number
  /** Who answered. */
  readonly by: 'origin' | 'gateway'
  /** Code of what went wrong on the way to the origin or back. */
  readonly fault?: string | undefined
}

/** An exchange with an origin: what is sent, and where its answer goes. */
export interface Exchange {
  readonly request: GatewayRequest
  readonly incoming: IncomingMessage
  readonly response: ServerResponse
  readonly destination: Destination
  readonly handler: Handler
  /** Header lines for the origin, flat. */
  readonly lines: string[]
  readonly cors: CorsPolicy | undefined
  /** The caller's connection, where it is to become a WebSocket. */
  readonly tunnel: Tunnel | undefined
}

/** A connection that its caller wants to take out of HTTP. */
export interface Tunnel {
  readonly socket: Socket
  /** What came behind the head of the request. */
  readonly first: Buffer
}

/** How an exchange ended: answered, or with nothing sent to the caller yet. */
export type Exchanged =
  | { readonly status: number; readonly fault?: string }
  | { readonly problem: Problem; readonly fault: string }

/** The steps of the gateway in their order; each can be replaced from outside. */
export interface GatewaySteps {
  /** Refuses what no two servers read alike; gives the target of what is left. */
  readonly admit: (incoming: IncomingMessage, headers: Headers, context: GatewayContext) => Target | Problem
  /** Address of the caller. */
  readonly clientAddress: (incoming: IncomingMessage, headers: Headers, context: GatewayContext) => string
  /** Removes the caller's lines that must not count: hop-by-hop, forwarding, identity, aliases, what policies set. */
  readonly clean: (headers: Headers, credentials: ReadonlySet<string>, managed: ReadonlySet<string>) => void
  readonly route: (table: RouteTable, method: string, path: string) => Match | undefined
  /** Runs the policies of the route; undefined lets the request through. */
  readonly inbound: (
    route: Route,
    request: GatewayRequest,
    incoming: IncomingMessage,
  ) => Verdict | undefined | Promise<Verdict | undefined>
  /** Header lines for the origin, flat. */
  readonly outgoing: (request: GatewayRequest, destination: Destination, context: GatewayContext) => string[]
  /** Sends the request to the origin and its answer to the caller; joins the two connections where both agree to. */
  readonly exchange: (exchange: Exchange, steps: GatewaySteps, context: GatewayContext) => Promise<Exchanged>
  /** Header lines for the caller out of those of the origin, flat. */
  readonly answer: (lines: readonly string[], exchange: Exchange) => string[]
  /** Writes a refusal out. */
  readonly refuse: (problem: Problem, context: ProblemContext) => Reply
  /** Told of every request that was answered. */
  readonly record: (request: GatewayRequest, route: Route | undefined, outcome: Outcome) => void
}
