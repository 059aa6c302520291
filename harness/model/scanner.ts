import type { Answer, HeaderLines } from './http.ts'

/** What a secret scanner found: one member of the list that it sends. */
interface Match {
  readonly token: string
  readonly type: string
  readonly url?: string
  readonly source?: string
}

/** A match of the declared type, unless it says otherwise. */
export type OwnMatch = Omit<Match, 'type'> & { readonly type?: string }

/** How the list of public keys is answered. */
export interface KeyListAnswer {
  /** Default 200. */
  readonly status?: number
  /** Default: the keys as they are. */
  readonly body?: string
  /** `hang`: never answered; `reset`: the connection is cut. */
  readonly fault?: 'hang' | 'reset'
}

/** A signing key of the scanner. */
export interface ScannerKey {
  /** `Github-Public-Key-Identifier`. */
  readonly identifier: string
  /** ECDSA P-256 with SHA-256 over the octets, DER, base64. */
  readonly sign: (octets: string | Uint8Array) => string
}

/** A secret scanner, as GitHub's partner programme describes it: signs alerts, publishes its public keys. */
export interface ScannerBench {
  /** In the list from the start. */
  readonly key: ScannerKey
  /** A new key, in the list only once it is published. */
  readonly newKey: () => ScannerKey
  readonly publish: (key: ScannerKey) => void
  /** Answers the list like this until disposed. */
  readonly serve: (answer: KeyListAnswer) => Disposable & { readonly served: () => number }
  /** How often the list was fetched so far. */
  readonly fetches: () => number
  /** JSON of the matches. */
  readonly bodyOf: (...matches: OwnMatch[]) => string
  /** The two header lines of an alert with this body. */
  readonly headersFor: (body: string | Uint8Array, key?: ScannerKey) => HeaderLines
  /** Posts to the receiver with exactly these lines; default: signed as it should be. */
  readonly post: (body: string | Uint8Array, stimulus: string, headers?: HeaderLines) => Promise<Answer>
}
