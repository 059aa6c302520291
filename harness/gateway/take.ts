import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Admission, Release } from './admission.ts'
import { hasBody } from './admit.ts'
import type { BuiltIns } from './built-in.ts'
import type { Connections } from './connections.ts'
import { isPreflight, preflight } from './cors.ts'
import { Headers } from './headers.ts'
import { problem } from './reply.ts'
import type { Verdict } from './reply.ts'
import { tellStatus } from './request.ts'
import type { GatewayRequest } from './request.ts'
import { canonical } from './routing.ts'
import { send } from './send.ts'
import type { Exchanged, GatewayContext, GatewaySteps, Outcome, Route, Tunnel } from './steps.ts'

/** What requests are taken through with. */
export interface Parts {
  readonly context: GatewayContext
  readonly steps: GatewaySteps
  readonly builtIns: BuiltIns
  readonly admission: Admission
  readonly connections: Connections
}

/** What a request asks for besides an answer. */
export interface Wishes {
  /** Its caller sends the body once it is told to (RFC 9110 section 10.1.1). */
  readonly continues: boolean
  /** Its connection, where that is to leave HTTP. */
  readonly tunnel: Tunnel | undefined
}

const BUSY = problem(503, { detail: 'The gateway is busy', headers: [['Retry-After', '1']] })

/** Takes one request through; whatever is thrown on the way is answered with 500 and never reaches an origin. */
export function take(
  gateway: Parts,
  incoming: IncomingMessage,
  response: ServerResponse,
  { continues, tunnel }: Wishes,
): void {
  const started = performance.now()
  const { context, steps, admission, connections } = gateway
  const headers = new Headers(incoming.rawHeaders)
  const request = blank(gateway, incoming, headers)
  let route: Route | undefined
  let isDone = false
  const done = (status: number, by: Outcome['by'], fault: string | undefined): void => {
    if (isDone) return
    isDone = true
    if (tunnel) connections.decided(tunnel.socket, status === 101)
    steps.record(request, route, { status, by, fault, ms: performance.now() - started })
  }
  const reply = (verdict: Verdict, fault?: string): void => {
    done(send(gateway, response, verdict, request, route), 'gateway', fault)
  }
  const failed = (error: unknown): void => {
    context.services.report({ event: 'request-failed', requestId: request.id, error: nameOf(error) })
    try {
      // Whatever a policy wanted in the answer may be the reason.
      request.answerLines.length = 0
      if (!response.headersSent) {
        reply(problem(500), 'ERR_GATEWAY')
        return
      }
    } catch (again) {
      context.services.report({ event: 'request-failed', requestId: request.id, error: nameOf(again) })
    }
    response.destroy()
    done(0, 'gateway', 'ERR_GATEWAY')
  }
  const gone = (): void => {
    // Nothing was asked of an origin, as with a refusal.
    tellStatus(request, BUSY.problem)
    done(0, 'gateway', 'ERR_CALLER_GONE')
  }
  const ended = (exchanged: Exchanged): void => {
    if ('problem' in exchanged) {
      reply(exchanged.problem, exchanged.fault)
      return
    }
    done(exchanged.status, 'origin', exchanged.fault)
  }
  const forward = (found: Route, release: Release): void => {
    let exchanged: Promise<Exchanged>
    try {
      const { handler, cors } = found
      const destination = handler.destination(request)
      if ('problem' in destination) {
        release()
        reply(destination)
        return
      }
      if (continues) response.writeContinue()
      const lines = steps.outgoing(request, destination, context)
      exchanged = steps.exchange(
        { request, incoming, response, destination, handler, lines, cors, tunnel },
        steps,
        context,
      )
    } catch (error) {
      release()
      throw error
    }
    const settled = exchanged.then((value) => {
      release()
      ended(value)
    })
    settled.catch((error: unknown) => {
      release()
      failed(error)
    })
  }
  const admitted = (found: Route, release: Release | undefined): void => {
    if (response.destroyed) {
      release?.()
      gone()
    } else if (release) forward(found, release)
    else reply(BUSY, 'ERR_OVERLOADED')
  }
  const judged = (found: Route, refusal: Verdict | undefined): void => {
    if (refusal !== undefined) {
      reply(refusal)
      return
    }
    if (tunnel && !connections.reserve(tunnel.socket, context.limits.tunnels)) {
      reply(BUSY, 'ERR_OVERLOADED')
      return
    }
    const place = admission.enter()
    if (typeof place === 'object') {
      response.once('close', place.leave)
      place.admitted.then((release) => admitted(found, release)).catch(failed)
    } else admitted(found, place)
  }
  // Nothing waits that need not: most requests pass all of this in one turn.
  try {
    const settled = locate(gateway, incoming, headers, request)
    if (settled instanceof Promise) {
      if (continues) response.writeContinue()
      settled.then((verdict) => reply(verdict)).catch(failed)
    } else if (isVerdict(settled)) reply(settled)
    else {
      const found = settled.route
      route = found
      const verdict = steps.inbound(found, request, incoming)
      if (verdict instanceof Promise) verdict.then((refusal) => judged(found, refusal)).catch(failed)
      else judged(found, verdict)
    }
  } catch (error) {
    failed(error)
  }
}

