import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { Transform } from 'node:stream'
import type { Duplex, TransformCallback } from 'node:stream'
import type { Dispatcher } from 'undici'
import { readAway } from './linger.ts'
import { problem } from './reply.ts'
import type { Problem } from './reply.ts'
import { tellStatus } from './request.ts'
import type { Destination } from './settings.ts'
import type { Exchange, Exchanged, GatewayContext, GatewayLimits, GatewaySteps } from './steps.ts'
import { join } from './upgrade.ts'

/** Redirects that are followed at most, where a handler follows them. */
const MOST_REDIRECTS = 5

const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** Methods that may be sent again: they ask for nothing to be done (RFC 9110 section 9.2.1). */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Faults of a connection that broke before an answer began, as an idle one may at any time (RFC 9112 section 9.3.1). */
const BROKEN = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

/** Raised in the body of a request that is larger than it may be. */
class TooLarge extends Error {}

/** Raised where the body of an answer is in a transfer coding that was not asked for. */
class UnknownCoding extends Error {
  readonly code = 'ERR_TRANSFER_CODING'
}

const GONE = { status: 0, fault: 'ERR_CALLER_GONE' } as const

/** The origin changed to a protocol that nobody asked for. */
const NO_WEBSOCKET = 'ERR_NO_WEBSOCKET'

/** Sends the request to the origin and its answer to the caller, both streaming. */
export function exchange(given: Exchange, steps: GatewaySteps, context: GatewayContext): Promise<Exchanged> {
  const isSafe = SAFE.has(given.request.method)
  const redirects = given.handler.followRedirects && isSafe && !given.tunnel ? MOST_REDIRECTS : 0
  return new Promise((resolve) => {
    attempt(given, { retries: isSafe ? 1 : 0, redirects }, { steps, context, resolve })
  })
}

/** What may still be done for one request. */
interface Left {
  readonly retries: number
  readonly redirects: number
}

interface Means {
  readonly steps: GatewaySteps
  readonly context: GatewayContext
  readonly resolve: (ended: Exchanged) => void
}

/** What one request to an origin came to. */
type Ended = Exchanged | { readonly location: URL }

/** One request to one origin, and the next one if that is called for. No promises: this is done for every request. */
function attempt(given: Exchange, left: Left, means: Means): void {
  const { request, destination, lines } = given
  const { context, resolve } = means
  const { limits, origins } = context
  const settle = (ended: Ended): void => {
    if ('location' in ended) {
      attempt(redirected(given, ended.location, context), { ...left, redirects: left.redirects - 1 }, means)
    } else if ('problem' in ended && left.retries > 0 && BROKEN.has(ended.fault)) {
      attempt(given, { ...left, retries: left.retries - 1 }, means)
    } else resolve(ended)
  }
  const options: Dispatcher.DispatchOptions = {
    origin: destination.origin,
    path: destination.target,
    method: request.method,
    headers: lines,
    body: bodyOf(given, limits.bodyOctets),
    headersTimeout: limits.answerMs,
    bodyTimeout: limits.idleMs,
    ...(given.tunnel ? { upgrade: 'websocket' } : {}),
  }
  origins.dispatch(options, new Relay(given, left.redirects > 0, means, settle))
}

/** Takes the answer of an origin to the caller, piece by piece. A class, since one is made for every request. */
class Relay implements Dispatcher.DispatchHandler {
  readonly #given: Exchange
  readonly #follows: boolean
  readonly #steps: GatewaySteps
  readonly #limits: GatewayLimits
  readonly #resolve: (ended: Ended) => void
  #controller: Dispatcher.DispatchController | undefined
  #status = 0
  #location: URL | undefined
  #stalled: NodeJS.Timeout | undefined

