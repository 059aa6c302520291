import type { Judgement } from './bench.ts'
import type { Arrival, CaptureOrigin, Framing, JwksProblem, Place, Secret, VerifiedToken } from './capture.ts'
import type { GatewayCapability } from './gateway-capabilities.ts'
import type { ApiKey, GatewayRoute, KeyLocation, ResolvedGatewayProfile } from './gateway-profile.ts'
import type { Answer, Connection, HeaderLines } from './http.ts'
import type { Json } from './json.ts'
import type { ScannerBench } from './scanner.ts'

/** One request to the gateway under test. Everything left out is as in the control: a valid key, the first route. */
export interface Call {
  /** The key; null sends none. Default: the main key. */
  readonly key?: ApiKey | string | null
  /** Where the key goes; default: the first declared location. */
  readonly location?: KeyLocation
  readonly route?: GatewayRoute
  readonly method?: string
  /** Query to add, without the question mark. */
  readonly query?: string
  /** Further header lines, sent as they are, behind the one of the key; in place of the ordinary Accept and User-Agent. */
  readonly headers?: HeaderLines
  readonly body?: string | Uint8Array
  /** Media type of `body`; default application/json. */
  readonly contentType?: string
  /** Request target exactly as it goes on the wire, in place of the route's; `{nonce}` is filled in. */
  readonly target?: string
  /** Sends the nonce in a header alone, so that equal calls have the same URL. */
  readonly sameUrl?: boolean
  readonly withinMs?: number
  readonly on?: Connection
  /** Which instance of the gateway, from 0; default 0. */
  readonly instance?: number
}

/** A call, what came back, and what reached the origin of it. */
export interface Passage {
  readonly nonce: string
  readonly answer: Answer
  /** Requests that reached a capture origin for it so far, in order; empty where there is no capture origin. */
  readonly arrivals: () => readonly Arrival[]
}

/** What came back on a raw socket. */
export interface RawReply {
  /** Everything received, ISO 8859-1. */
  readonly text: string
  /** Status of each answer, in order. */
  readonly statuses: readonly number[]
  /** The other side closed the connection before the deadline. */
  readonly closed: boolean
}

/** The JWKS or another document of the gateway, as it was served. */
export interface Served {
  readonly answer: Answer
  /** When it had arrived, by the clock of the gateway, in seconds. */
  readonly atSec: number
  /** Parsed; undefined where it is no JSON. */
  readonly json?: Json
}

/** How a key is to be issued. */
export interface KeyWish {
  /** Another key of the consumer of this one; default: a new consumer. */
  readonly like?: ApiKey
  /** Seconds from now until it ends. */
  readonly expiresInSec?: number
  /** Made, and switched off at once. */
  readonly disabled?: boolean
  /** A consumer that may not use the route of the entitlement. */
  readonly unentitled?: boolean
  /** A consumer without the attributes that identity headers tell. */
  readonly plain?: boolean
  /** Value of an attribute that an identity header tells; may hold any characters. */
  readonly attribute?: string
}

/** What the operator of a gateway can do to it. Each is there only where its capability is. */
export interface GatewayHooks {
  readonly issueKey: (wish?: KeyWish) => Promise<ApiKey>
  readonly revokeKey: (key: ApiKey) => Promise<void>
  readonly rotateSigningKey: () => Promise<void>
  readonly revokeSigningKey: (kid: string) => Promise<void>
  readonly restart: () => Promise<void>
  /** Disposed, the store is back. */
  readonly keyStoreDown: () => Promise<AsyncDisposable>
  readonly limitStoreDown: () => Promise<AsyncDisposable>
  readonly signerDown: () => Promise<AsyncDisposable>
  /** Everything that it has logged since the start of the run. */
  readonly logs: () => Promise<string>
}

/**
 * What a gateway case is given. As with OriginBench, steps do not throw when the gateway misbehaves, and each has to
 * be awaited.
 */
export interface GatewayBench {
  /** Seconds since the epoch by the clock of the gateway. */
  readonly now: () => number
  readonly profile: ResolvedGatewayProfile
  /** What a request to the gateway names as its Host. */
  readonly host: string
  /** Keys of different consumers that worked in the pre-flight, the main one first. */
  readonly keys: readonly ApiKey[]
  readonly hooks: GatewayHooks