/** Answers a request whose expectation nobody knows (RFC 9110 section 10.1.1). */
export function refuseExpectation(gateway: Parts, incoming: IncomingMessage, response: ServerResponse): void {
  const started = performance.now()
  const request = blank(gateway, incoming, new Headers(incoming.rawHeaders))
  const status = send(gateway, response, problem(417, { close: true }), request, undefined)
  gateway.steps.record(request, undefined, { status, by: 'gateway', ms: performance.now() - started })
}

/** The route of a request, or what it is answered with: a refusal, a preflight, a document of the gateway itself. */
function locate(
  { context, steps, builtIns }: Parts,
  incoming: IncomingMessage,
  headers: Headers,
  request: Settling,
): { readonly route: Route } | Verdict | Promise<Verdict> {
  const target = steps.admit(incoming, headers, context)
  if ('problem' in target) return target
  request.path = target.path
  request.search = target.search
  request.clientAddress = steps.clientAddress(incoming, headers, context)
  const path = canonical(target.path)
  const own = builtIns.answer(path, incoming, headers)
  if (own) return own
  if (isPreflight(incoming)) return preflight(incoming, context.table.at(path)) ?? problem(404)
  const match = steps.route(context.table, request.method, path)
  if (!match) return problem(404)
  request.params = match.params
  request.route = match.route.path.pattern
  request.url = `${context.publicUrl}${target.path}${target.search}`
  const length = headers.get('content-length')
  request.contentLength = length === undefined ? (hasBody(headers) ? undefined : 0) : Number(length)
  if (request.contentLength !== undefined && request.contentLength > context.limits.bodyOctets) {
    return problem(413, { detail: 'The body is too large', close: true })
  }
  steps.clean(headers, match.route.credentials, context.managed)
  return { route: match.route }
}

/** A request while it is being taken apart. */
type Settling = { -readonly [Member in keyof GatewayRequest]: GatewayRequest[Member] }

function blank({ context }: Parts, incoming: IncomingMessage, headers: Headers): Settling {
  return {
    id: randomUUID(),
    method: incoming.method ?? '',
    path: '/',
    search: '',
    route: '',
    headers,
    params: {},
    clientAddress: '',
    contentLength: 0,
    url: context.publicUrl,
    user: undefined,
    answerLines: [],
    bodyLimit: undefined,
    onStatus: [],
  }
}

function isVerdict(value: object): value is Verdict {
  return 'status' in value || 'problem' in value
}

function nameOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return error instanceof Error ? error.name : 'unknown'
}
