import type { Anomaly, Arrival, CapturedBody } from '../model/capture.ts'
import type { HeaderLines } from '../model/http.ts'
import type { BodySink } from './chunks.ts'
import type { Extent } from './framing.ts'
import { valuesOf } from './head.ts'
import type { Head } from './head.ts'

/** Octets of a body, of its raw form and of a tunnel that are kept, each. */
export const KEPT_OCTETS = 1024 * 1024

/** Where and when a request arrived. */
export type Occasion = Pick<Arrival, 'origin' | 'sequence' | 'connection' | 'turn' | 'atMs' | 'monotonicMs' | 'readAs'>

const EMPTY = Buffer.alloc(0)

/** Copies of octets, up to the limit. */
class Kept {
  #parts: Buffer[] = []
  #length = 0
  total = 0

  add(octets: Buffer): void {
    this.total += octets.length
    const kept = octets.subarray(0, KEPT_OCTETS - this.#length)
    if (kept.length === 0) return
    // A copy: the octets of a socket are a window of a larger block, which would be kept whole.
    this.#parts.push(Buffer.from(kept))
    this.#length += kept.length
  }

  get octets(): Buffer {
    if (this.#parts.length > 1) this.#parts = [Buffer.concat(this.#parts)]
    return this.#parts[0] ?? EMPTY
  }
}

/** The record of one request while it is made; cases see it as an `Arrival`. */
export class Recorded implements Arrival, BodySink {
  readonly origin: string
  readonly sequence: number
  readonly connection: number
  readonly turn: number
  readonly atMs: number
  readonly monotonicMs: number
  readonly readAs: Arrival['readAs']
  readonly head: Uint8Array
  readonly method: string
  readonly target: string
  readonly version: string
  readonly headers: HeaderLines
  readonly lines: readonly string[]
  state: Arrival['state'] = 'reading'
  status = 0
  readonly #framing: CapturedBody['framing']
  readonly #anomalies: Set<Anomaly>
  readonly #content = new Kept()
  readonly #raw = new Kept()
  readonly #tunnelled = new Kept()
  /** The head in lower case, ISO 8859-1: thousands of heads are searched for thousands of nonces. */
  readonly #folded: string
  #trailers: HeaderLines = []

  constructor(occasion: Occasion, octets: Buffer, head: Head, extent: Extent, anomalies: readonly Anomaly[]) {
    this.origin = occasion.origin
    this.sequence = occasion.sequence
    this.connection = occasion.connection
    this.turn = occasion.turn
    this.atMs = occasion.atMs
    this.monotonicMs = occasion.monotonicMs
    this.readAs = occasion.readAs
    this.head = Uint8Array.from(octets)
    this.#folded = octets.toString('latin1').toLowerCase()
    this.method = head.method
    this.target = head.target
    this.version = head.version
    this.headers = head.headers
    this.lines = head.lines
    this.#framing = extent.kind
    this.#anomalies = new Set([...head.anomalies, ...anomalies])
  }

  /** Whether the nonce is in the head, in any case of letters. */
  isFor(nonce: string): boolean {
    return this.#folded.includes(nonce.toLowerCase())
  }

  /** Whether the nonce is behind the head, in any case of letters. */
  carries(nonce: string): boolean {
    return [this.#content, this.#raw, this.#tunnelled].some(({ octets }) => contains(octets, nonce))
  }

  readonly header = (name: string): readonly string[] => valuesOf(this.headers, name)

  get trailers(): HeaderLines {
    return this.#trailers
  }

  get anomalies(): readonly Anomaly[] {
    return [...this.#anomalies]
  }

  get body(): CapturedBody {
    const { octets, total } = this.#content
    return { framing: this.#framing, octets, raw: this.#raw.octets, total }
  }

  get tunnelled(): Uint8Array {
    return this.#tunnelled.octets
  }

  readonly content = (octets: Buffer): void => {
    this.#content.add(octets)
    this.#raw.add(octets)
  }

  readonly frame = (octets: Buffer): void => {
    this.#raw.add(octets)
  }

  readonly found = (anomaly: Anomaly): void => {
    this.#anomalies.add(anomaly)
  }

  readonly trailersRead = (trailers: HeaderLines): void => {
    this.#trailers = trailers
  }

  readonly tunnel = (octets: Buffer): void => {
    this.#tunnelled.add(octets)
  }
}

function contains(octets: Buffer, nonce: string): boolean {
  if (octets.length < nonce.length) return false
  // As it was made is by far the most frequent spelling, and costs no copy.
  return octets.includes(nonce, 0, 'latin1') || octets.toString('latin1').toLowerCase().includes(nonce.toLowerCase())
}