  /** Must be answered 2xx by the origin, which must see it exactly once. Its token is not judged here. */
  readonly forwards: (call: Call, stimulus: string) => Promise<Passage>
  /**
   * Must be refused with 400, 401 or 403, and reach no origin. The bench proves the shape (route, method) with a
   * control before the first refusal and after the last one. `any-4xx` permits every 4xx.
   */
  readonly refuses: (call: Call, stimulus: string, status?: 'any-4xx') => Promise<Passage>
  /** Must reach no origin on a protected path, whatever is answered. Proven like a refusal. */
  readonly withholds: (call: Call, stimulus: string) => Promise<Passage>
  /** Sent and recorded, judged by `judge` alone. */
  readonly observes: (call: Call, stimulus: string) => Promise<Passage>
  /**
   * Sends calls on connections that are all open before the first octet is sent, then at the same moment. The passages
   * in the order of the calls; judged by `judge` alone.
   */
  readonly burst: (calls: readonly Call[], stimulus: string) => Promise<readonly Passage[]>
  /** Octets on a connection of their own to the gateway, read until it closes, answers as often as said, or `withinMs`. */
  readonly raw: (octets: string | Uint8Array, stimulus: string, options?: RawOptions) => Promise<RawReply>
  /** The same octets straight to a capture origin that reads like that, to prove that it would see what they hide. */
  readonly bare: (octets: string | Uint8Array, framing: Framing, options?: RawOptions) => Promise<readonly Arrival[]>
  /** A new nonce for `raw`, with the requests that reached an origin for it. */
  readonly track: () => Pick<Passage, 'nonce' | 'arrivals'>

  /** Fails the case with what was observed, unless it holds. */
  readonly judge: (holds: boolean, judgement: Judgement) => void
  /** Makes the case inconclusive unless it holds. */
  readonly guard: (holds: boolean, otherwise: string) => void
  /** Puts a measured value into the report; no verdict. */
  readonly records: (name: string, value: string | number | boolean) => void
  /** Whether the capability is there; if not, the stimulus is listed as not proven. */
  readonly can: (capability: GatewayCapability, stimulus: string) => boolean
  /** Lists a stimulus as not proven, with what would prove it. */
  readonly notProven: (stimulus: string, reason: string, unlock: string) => void

  /** The capture origins, whose programmes end with the case; needs `capture`, and `second-capture` for the other one. */
  readonly capture: CaptureOrigin
  readonly secondCapture: CaptureOrigin
  /** Everything that reached an origin on a protected path in the run so far. */
  readonly allArrivals: () => readonly Arrival[]
  /** Every answer of the gateway in the run so far, with what it was to. */
  readonly allAnswers: () => readonly { readonly caseId: string; readonly stimulus: string; readonly answer: Answer }[]

  /**
   * Where the secrets are in what reached the origin. The search is proven with a decoy that travelled through the
   * gateway in the same run, or the case is inconclusive.
   */
  readonly search: (arrivals: readonly Arrival[], ...secrets: readonly Secret[]) => Promise<readonly Place[]>
  /** The same in a text, such as an answer or a log. */
  readonly searchText: (text: string, ...secrets: readonly Secret[]) => Promise<readonly Place[]>
  /**
   * The token of a captured request against all that is declared, with the keys published when it arrived. The
   * verifier is proven with corrupted copies of a token of the run, or the case is inconclusive.
   */
  readonly verify: (arrival: Arrival) => Promise<VerifiedToken>
  /** The token of a captured request, compact; undefined where there is none. */
  readonly tokenOf: (arrival: Arrival) => string | undefined
  /** Fetches the JWKS now, over a new connection. */
  readonly jwks: (options?: { readonly headers?: HeaderLines; readonly instance?: number }) => Promise<Served>
  /** Everything that is wrong with a JWKS, by its text. */
  readonly checkJwks: (text: string) => Promise<readonly JwksProblem[]>
  /** Fetches another document of the gateway without a key. */
  readonly fetch: (url: string, headers?: HeaderLines) => Promise<Served>

  /** A key that no case has used, of a consumer of its own; `like`: of the consumer of that key. */
  readonly freshKey: (wish?: KeyWish) => Promise<ApiKey>
  /** Lets time pass at the gateway: its clock is moved, or at most three seconds are waited. */
  readonly elapse: (seconds: number) => Promise<void>
  readonly connect: () => Promise<Connection>
  readonly scanner: ScannerBench
  /** A string that occurs nowhere else in the run; from the seed. */
  readonly nonce: () => string
  /** `length` octets from the seed. */
  readonly random: (length: number) => Uint8Array
}

export interface RawOptions {
  /** Default 1: returns as soon as so many answers are whole. */
  readonly answers?: number
  /** Default: the deadline of the run. */
  readonly withinMs?: number
  /** Milliseconds to wait for further answers when those are whole; default 0. */
  readonly lingerMs?: number
}
