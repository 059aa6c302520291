import type { HeaderLines } from './http.ts'
import type { JsonObject } from './json.ts'

/**
 * How a capture origin finds the end of a message. `strict`: RFC 9112, refusing with 400 whatever is in doubt. The
 * others are two careless origins, each of which sees what the other takes for a body: `prefer-content-length` takes
 * the first Content-Length that begins with digits before any Transfer-Encoding; `prefer-transfer-encoding` takes any
 * coding that contains "chunked", the last well-formed Content-Length, and any LF for the end of a chunk's line.
 */
export type Framing = 'strict' | 'prefer-content-length' | 'prefer-transfer-encoding'

/**
 * What a received message does that RFC 9112 forbids a sender. Every one makes a strict origin refuse it, except
 * `leading-empty-line` (section 2.2) and `early-end`, a connection that ended in the middle of the message.
 */
export type Anomaly =
  | 'request-line'
  | 'leading-empty-line'
  | 'bare-lf'
  | 'bare-cr'
  | 'obs-fold'
  | 'space-before-header'
  | 'space-before-colon'
  | 'header-name'
  | 'no-colon'
  | 'control-character'
  | 'host-missing'
  | 'host-repeated'
  | 'both-lengths'
  | 'content-length-repeated'
  | 'content-length-invalid'
  | 'transfer-encoding-invalid'
  | 'chunk-size'
  | 'chunk-extension'
  | 'chunk-end'
  | 'head-too-large'
  | 'early-end'

/** Body of a received message. */
export interface CapturedBody {
  readonly framing: 'none' | 'content-length' | 'chunked'
  /** Without the framing of chunks; cut at the limit of the capture origin. */
  readonly octets: Uint8Array
  /** As on the wire, with sizes and extensions of chunks; cut at the same limit. */
  readonly raw: Uint8Array
  /** All octets without framing, kept or not. */
  readonly total: number
}

/** One request that reached a capture origin, recorded before anything is made of it; grows while it is read. */
export interface Arrival {
  /** Name of the capture origin. */
  readonly origin: string
  /** From 1, in the order in which the heads were complete. */
  readonly sequence: number
  /** Number of the connection, from 1; equal numbers are the same socket. */
  readonly connection: number
  /** From 1: which request of its connection. */
  readonly turn: number
  /** When the head was complete: milliseconds since the epoch by the clock of the capture origin. */
  readonly atMs: number
  /** The same moment in milliseconds of performance.now(), which no clock move touches. */
  readonly monotonicMs: number
  /** From the first octet of the message to its empty line, cut at the limit. */
  readonly head: Uint8Array
  readonly method: string
  /** Exactly as received, ISO 8859-1. */
  readonly target: string
  readonly version: string
  /** In wire order, names as received; a folded value has one space for each fold. ISO 8859-1. */
  readonly headers: HeaderLines
  /** Lines of the head behind the request line, without their ends, as received. */
  readonly lines: readonly string[]
  /** Values of every line of that name, whatever its case and the space around it. */
  readonly header: (name: string) => readonly string[]
  readonly trailers: HeaderLines
  readonly body: CapturedBody
  readonly anomalies: readonly Anomaly[]
  /** How the capture origin read it. */
  readonly readAs: Framing
  /** `cut`: the connection ended, or the capture origin stopped reading, before the end of the message. */
  readonly state: 'reading' | 'whole' | 'cut'
  /** Status of the final answer once its head was sent; 0 before, and where none was sent. */
  readonly status: number
  /** What came through the connection after it became a tunnel (101); cut at the limit of a body. */
  readonly tunnelled: Uint8Array
}

/** Octets that began a message which never came: such as the prefix that a smuggling request leaves behind. */
export interface Unfinished {
  readonly connection: number
  readonly octets: Uint8Array
}

/**
 * How an answer goes wrong. `reset` closes with RST, `close` with FIN. `unread`: before the body of the request is
 * read. `unanswered`: after it, before the first octet of the answer. `mid-body`: before the octets that
 * Content-Length promises. `never`: nothing is sent and the connection stays open.
 */
export type AnswerFault =
  | 'reset-unread'
  | 'reset-unanswered'
  | 'reset-after-head'
  | 'reset-mid-body'
  | 'close-unanswered'
  | 'close-mid-body'
  | 'close-mid-chunk'
  | 'never'

