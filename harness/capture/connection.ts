import type { Socket } from 'node:net'
import type { Clock } from '../clock/clock.ts'
import type { Answering, Framing } from '../model/capture.ts'
import { answer, upgrades } from './answer.ts'
import type { After } from './answer.ts'
import { Recorded } from './arrival.ts'
import { readChunks, readContent } from './chunks.ts'
import { extentOf, lengthAnomalies } from './framing.ts'
import type { Extent } from './framing.ts'
import { parseHead } from './head.ts'
import type { CaptureJournal } from './journal.ts'
import { planOf } from './programmes.ts'
import type { Plan, Programmes } from './programmes.ts'
import { findHeadEnd, Source } from './source.ts'
import { reset, send } from './wire.ts'
import type { Wire } from './wire.ts'

/** Octets of a head that are read and kept. */
export const MOST_HEAD_OCTETS = 2 * 1024 * 1024

/** Requests that are read ahead of the answer to the first of them. */
const MOST_PIPELINED = 100

/** Milliseconds that a client has to close a connection that we have ended. */
const LINGER_MS = 1_000

/** What the connections of a capture origin share. */
export interface Context {
  readonly name: string
  readonly marker: string
  readonly clock: Clock
  readonly journal: CaptureJournal
  readonly programmes: Programmes
  readonly framing: () => Framing
}

const REFUSAL = 'The capture origin refused this request.\n'
const refusal = (status: number): Answering => ({ status, body: REFUSAL, close: true })

/** Reads and answers the requests of one connection until it ends. */
export async function converse(socket: Socket, number: number, context: Context): Promise<void> {
  const gone = new AbortController()
  const ended = new AbortController()
  socket.once('close', () => {
    gone.abort()
  })
  socket.once('end', () => {
    ended.abort()
  })
  // A client that goes away in the middle is what many cases are about: the close tells of it.
  socket.on('error', () => undefined)
  const wire: Wire = { socket, gone: gone.signal, ended: ended.signal }
  await new Conversation(wire, new Source(socket), number, context).run()
}

/** What is done behind a request: read the next one, or nothing. */
type Next = 'next' | 'end'

class Conversation {
  readonly #wire: Wire
  readonly #source: Source
  readonly #number: number
  readonly #context: Context
  /** What the connection is good for behind the answers so far: they leave in the order of the requests. */
  #answered: Promise<After> = Promise.resolve('kept')
  #unanswered = 0
  #turn = 0
  #inHead = true

  constructor(wire: Wire, source: Source, number: number, context: Context) {
    this.#wire = wire
    this.#source = source
    this.#number = number
    this.#context = context
  }

