import type { IncomingHttpHeaders } from 'node:http'
import { Transform } from 'node:stream'
import type { TransformCallback } from 'node:stream'
import type { Dispatcher } from 'undici'
import { problem } from './reply.ts'
import type { Problem } from './reply.ts'
import type { Destination } from './settings.ts'
import type { Exchange, Exchanged, GatewayContext, GatewaySteps } from './steps.ts'

/** Redirects that are followed at most, where a handler follows them. */
const MOST_REDIRECTS = 5

const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** Methods that may be sent again: they ask for nothing to be done (RFC 9110 section 9.2.1). */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Faults of a connection that broke before an answer began, as an idle one may at any time (RFC 9112 section 9.3.1). */
const BROKEN = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

/** Raised in the body of a request that is larger than it may be. */
class TooLarge extends Error {}

/** Sends the request to the origin and its answer to the caller, both streaming. */
export function exchange(given: Exchange, steps: GatewaySteps, context: GatewayContext): Promise<Exchanged> {
  const isSafe = SAFE.has(given.request.method)
  const redirects = given.handler.followRedirects && isSafe ? MOST_REDIRECTS : 0
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
  const { steps, context, resolve } = means
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
  }
  origins.dispatch(options, new Relay(given, left.redirects > 0, steps, settle))
}

/** Takes the answer of an origin to the caller, piece by piece. A class, since one is made for every request. */
class Relay implements Dispatcher.DispatchHandler {
  readonly #given: Exchange
  readonly #follows: boolean
  readonly #steps: GatewaySteps
  readonly #resolve: (ended: Ended) => void
  #controller: Dispatcher.DispatchController | undefined
  #status = 0
  #location: URL | undefined

  constructor(given: Exchange, follows: boolean, steps: GatewaySteps, resolve: (ended: Ended) => void) {
    this.#given = given
    this.#follows = follows
    this.#steps = steps
    this.#resolve = resolve
    given.response.on('close', this.#gone)
  }

  readonly #gone = (): void => {
    if (!this.#given.response.writableFinished) this.#controller?.abort(new Error('The caller went away'))
  }

  #settle(ended: Ended): void {
    this.#given.response.off('close', this.#gone)
    this.#resolve(ended)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#given.response.destroyed) controller.abort(new Error('The caller went away'))
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
    if (this.#follows && REDIRECTS.has(statusCode) && typeof headers['location'] === 'string') {
      this.#location = locationOf(destination, headers['location'])
      if (this.#location) return
    }
    this.#status = statusCode
    for (const told of request.onStatus) told(statusCode)
    response.writeHead(statusCode, statusMessage ?? '', this.#steps.answer(textOf(controller.rawHeaders), this.#given))
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#location) return
    const { response } = this.#given
    if (response.write(chunk)) return
    controller.pause()
    response.once('drain', () => {
      controller.resume()
    })
  }

  onResponseEnd(): void {
    if (this.#location) {
      this.#settle({ location: this.#location })
      return
    }
    this.#given.response.end()
    this.#settle({ status: this.#status })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const { incoming, response } = this.#given
    const fault = faultOf(error)
    if (response.destroyed) this.#settle({ status: this.#status, fault: 'ERR_CALLER_GONE' })
    else if (response.headersSent) {
      // The caller must see that something is missing: never a clean end.
      response.destroy()
      this.#settle({ status: this.#status, fault })
    } else this.#settle({ problem: problemOf(fault), fault })
    incoming.unpipe()
  }
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
  incoming.on('aborted', () => {
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
