import type { Json, JsonObject } from './json.ts'
import type { HeaderLines } from './http.ts'
import type { SigningKey } from './token.ts'

/** One scripted answer of an endpoint of the issuer; what is left out is as in the ordinary answer. */
export interface IssuerResponse {
  /** Name in the journal; default `scripted`. */
  readonly name?: string
  /** JSON document; default: the ordinary one of the endpoint. */
  readonly document?: Json
  /** Body as text or octets, in place of a document. */
  readonly body?: string | Uint8Array
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Milliseconds before the first octet. */
  readonly delayMs?: number
  /** Milliseconds between the octets of the body. */
  readonly dripMs?: number
  /** Sends nothing and keeps the connection open. */
  readonly hang?: boolean
  /** Closes with RST. */
  readonly reset?: boolean
  /** Closes without an answer. */
  readonly refuse?: boolean
  /** Promises more octets than it sends. */
  readonly truncate?: boolean
  /** Body without an end, up to 64 MiB. */
  readonly endless?: boolean
  /** White space, in octets, that the body begins with. */
  readonly padding?: number
  /** Compresses the body with gzip, whether or not the client asked for it. */
  readonly gzip?: boolean
  /** Location of a redirect; `canary` is the second listener. */
  readonly redirect?: string
  /** Answers with ETag, and 304 to a request that has it. */
  readonly etag?: boolean
  /** Served again and again until disposed. */
  readonly sticky?: boolean
}

/** A request for the JWKS or the metadata, as the issuer saw it. */
export interface Fetch {
  /** Request target exactly as received. */
  readonly target: string
  readonly headers: HeaderLines
  /** What was served: `document`, `not-modified`, or the name of the fault. */
  readonly served: string
}

/**
 * The JWKS of the issuer in the hands of one case, which runs alone. The ordinary keys stay published unless
 * `serve` replaces the document; whatever was changed is undone when the case ends.
 */
export interface JwksBench {
  /** Publishes these keys behind the ordinary ones, in place of what the case published earlier. */
  readonly publish: (...keys: readonly SigningKey[]) => void
  /** Takes one of the ordinary keys away. */
  readonly withdraw: (key: SigningKey) => void
  /** What is published now, with these behind it, as JWKs: to build documents from. */
  readonly keys: (...extra: readonly JsonObject[]) => readonly JsonObject[]
  /** Answers every fetch like this from now on; undefined: ordinary again. */
  readonly serve: (response: IssuerResponse | undefined, endpoint?: 'jwks' | 'discovery') => void
  /** How often the last answer given to `serve` was really served. */
  readonly served: () => number
  /** Waits until the last answer given to `serve` was served, at most a second; tells whether it was. */
  readonly untilServed: () => Promise<boolean>
  /** Begins a new count of fetches. */
  readonly mark: () => void
  /** Fetches of the JWKS since `mark`, or since the case began. */
  readonly fetches: () => readonly Fetch[]
  /** Every request to the issuer in the run so far. */
  readonly all: () => readonly Fetch[]
  /** A key that no token was signed with and that was never published under this kid; `kid` default: a nonce. */
  readonly newKey: (options?: { readonly like?: SigningKey; readonly kid?: string }) => SigningKey
  /** Lets the declared cooldown pass since the last fetch, so that an unknown kid may cause the next one. */
  readonly cooldown: () => Promise<void>
  /** Lets the declared age of the cache pass since the last fetch. */
  readonly expire: () => Promise<void>
  /** Leaves the origin without usable keys: ages its cache beyond any use, or starts it again. */
  readonly coldStart: () => Promise<void>
  /** Stops and starts the origin. */
  readonly restart: () => Promise<void>
  /** Makes the origin fetch the JWKS before it next uses it, by whichever means there is. */
  readonly renew: () => Promise<void>
  /**
   * Ends every fault and lets the origin come back without a restart; false where it has not, and nothing tells how
   * long it may take: then its recovery cannot be judged.
   */
  readonly recover: () => Promise<boolean>
}
