import type { Socket } from 'node:net'

/** Octets that are buffered before the socket is paused. */
const HIGH_WATER = 1024 * 1024

const EMPTY = Buffer.alloc(0)

/** Octets of a socket, taken at the reader's pace. */
export class Source {
  readonly #socket: Socket
  #held: Buffer = EMPTY
  #ended = false
  #discarding = false
  #wake: () => void = () => undefined

  constructor(socket: Socket) {
    this.#socket = socket
    const end = (): void => {
      this.#ended = true
      this.#wake()
    }
    socket.on('data', (chunk: Buffer) => {
      if (this.#discarding) return
      this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
      if (this.#held.length > HIGH_WATER) socket.pause()
      this.#wake()
    })
    socket.once('end', end).once('close', end)
  }

  /** Octets that wait to be taken. */
  get length(): number {
    return this.#held.length
  }

  /** What waits, without taking it. */
  get waiting(): Buffer {
    return this.#held
  }

  /** Waits for more octets; false when none will come. */
  async more(): Promise<boolean> {
    if (this.#ended) return false
    const before = this.#held.length
    this.#socket.resume()
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    return this.#held.length > before
  }

  /** Takes at most that many of the octets that wait. */
  take(count: number): Buffer {
    const taken = this.#held.subarray(0, count)
    this.#held = this.#held.length > count ? this.#held.subarray(count) : EMPTY
    return taken
  }

  /** Ends the reading, and lets whatever still comes go by, so that a close is not a reset. */
  discard(): void {
    this.#discarding = true
    this.#ended = true
    this.#held = EMPTY
    this.#socket.resume()
    this.#wake()
  }

  /** Whether it was we who ended the reading. */
  get discarding(): boolean {
    return this.#discarding
  }
}

const LF = 0x0a
const CR = 0x0d

/** Where a head ends: behind its first empty line that is not in front of it. */
export async function findHeadEnd(source: Source, limit: number): Promise<number | 'end' | 'too-large'> {
  let lineAt = 0
  let from = 0
  let begun = false
  for (;;) {
    const end = source.waiting.indexOf(LF, from)
    if (end < 0 || end >= limit) {
      if (source.length > limit) return 'too-large'
      from = source.length
      if (!(await source.more())) return 'end'
      continue
    }
    const empty = end === lineAt || (end === lineAt + 1 && source.waiting[lineAt] === CR)
    lineAt = end + 1
    from = lineAt
    if (empty && begun) return lineAt
    begun ||= !empty
  }
}

/** Takes a line with its end; undefined when the connection ends before it or it is longer than the limit. */
export async function takeLine(source: Source, limit: number, ends: '\n' | '\r\n' = '\n'): Promise<Buffer | undefined> {
  let from = 0
  for (;;) {
    const end = source.waiting.indexOf(ends, from, 'latin1')
    if (end >= 0 && end < limit) return source.take(end + ends.length)
    if (source.length > limit) return undefined
    // The last octet may be the first half of the end.
    from = Math.max(0, source.length - 1)
    if (!(await source.more())) return undefined
  }
}