/** What a capture origin answers. It never contains anything of the request; what is left out is as ordinary. */
export interface Answering {
  /** Default 200, with `redirect` 302. */
  readonly status?: number
  /** Further lines, sent as they are, in front of Content-Length. */
  readonly headers?: HeaderLines
  /** Default: the marker. */
  readonly body?: string | Uint8Array
  /** Location of a redirect. */
  readonly redirect?: string
  /** Milliseconds between the end of the request and the first octet of the answer. */
  readonly delayMs?: number
  /** Header lines of 103 Early Hints (RFC 8297), sent before any delay. */
  readonly hints?: HeaderLines
  /** Octets of one piece of the body, each sent as a write of its own; default: all. */
  readonly pieceOctets?: number
  /** Milliseconds between the pieces of the body, or between events. */
  readonly everyMs?: number
  /** Sends each piece of the body as a chunk. */
  readonly chunked?: boolean
  /** Sent behind a chunked body. */
  readonly trailers?: HeaderLines
  /** Data of server-sent events, in place of a body. */
  readonly events?: readonly string[]
  /** To `Expect: 100-continue`: `refuse` answers 417 without reading the body, `ignore` sends no 100. */
  readonly expectation?: 'refuse' | 'ignore'
  /** Answers 101 to a request to upgrade to this protocol, and makes the connection a tunnel. */
  readonly upgrade?: 'websocket' | 'h2c'
  /** Closes the connection behind the answer. */
  readonly close?: boolean
  readonly fault?: AnswerFault
}

/** Which requests a programme is for; default: all. A programme for a nonce goes before the others, a newer before an older. */
export interface Scope {
  /** Those with this in their target or in a header value. */
  readonly nonce?: string
  /** As many; then it is used up. */
  readonly times?: number
}

/** What is answered in place of the ordinary answer until disposed; then whatever still hangs is closed. */
export interface Programme extends Disposable {
  /** How often it was carried out to the end: a fault counts once it was done to a client that was still there. */
  readonly served: () => number
}

/** Requests that were read and wait for their answers. Disposed, it lets all go. */
export interface Hold extends Programme {
  /** How many wait now. */
  readonly waiting: () => number
  /** Most that ever waited at once. */
  readonly most: () => number
  /** Waits until so many wait at once; false at the deadline. */
  readonly reached: (count: number, deadlineMs: number) => Promise<boolean>
  /** Lets the oldest go, default one. */
  readonly release: (count?: number) => void
  /** Lets all go, and holds nothing more. */
  readonly open: () => void
}

/** The origin behind a gateway under test, in the hands of a case: it records, and judges nothing. */
export interface CaptureOrigin {
  readonly name: string
  /** `http://HOST:PORT` */
  readonly url: string
  /** Body of the ordinary answer. */
  readonly marker: string
  /** Position in the record, for `since` and the search for a nonce. */
  readonly mark: () => number
  readonly all: () => readonly Arrival[]
  readonly since: (mark: number) => readonly Arrival[]
  /** Requests with the nonce anywhere in their octets, in any case of letters. */
  readonly arrivalsOf: (nonce: string, since?: number) => readonly Arrival[]
  /** Requests that were made for the nonce: it is in the target or a header value, not in the body alone. */
  readonly requestsOf: (nonce: string, since?: number) => readonly Arrival[]
  /** The first of `requestsOf`, as soon as its head is there; undefined at the deadline. */
  readonly waitFor: (nonce: string, deadlineMs: number) => Promise<Arrival | undefined>
  /** Waits until every request that has begun is answered or gone; false at the deadline. */
  readonly settled: (deadlineMs: number) => Promise<boolean>
  /** Messages that have begun on open or ended connections and whose head is not complete. */
  readonly unfinished: () => readonly Unfinished[]
  /** Calls the listener for every request as soon as its head is there. */
  readonly onArrival: (listener: (arrival: Arrival) => void) => Disposable
  readonly answer: (answering: Answering, scope?: Scope) => Programme
  readonly hold: (scope?: Scope, answering?: Answering) => Hold
  /** Reads messages that begin from now on like this, until disposed; well-formed ones read the same in every way. */
  readonly readAs: (framing: Framing) => Disposable
  /** Refuses connections and ends the open ones until disposed; ERR_HARNESS where its own connection is not refused. */
  readonly down: () => Promise<AsyncDisposable>
}

/** Something that must not reach an origin. */
export interface Secret {
  /** For reports; never the value. */
  readonly name: string
  readonly value: string
  /** The part of the value that is secret, for the search of its slices; default: all of it. */
  readonly part?: string
}

/** How the octets of a place have to be decoded, outermost first, to show a secret. */
export type Encoding = 'base64' | 'hex' | 'percent' | 'json-escape'