  async run(): Promise<void> {
    const { watch } = this.#context.journal
    const unwatch = watch(this.#number, () => (this.#inHead ? this.#source.waiting : Buffer.alloc(0)))
    while ((await this.#one()) === 'next') if (this.#unanswered >= MOST_PIPELINED) await this.#answered
    const rest = Buffer.from(this.#source.waiting)
    if (this.#inHead && rest.length > 0) watch(this.#number, () => rest)
    else unwatch()
    await this.#answered
    this.#finish()
  }

  /** Ends the connection, and gives the client a moment to end its half. */
  #finish(): void {
    const { socket } = this.#wire
    if (this.#source.discarding) return
    this.#source.discard()
    socket.end()
    if (socket.destroyed) return
    const linger = setTimeout(() => {
      socket.destroy()
    }, LINGER_MS)
    socket.once('close', () => {
      clearTimeout(linger)
    })
  }

  /** Reads one request and has it answered. */
  async #one(): Promise<Next> {
    this.#inHead = true
    const end = await findHeadEnd(this.#source, MOST_HEAD_OCTETS)
    if (end === 'end') return 'end'
    this.#inHead = false
    const octets = this.#source.take(end === 'too-large' ? MOST_HEAD_OCTETS : end)
    const framing = this.#context.framing()
    const head = parseHead(octets)
    const lengths = lengthAnomalies(head)
    const extent: Extent = end === 'too-large' ? { kind: 'none' } : extentOf(head, framing)
    this.#turn += 1
    const { journal, clock, name: origin } = this.#context
    const occasion = { origin, sequence: journal.next(), connection: this.#number, turn: this.#turn, readAs: framing }
    const times = { atMs: clock.nowMs(), monotonicMs: performance.now() }
    const arrival = new Recorded({ ...occasion, ...times }, octets, head, extent, lengths)
    if (end === 'too-large') arrival.found('head-too-large')
    const leave = journal.add(arrival)
    return await this.#receive(arrival, extent, framing, leave)
  }

  async #receive(arrival: Recorded, extent: Extent, framing: Framing, leave: () => void): Promise<Next> {
    const refused = statusOfRefusal(arrival, framing)
    if (refused !== undefined) {
      arrival.state = 'cut'
      this.#answer(arrival, planOf(refusal(refused)), leave)
      return 'end'
    }
    const plan = this.#context.programmes.choose(arrival)
    if (plan.answering.fault === 'reset-unread') {
      arrival.state = 'cut'
      // The answers in front are owed first.
      if ((await this.#answered) === 'kept' && reset(this.#wire)) plan.served()
      leave()
      return 'end'
    }
    if (expects(arrival) && !(await this.#invite(arrival, plan, leave))) return 'end'
    const whole = await this.#readBody(arrival, extent, framing)
    arrival.state = whole ? 'whole' : 'cut'
    if (!whole) {
      const status = statusOfRefusal(arrival, framing)
      if (status !== undefined) this.#answer(arrival, planOf(refusal(status)), leave)
      else {
        if (!this.#source.discarding) arrival.found('early-end')
        leave()
      }
      return 'end'
    }
    this.#answer(arrival, arrival.method === 'CONNECT' ? planOf(refusal(405)) : plan, leave)
    if (!upgrades(plan.answering, arrival)) return 'next'
    return (await this.#answered) === 'tunnel' ? await this.#tunnel(arrival) : 'end'
  }

  /** Tells a client that waits for it to send the body (RFC 9110 section 10.1.1); false where it is told not to. */
  async #invite(arrival: Recorded, { answering, served }: Plan, leave: () => void): Promise<boolean> {
    if (answering.expectation === 'refuse') {
      arrival.state = 'cut'
      this.#answer(arrival, { ...planOf(refusal(417)), served }, leave)
      return false
    }
    if (answering.expectation === 'ignore' || this.#source.length > 0) return true
    if ((await this.#answered) === 'kept' && (await send(this.#wire, 'HTTP/1.1 100 Continue\r\n\r\n'))) return true
    arrival.state = 'cut'
    leave()
    return false
  }

  #readBody(arrival: Recorded, extent: Extent, framing: Framing): Promise<boolean> {
    if (extent.kind === 'content-length') return readContent(this.#source, extent.length, arrival.content)
    if (extent.kind === 'chunked') return readChunks(this.#source, framing, arrival)
    return Promise.resolve(true)
  }

  #answer(arrival: Recorded, plan: Plan, leave: () => void): void {
    const before = this.#answered
    this.#unanswered += 1
    this.#answered = (async () => {
      try {
        const connection = await before
        if (connection !== 'kept') return connection
        const after = await answer(this.#wire, arrival, plan, this.#context.marker)
        if (after === 'closed') this.#finish()
        return after
      } finally {
        this.#unanswered -= 1
        leave()
      }
    })()
  }

  async #tunnel(arrival: Recorded): Promise<Next> {
    do arrival.tunnel(this.#source.take(this.#source.length))
    while (await this.#source.more())
    return 'end'
  }
}

function expects(arrival: Recorded): boolean {
  return (
    arrival.version === 'HTTP/1.1' &&
    arrival.body.framing !== 'none' &&
    arrival.header('expect').some((value) => value.toLowerCase() === '100-continue')
  )
}

/** Status with which a request is refused because of its head. */
function statusOfRefusal({ anomalies }: Recorded, framing: Framing): number | undefined {
  if (anomalies.includes('head-too-large')) return 431
  return framing === 'strict' && anomalies.some((anomaly) => anomaly !== 'leading-empty-line') ? 400 : undefined
}
