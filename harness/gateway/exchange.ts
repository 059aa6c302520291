import { Transform } from 'node:stream'
import type { TransformCallback } from 'node:stream'
import type { Dispatcher } from 'undici'
import { Relay, TooLarge } from './relay.ts'
import type { Relayed } from './relay.ts'
import type { Exchange, Exchanged, GatewayContext, GatewaySteps } from './steps.ts'

/** Redirects that are followed at most, where a handler follows them. */
const MOST_REDIRECTS = 5

/** Methods that may be sent again: they ask for nothing to be done (RFC 9110 section 9.2.1). */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Faults of a connection that broke before an answer began, as an idle one may at any time (RFC 9112 section 9.3.1). */
const BROKEN = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

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

/** One request to one origin, and the next one if that is called for. No promises: this is done for every request. */
function attempt(given: Exchange, left: Left, means: Means): void {
  const { request, destination, lines } = given
  const { steps, context, resolve } = means
  const { limits, origins } = context
  const settle = (ended: Relayed): void => {
    if ('location' in ended) {
      attempt(redirected(given, ended.location, context), { ...left, redirects: left.redirects - 1 }, means)
    } else if ('problem' in ended && left.retries > 0 && BROKEN.has(ended.fault)) {
      attempt(given, { ...left, retries: left.retries - 1 }, means)
    } else resolve(ended)
  }
  const body = bodyOf(given, limits.bodyOctets)
  const options: Dispatcher.DispatchOptions = {
    origin: destination.origin,
    path: destination.target,
    method: request.method,
    headers: lines,
    body,
    // For an origin that does not take the body: undici measures in half seconds, and the relay what comes after.
    headersTimeout: body ? limits.answerMs : 0,
    bodyTimeout: limits.idleMs,
    ...(given.tunnel ? { upgrade: 'websocket' } : {}),
  }
  origins.dispatch(options, new Relay(given, { steps, limits, follows: left.redirects > 0, body }, settle))
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