/** Where a secret was found, without its value. */
export interface Place {
  /** `Secret.name` */
  readonly secret: string
  /** `token`: inside a JWT, wherever that is; its signature counts as the part that it stands in. */
  readonly part: 'request-line' | 'header' | 'cookie' | 'token' | 'body' | 'trailer' | 'tunnel' | 'text'
  /** Name of the header, cookie or trailer; `header` or `claims` of a token; empty elsewhere. */
  readonly name: string
  /** Empty: raw. */
  readonly encodings: readonly Encoding[]
  /** Whole value, a slice of 12 characters or more of its secret part, or a digest of the value without salt. */
  readonly what: 'value' | 'slice' | 'sha256' | 'md5'
  readonly reversed: boolean
  /** In another case of letters than the value. */
  readonly folded: boolean
}

/** What can be wrong with the token that a request carries, or with how it carries it. */
export type TokenProblemKind =
  // How the request carries it.
  | 'token-missing'
  | 'token-header-repeated'
  | 'several-tokens'
  | 'scheme'
  // Its form (RFC 7515 sections 2, 4 and 7.1, RFC 7519 sections 4 and 7.2).
  | 'not-compact'
  | 'base64url'
  | 'utf8'
  | 'not-json'
  | 'not-object'
  | 'duplicate-member'
  | 'too-deep'
  | 'crit'
  | 'b64'
  | 'zip'
  | 'claim-type'
  // Algorithm and key (RFC 7515 section 5.2, RFC 7518 section 3, RFC 8725 section 3.1).
  | 'alg-missing'
  | 'alg-not-asymmetric'
  | 'alg-undeclared'
  | 'alg-of-key'
  | 'jwks'
  | 'kid-missing'
  | 'kid-unknown'
  | 'kid-ambiguous'
  | 'key-type'
  | 'key-use'
  | 'key-operations'
  | 'key-weak'
  | 'key-invalid'
  | 'signature-size'
  | 'signature'
  // Claims against what was declared.
  | 'typ'
  | 'issuer'
  | 'audience-missing'
  | 'audience-undeclared'
  | 'exp-missing'
  | 'lifetime'
  // Times against the arrival.
  | 'expired'
  | 'iat-ahead'
  | 'nbf-ahead'

export interface TokenProblem {
  readonly kind: TokenProblemKind
  /** One clause in lower case, without token text. */
  readonly detail: string
}

/** What a gateway token must be; what was not declared is not judged. */
export interface TokenExpectation {
  readonly issuer?: string
  /** Must be in `aud`. */
  readonly audience?: string
  /** May be in `aud` too. */
  readonly alsoAudiences?: readonly string[]
  readonly algorithms?: readonly string[]
  /** When it arrived: seconds since the epoch by the clock of the gateway. */
  readonly nowSec: number
  readonly maxLifetimeSec?: number
  /** Media type, compared as RFC 7515 section 4.1.9 says. */
  readonly typ?: string
}

/** Where a gateway puts its token. */
export interface TokenPlace {
  readonly header: string
  /** Such as `Bearer`; absent: the value is the token alone. */
  readonly scheme?: string
}

/** A gateway token as verified; the parts that could be read are there, whatever is wrong with the rest. */
export interface VerifiedToken {
  readonly header?: JsonObject
  readonly claims?: JsonObject
  /** Empty: valid. */
  readonly problems: readonly TokenProblem[]
}

/** What can be wrong with a published JWKS. */
export type JwksProblemKind =
  // The document (RFC 7517 section 5, RFC 7518 section 6, RFC 8037 section 2).
  | 'not-json'
  | 'not-object'
  | 'duplicate-member'
  | 'too-deep'
  | 'keys'
  | 'key-type'
  | 'key-member'
  | 'key-encoding'
  // More octets than the number needs (RFC 7518 section 2, Base64urlUInt): every library takes it.
  | 'key-zeros'
  | 'key-weak'
  | 'key-invalid'
  // Members that must not be published (RFC 7517 section 9.2).
  | 'private-member'
  | 'symmetric-key'
  // Metadata (RFC 7517 sections 4.2 to 4.5).
  | 'kid-missing'
  | 'kid-repeated'
  | 'use'
  | 'key-operations'
  | 'alg-missing'
  | 'alg-of-key'

export interface JwksProblem {
  readonly kind: JwksProblemKind
  /** Position in `keys`; absent: the document. */
  readonly key?: number
  /** One clause in lower case, without key material. */
  readonly detail: string
}