  constructor(given: Exchange, follows: boolean, { steps, context }: Means, resolve: (ended: Ended) => void) {
    this.#given = given
    this.#follows = follows
    this.#steps = steps
    this.#limits = context.limits
    this.#resolve = resolve
    given.response.on('close', this.#gone)
  }

  readonly #gone = (): void => {
    if (!this.#given.response.writableFinished) this.#controller?.abort(new Error('The caller went away'))
  }

  #settle(ended: Ended): void {
    this.#given.response.off('close', this.#gone)
    clearTimeout(this.#stalled)
    this.#resolve(ended)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#given.response.destroyed) controller.abort(new Error('The caller went away'))
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
    const lines = this.#steps.answer(textOf(controller.rawHeaders), this.#given)
    response.writeHead(101, [...lines, 'Connection', 'Upgrade', 'Upgrade', 'websocket'])
    response.flushHeaders()
    response.detachSocket(tunnel.socket)
    join(tunnel, origin, this.#limits.lingerMs)
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
    const { request, response, destination } = this.#given
    const coding = headers['transfer-encoding']
    // What else the body was put into would be lost with the line that says so (RFC 9112 section 7).
    if (coding !== undefined && coding.toLowerCase() !== 'chunked') throw new UnknownCoding()
    if (this.#follows && REDIRECTS.has(statusCode) && typeof headers['location'] === 'string') {
      this.#location = locationOf(destination, headers['location'])
      if (this.#location) return
    }
    response.writeHead(statusCode, statusMessage ?? '', this.#steps.answer(textOf(controller.rawHeaders), this.#given))
    this.#status = statusCode
    tellStatus(request, statusCode)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#location) return
    const { response } = this.#given
    if (response.write(chunk)) return
    controller.pause()
    // A caller that does not read would hold its place at the origin for ever.
    this.#stalled = setTimeout(() => {
      response.destroy()
    }, this.#limits.idleMs)
    response.once('drain', () => {
      clearTimeout(this.#stalled)
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
    if (!incoming.complete) readAway(incoming, this.#limits.lingerMs)
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

/** The body to send, counted; null where there is none. */
function bodyOf({ request, incoming }: Exchange, limit: number): Transform | null {
  if (request.contentLength === 0) return null
  const most = Math.min(limit, request.bodyLimit ?? limit)
  let octets = 0
  // A stream of its own: undici destroys what it is given, and that must not be the caller's connection.
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, callback: TransformCallback) {
      octets += chunk.length
      if (octets > most) callback(new TooLarge('The body is larger than it may be'))
      else callback(null, chunk)
    },
  })
  // undici listens no more once the origin has answered.
  counted.on('error', () => undefined)
  incoming.once('aborted', () => {
    counted.destroy(new Error('The caller went away'))
  })
  return incoming.pipe(counted)
}

/** Header lines as text, flat. */
function textOf(raw: unknown): string[] {
  if (!Array.isArray(raw)) return []
  return raw.map((part: Buffer | string) => (typeof part === 'string' ? part : part.toString('latin1')))
}

/** Code of what went wrong, for logs. */
export function faultOf(error: Error): string {
  if (error instanceof TooLarge) return 'ERR_BODY_TOO_LARGE'
  if ('code' in error && typeof error.code === 'string') return error.code
  if (error.cause instanceof Error) return faultOf(error.cause)
  return error.name
}

/** The refusal that stands for a fault on the way to the origin (RFC 9110 sections 15.6.3 and 15.6.5). */
export function problemOf(fault: string): Problem {
  if (fault === 'ERR_BODY_TOO_LARGE') return problem(413, { detail: 'The body is too large', close: true })
  const late = ['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT'].includes(
    fault,
  )
  return late
    ? problem(504, { detail: 'The origin took too long' })
    : problem(502, { detail: 'The origin did not answer' })
}

function locationOf({ origin, target }: Destination, location: string): URL | undefined {
  if (!URL.canParse(location, `${origin}${target}`)) return undefined
  const url = new URL(location, `${origin}${target}`)
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined
}

/** Lines that a request takes to another origin: none in which anybody vouches for anybody. */
const TRUST = new Set(['authorization', 'cookie', 'proxy-authorization'])

function redirected(given: Exchange, url: URL, { managed }: GatewayContext): Exchange {
  const isSame = url.origin === given.destination.origin
  const lines: string[] = ['Host', url.host]
  for (let at = 0; at < given.lines.length; at += 2) {
    const name = (given.lines[at] ?? '').toLowerCase()
    const isTrust = TRUST.has(name) || managed.has(name)
    if (name !== 'host' && (isSame || !isTrust)) lines.push(given.lines[at] ?? '', given.lines[at + 1] ?? '')
  }
  return { ...given, lines, destination: { origin: url.origin, target: `${url.pathname}${url.search}` } }
}
