import type { Route } from './profile.ts'
import type { Token } from './token.ts'

/** Header lines in wire order; names keep their case and may repeat. */
export type HeaderLines = readonly (readonly [name: string, value: string])[]

/** One request to the implementation under test. Everything left out is as in the control. */
export interface Probe {
  /** Sent in the declared header with the declared scheme, unless `credentials` says otherwise. */
  readonly token?: Token
  /** Exact values of the token header, one line each; an empty list sends none. */
  readonly credentials?: readonly string[]
  /** Default: the first declared route. */
  readonly route?: Route
  readonly method?: string
  /** Query to add, without the question mark. */
  readonly query?: string
  /** Further header lines, sent as they are. */
  readonly headers?: HeaderLines
  readonly body?: string
  /** Request target exactly as it goes on the wire, in place of the route's. */
  readonly target?: string
  /** Milliseconds after which it counts as unanswered; default: the deadline of the run. */
  readonly withinMs?: number
  /** Connection to send it on; default: any. */
  readonly on?: Connection
}

/** One connection that stays open between requests. */
export interface Connection extends AsyncDisposable {
  /** False once either side has closed it. */
  readonly open: boolean
}

/** What went wrong below HTTP. */
export type TransportFailure = 'timeout' | 'reset' | 'unreachable' | 'malformed'

/**
 * What came back. `accepted`: 2xx with the marker; `refused`: 400, 401 or 403; `crashed`: 5xx or a transport
 * failure; `other`: any answer that is neither.
 */
export interface Answer {
  readonly outcome: 'accepted' | 'refused' | 'crashed' | 'other'
  /** HTTP status; 0 when none arrived. */
  readonly status: number
  readonly headers: HeaderLines
  /** All values of a header, by case-insensitive name. */
  readonly header: (name: string) => readonly string[]
  /** Body decoded as UTF-8, cut at 64 kB. */
  readonly body: string
  /** Identity that the origin echoed, where the profile says how to find it. */
  readonly subject?: string
  readonly failure?: TransportFailure
  /** The connection ended before the octets that the answer promised: known of raw sockets alone. */
  readonly cut?: boolean
  /** Milliseconds from the first octet sent to the last one received. */
  readonly ms: number
  /** Number of the connection that carried it: equal numbers prove the same socket. */
  readonly connection: number
}
