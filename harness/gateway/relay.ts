import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { readAway } from './linger.ts'
import { problem } from './reply.ts'
import type { Problem } from './reply.ts'
import { tellStatus } from './request.ts'
import type { Destination } from './settings.ts'
import type { Exchange, Exchanged, GatewayLimits, GatewaySteps } from './steps.ts'
import { join } from './upgrade.ts'

const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** Raised in the body of a request that is larger than it may be. */
export class TooLarge extends Error {
  readonly code = 'ERR_BODY_TOO_LARGE'
}

/** Raised where the body of an answer is in a transfer coding that was not asked for. */
class UnknownCoding extends Error {
  readonly code = 'ERR_TRANSFER_CODING'
}

/** Raised where an answer does not begin in time. */
class Late extends Error {
  readonly code = 'ERR_ANSWER_TIMEOUT'
}

const GONE = { status: 0, fault: 'ERR_CALLER_GONE' } as const

/** The origin changed to a protocol that nobody asked for. */
const NO_WEBSOCKET = 'ERR_NO_WEBSOCKET'

/** What one request to an origin came to; a location is to be followed. */
export type Relayed = Exchanged | { readonly location: URL }

/** What a relay is made of. */
export interface RelayMeans {
  readonly steps: GatewaySteps
  readonly limits: GatewayLimits
  readonly follows: boolean
  readonly body: Readable | null
}

/** Takes the answer of an origin to the caller, piece by piece. A class, since one is made for every request. */
export class Relay implements Dispatcher.DispatchHandler {
  readonly #given: Exchange
  readonly #means: RelayMeans
  readonly #resolve: (relayed: Relayed) => void
  #controller: Dispatcher.DispatchController | undefined
  #status = 0
  #location: URL | undefined
  /** Runs while the origin, or then the caller, is to take the next step. */
  #timer: NodeJS.Timeout | undefined

  constructor(given: Exchange, means: RelayMeans, resolve: (relayed: Relayed) => void) {
    this.#given = given
    this.#means = means
    this.#resolve = resolve
    given.response.on('close', this.#gone)
  }

  readonly #gone = (): void => {
    if (!this.#given.response.writableFinished) this.#controller?.abort(new Error('The caller went away'))
  }

  readonly #await = (): void => {
    if (this.#status > 0) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#controller?.abort(new Late('The origin took too long'))
    }, this.#means.limits.answerMs)
  }

  #settle(relayed: Relayed): void {
    this.#given.response.off('close', this.#gone)
    clearTimeout(this.#timer)
    this.#resolve(relayed)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#given.response.destroyed) controller.abort(new Error('The caller went away'))
    // The time is the origin's once it has the whole request.
    else if (this.#means.body) this.#means.body.once('end', this.#await)
    else this.#await()
  }

  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    _statusCode: number,
    headers: IncomingHttpHeaders,
    origin: Duplex,
  ): void {
    const { request, response, tunnel } = this.#given
    if (!tunnel || response.destroyed || headers.upgrade?.toLowerCase() !== 'websocket') {
      origin.destroy()
      this.#settle(response.destroyed ? GONE : { problem: problemOf(NO_WEBSOCKET), fault: NO_WEBSOCKET })
      return
    }
    const lines = this.#means.steps.answer(textOf(controller.rawHeaders), this.#given)
    response.writeHead(101, [...withoutLength(lines), 'Connection', 'Upgrade', 'Upgrade', 'websocket'])
    response.flushHeaders()
    response.detachSocket(tunnel.socket)
    join(tunnel, origin, this.#means.limits)
    tellStatus(request, 101)
    this.#settle({ status: 101 })
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: IncomingHttpHeaders,
    statusMessage?: string,
  ): void {
    // Interim answers are between two neighbours; 103 is a hint that may be dropped (RFC 9110 section 15.2).
    if (statusCode < 200) return
    clearTimeout(this.#timer)
    const { request, response, destination } = this.#given
    const coding = headers['transfer-encoding']
    // What else the body was put into would be lost with the line that says so (RFC 9112 section 7).
    if (coding !== undefined && !/^chunked$/iu.test(coding)) throw new UnknownCoding()
    if (this.#means.follows && REDIRECTS.has(statusCode) && typeof headers['location'] === 'string') {
      this.#location = locationOf(destination, headers['location'])
      if (this.#location) return
    }
    const lines = this.#means.steps.answer(textOf(controller.rawHeaders), this.#given)
    response.writeHead(statusCode, reasonOf(statusMessage), statusCode === 204 ? withoutLength(lines) : lines)
    this.#status = statusCode
    tellStatus(request, statusCode)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#location) return
    const { response } = this.#given
    if (response.write(chunk)) return
    controller.pause()
    // A caller that does not read would hold its place at the origin for ever.
    this.#timer = setTimeout(() => {
      response.destroy()
    }, this.#means.limits.idleMs)
    response.once('drain', () => {
      clearTimeout(this.#timer)
      controller.resume()
    })
  }

  onResponseEnd(): void {
    if (this.#location) {
      this.#settle({ location: this.#location })
      return
    }
    const { incoming, response } = this.#given
    response.end()
    // The origin did not wait for the rest of the body.
    if (!incoming.complete) readAway(incoming, this.#means.limits.lingerMs)
    this.#settle({ status: this.#status })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const { incoming, response } = this.#given
    const fault = faultOf(error)
    if (response.destroyed) this.#settle({ ...GONE, status: this.#status })
    else if (response.headersSent) {
      breakOff(response)
      this.#settle({ status: this.#status, fault })
    } else this.#settle({ problem: problemOf(fault), fault })
    incoming.unpipe()
  }
}

/** The caller must see that something is missing: never a clean end, also where only the end of the connection is one. */
function breakOff(response: ServerResponse): void {
  if (response.req.httpVersionMinor === 0) response.socket?.resetAndDestroy()
  response.destroy()
}

/** A reason in another script is left out: none is needed, and nobody may act upon one (RFC 9112 section 4). */
function reasonOf(text = ''): string {
  return /\P{ASCII}/u.test(text) ? '' : text
}

/** Lines of an answer that has no body, and so no length either (RFC 9110 section 8.6). */
function withoutLength(lines: readonly string[]): string[] {
  return lines.filter((_, at) => lines[at - (at % 2)]?.toLowerCase() !== 'content-length')
}

/** Header lines as text, flat. */
function textOf(raw: unknown): string[] {
  if (!Array.isArray(raw)) return []
  return raw.map((part: Buffer | string) => (typeof part === 'string' ? part : part.toString('latin1')))
}

/** Code of what went wrong, for logs. */
function faultOf(error: Error): string {
  if ('code' in error && typeof error.code === 'string') return error.code
  if (error.cause instanceof Error) return faultOf(error.cause)
  return error.name
}

const LATE = new Set([
  'ERR_ANSWER_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
])

/** The refusal that stands for a fault on the way to the origin (RFC 9110 sections 15.6.3 and 15.6.5). */
function problemOf(fault: string): Problem {
  if (fault === 'ERR_BODY_TOO_LARGE') return problem(413, { detail: 'The body is too large', close: true })
  return LATE.has(fault)
    ? problem(504, { detail: 'The origin took too long' })
    : problem(502, { detail: 'The origin did not answer' })
}

function locationOf({ origin, target }: Destination, location: string): URL | undefined {
  if (!URL.canParse(location, `${origin}${target}`)) return undefined
  const url = new URL(location, `${origin}${target}`)
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined
}
