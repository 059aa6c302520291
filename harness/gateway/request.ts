import type { JsonObject } from '../model/json.ts'
import type { Headers } from './headers.ts'

/** Who called, as a policy established it. */
export interface User {
  /** Name of the consumer. */
  readonly sub: string
  /** Metadata of the consumer. */
  readonly data: JsonObject
}

/**
 * A request on its way through the policies. `headers` and `search` are what the origin will get: policies change
 * them. Everything else is as it came in.
 */
export interface GatewayRequest {
  /** UUID; also sent to the origin and given to the caller. */
  readonly id: string
  /** As it came, case and all. */
  readonly method: string
  /** Path of the target, undecoded, without its query. */
  readonly path: string
  /** Query with its question mark, or empty. */
  search: string
  /** Path of the route as the project declares it; empty before one is found. */
  readonly route: string
  readonly headers: Headers
  /** Values of the path parameters of the route, percent-decoded. */
  readonly params: Readonly<Record<string, string>>
  /** Address of the caller, by the declared trust in proxies. */
  readonly clientAddress: string
  /** Octets that the caller announced; undefined when it did not say (chunked), 0 when there is no body. */
  readonly contentLength: number | undefined
  /** Public URL of the gateway with the target as it came in. Never made from the Host header. */
  readonly url: string
  user: User | undefined
  /** Lines that any answer to this request gets, flat. */
  readonly answerLines: string[]
  /** Octets of body beyond which the request is answered with 413 in mid-stream; undefined: the limit of the gateway. */
  bodyLimit: number | undefined
  /**
   * For policies that count answers: told the status once the head of an answer is there, whoever gave it. Nobody is
   * told where the caller went away while the origin was at work.
   */
  readonly onStatus: ((status: number) => void)[]
}

/** The URL that the caller asked for, without what a policy took out of its query: a key may have stood there. */
export function urlOf({ url, search }: Pick<GatewayRequest, 'url' | 'search'>): string {
  const at = url.indexOf('?')
  return `${at < 0 ? url : url.slice(0, at)}${search}`
}

/** Tells the policies that count answers of the status, once. */
export function tellStatus({ onStatus }: GatewayRequest, status: number): void {
  if (onStatus.length === 0) return
  for (const told of onStatus.splice(0)) told(status)
}
