import type { HeaderLines, TransportFailure } from '../model/http.ts'

/** Octets of a body that are kept; the rest is not read. */
export const BODY_LIMIT = 64 * 1024

/** One request as it goes on the wire. */
export interface WireRequest {
  readonly method: string
  /** Request target: path with query. */
  readonly target: string
  /** Host, Connection and Content-Length are the client's unless they are here. */
  readonly headers: HeaderLines
  readonly body?: string | Uint8Array
  /** Milliseconds that bound this request in place of the deadline of the client. */
  readonly withinMs?: number
  /** Sent on a raw socket of its own, as a request is whose header values no HTTP library would send. */
  readonly raw?: boolean
}

/** What came back, or what went wrong below HTTP. */
export interface WireAnswer {
  /** 0 when no answer arrived. */
  readonly status: number
  readonly headers: HeaderLines
  readonly body: string
  /** The connection ended before the octets that the answer promised: known of raw sockets alone. */
  readonly cut?: boolean
  readonly failure?: TransportFailure
  /** Code of the system or of undici behind `failure`. */
  readonly code?: string
  readonly ms: number
  /** Number of the socket; 0 when none was opened. */
  readonly connection: number
}

const REFUSED_TO_CONNECT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** Code of the error or of its causes; `unknown` when it has none. */
export function codeOf(error: unknown): string {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return at.code
    // The parser of undici names some of its errors by class alone.
    if (at.name === 'HTTPParserError') return 'HPE_UNKNOWN'
  }
  return 'unknown'
}

/** Names what a failed exchange looked like from outside. */
export function failureOf(code: string, timedOut: boolean): TransportFailure {
  if (timedOut) return 'timeout'
  if (REFUSED_TO_CONNECT.has(code) || code.startsWith('ERR_TLS') || code.includes('CERT')) return 'unreachable'
  return code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW' ? 'malformed' : 'reset'
}

/** Header lines of a flat list of names and values. */
export function headerLines(flat: readonly string[]): HeaderLines {
  const lines: [string, string][] = []
  for (let at = 0; at + 1 < flat.length; at += 2) lines.push([flat[at] ?? '', flat[at + 1] ?? ''])
  return lines
}
