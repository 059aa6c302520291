import { randomUUID } from 'node:crypto'
import http from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { Agent } from 'undici'
import { TrustspecError } from '../model/errors.ts'
import { createAdmission } from './admission.ts'
import type { Admission, Release } from './admission.ts'
import { admit, hasBody } from './admit.ts'
import { answer } from './answer.ts'
import type { BuiltIns } from './built-in.ts'
import { clientAddress } from './caller.ts'
import { clean } from './clean.ts'
import { corsLines, isPreflight, preflight } from './cors.ts'
import { exchange } from './exchange.ts'
import { Headers } from './headers.ts'
import { inbound } from './inbound.ts'
import { outgoing } from './outgoing.ts'
import { problem, replyOf } from './reply.ts'
import type { Problem, Reply, Verdict } from './reply.ts'
import type { GatewayRequest } from './request.ts'
import type { Exchanged, GatewayContext, GatewayLimits, GatewaySteps, Outcome, Route } from './steps.ts'
import { upgrade } from './upgrade.ts'

/** The steps of the reference gateway. */
export const referenceSteps: GatewaySteps = {
  admit,
  clientAddress,
  clean,
  route: (table, method, path) => table.find(method, path),
  inbound,
  outgoing,
  exchange,
  answer,
  refuse: replyOf,
  upgrade,
  record: () => undefined,
}

/** What an operator who says nothing gets. */
export const DEFAULT_LIMITS: GatewayLimits = {
  headerOctets: 32 * 1024,
  bodyOctets: 500 * 1024 * 1024,
  concurrency: 1_024,
  queue: 1_024,
  queueMs: 1_000,
  connectMs: 5_000,
  answerMs: 30_000,
  idleMs: 60_000,
  requestHeadMs: 15_000,
  requestMs: 300_000,
  stopMs: 10_000,
}

/** Milliseconds between two looks for requests that take too long to arrive. */
const LOOK_MS = 1_000

/** Connections that were told that they are closed: what still comes on them is answered by nobody. */
const closing = new WeakSet<Duplex>()

/** What a listening gateway is made of. */
export interface GatewayServerOptions {
  readonly limits: GatewayLimits
  readonly steps: GatewaySteps
  /** Makes what needs the address that the gateway listens at; until then requests are answered with 503. */
  readonly prepare: (
    url: string,
  ) => Promise<{ readonly context: Omit<GatewayContext, 'origins' | 'limits'>; readonly builtIns: BuiltIns }>
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
}

/** A gateway that listens. */
export interface GatewayServer extends AsyncDisposable {
  /** `http://host:port`. */
  readonly url: string
  readonly admission: Pick<Admission, 'active' | 'waiting'>
  /** Takes no new connections, answers what is open, and then ends. */
  readonly stop: () => Promise<void>
}

/** Listens and takes requests through the steps. */
export async function listen(options: GatewayServerOptions): Promise<GatewayServer> {
  const { limits, steps, prepare, host, port } = options
  const origins = new Agent({
    connect: { timeout: limits.connectMs },
    allowH2: false,
    pipelining: 1,
    connections: limits.concurrency,
    keepAliveTimeout: 4_000,
  })
  const admission = createAdmission(limits)
  const server = http.createServer({
    maxHeaderSize: limits.headerOctets,
    headersTimeout: limits.requestHeadMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: Math.min(LOOK_MS, limits.requestHeadMs),
    keepAliveTimeout: 65_000,
    // Host is judged with everything else, so that its absence is answered like any other refusal.
    requireHostHeader: false,
    noDelay: true,
    shouldUpgradeCallback: isWebSocket,
  })
  // Node drops header lines beyond the number that it is told, and says nothing: the octets are the limit.
  server.maxHeadersCount = 0
  const notReady = (_incoming: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(503, { 'retry-after': '1', connection: 'close' }).end()
  }
  server.on('request', notReady)
  server.on('clientError', onClientError)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? portInUse(port, error) : error)
    })
    server.listen(port, host, resolve)
  })
  const address = server.address() as AddressInfo
  const url = `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
  const { context: shared, builtIns } = await prepare(url).catch((error: unknown) => {
    server.close()
    throw error
  })
  const gateway: Parts = { context: { ...shared, limits, origins }, steps, builtIns, admission, stopping: false }
  const onRequest = (incoming: IncomingMessage, response: ServerResponse): void => {
    handle(gateway, incoming, response)
  }
  server.on('request', onRequest)
  server.on('checkContinue', onRequest)
  server.on('checkExpectation', (incoming: IncomingMessage, response: ServerResponse) => {
    const headers = new Headers(incoming.rawHeaders)
    send(gateway, response, problem(417, { close: true }), blank(gateway, incoming, headers))
  })
  server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    void handleUpgrade(gateway, incoming, socket, head)
  })
  server.on('connect', (_incoming: IncomingMessage, socket: Duplex) => {
    socket.end(bare(501, 'Not Implemented'))
  })
  server.off('request', notReady)
  const stop = async (): Promise<void> => {
    gateway.stopping = true
    if (!server.listening) return
    const closed = new Promise((resolve) => {
      server.close(resolve)
    })
    server.closeIdleConnections()
    const timer = setTimeout(() => {
      server.closeAllConnections()
    }, limits.stopMs)
    await closed
    clearTimeout(timer)
    await origins.destroy()
  }
  return {
    url,
    admission,
    stop,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await stop()
    },
  }
}

interface Parts {
  readonly context: GatewayContext
  readonly steps: GatewaySteps
  readonly builtIns: BuiltIns
  readonly admission: Admission
  stopping: boolean
}

/** Takes one request through; whatever is thrown on the way is answered with 500 and never reaches an origin. */
function handle(gateway: Parts, incoming: IncomingMessage, response: ServerResponse): void {
  const started = performance.now()
  const headers = new Headers(incoming.rawHeaders)
  const request = blank(gateway, incoming, headers)
  let route: Route | undefined
  const done = (status: number, by: Outcome['by'], fault: string | undefined): void => {
    gateway.steps.record(request, route, { status, by, fault, ms: performance.now() - started })
  }
  const reply = (verdict: Verdict, fault?: string): void => {
    done(send(gateway, response, verdict, request, route), 'gateway', fault)
  }
  const failed = (error: unknown): void => {
    gateway.context.services.report({ event: 'request-failed', requestId: request.id, error: nameOf(error) })
    if (response.headersSent) response.destroy()
    else reply(problem(500), 'ERR_GATEWAY')
  }
  const forward = (found: Route, release: Release): void => {
    const { handler, cors } = found
    const destination = handler.destination(request)
    if ('problem' in destination) {
      release()
      reply(destination)
      return
    }
    let exchanged: Promise<Exchanged>
    try {
      if (headers.has('expect')) response.writeContinue()
      const lines = gateway.steps.outgoing(request, destination, gateway.context)
      const given = { request, incoming, response, destination, handler, lines, cors }
      exchanged = gateway.steps.exchange(given, gateway.steps, gateway.context)
    } catch (error) {
      release()
      throw error
    }
    exchanged.then(
      (ended) => {
        release()
        try {
          if ('problem' in ended) reply(ended.problem, ended.fault)
          else done(ended.status, 'origin', ended.fault)
        } catch (error) {
          failed(error)
        }
      },
      (error: unknown) => {
        release()
        failed(error)
      },
    )
  }
  const admitted = (found: Route, release: Release | undefined): void => {
    if (release) forward(found, release)
    else reply(problem(503, { detail: 'The gateway is busy', headers: [['Retry-After', '1']] }), 'ERR_OVERLOADED')
  }
  const judged = (found: Route, refusal: Verdict | undefined): void => {
    if (refusal !== undefined) {
      reply(refusal)
      return
    }
    const place = gateway.admission.enter()
    if (place instanceof Promise) place.then((release) => admitted(found, release)).catch(failed)
    else admitted(found, place)
  }
  // Nothing waits that need not: most requests pass all of this in one turn.
  try {
    const settled = locate(gateway, incoming, headers, request)
    if (settled instanceof Promise) settled.then((verdict) => reply(verdict)).catch(failed)
    else if (isVerdict(settled)) reply(settled)
    else {
      const found = settled.route
      route = found
      const verdict = gateway.steps.inbound(found, request, incoming)
      if (verdict instanceof Promise) verdict.then((refusal) => judged(found, refusal)).catch(failed)
      else judged(found, verdict)
    }
  } catch (error) {
    failed(error)
  }
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
  const own = builtIns.answer(target.path, incoming, headers)
  if (own) return own
  if (isPreflight(incoming)) return preflight(incoming, context.table.at(target.path)) ?? problem(404)
  const match = steps.route(context.table, request.method, target.path)
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

/** Sends what the gateway answers itself, and gives its status. */
function send(
  { context, steps, stopping }: Parts,
  response: ServerResponse,
  verdict: Verdict,
  request: GatewayRequest,
  route?: Route,
): number {
  const reply = written(steps, verdict, request, context)
  for (const told of request.onStatus) told(reply.status)
  const lines: string[] = [...reply.headers.flat(), 'zp-rid', request.id, ...request.answerLines]
  if (route?.cors) lines.push(...corsLines(route.cors, request.headers.get('origin')))
  // A body that nobody read would be taken for the next request; Node reads a short one away, and closes otherwise.
  if (reply.close === true || stopping || request.contentLength !== 0) {
    lines.push('Connection', 'close')
    if (response.socket) closing.add(response.socket)
  }
  if (reply.status !== 204 && reply.status !== 304) lines.push('Content-Length', String(Buffer.byteLength(reply.body)))
  response.writeHead(reply.status, lines)
  response.end(request.method === 'HEAD' ? undefined : reply.body)
  return reply.status
}

function written(steps: GatewaySteps, verdict: Verdict, request: GatewayRequest, context: GatewayContext): Reply {
  if (!('problem' in verdict)) return verdict
  const { clock } = context.services
  return steps.refuse(verdict, { instance: request.path, requestId: request.id, nowMs: clock.nowMs() })
}

async function handleUpgrade(gateway: Parts, incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  const started = performance.now()
  const { steps, context } = gateway
  const headers = new Headers(incoming.rawHeaders)
  const request = blank(gateway, incoming, headers)
  let route: Route | undefined
  socket.on('error', () => socket.destroy())
  const refuse = (verdict: Verdict): number => {
    const reply = written(steps, verdict, request, context)
    for (const told of request.onStatus) told(reply.status)
    const lines = [...reply.headers, ['zp-rid', request.id], ['Content-Length', String(Buffer.byteLength(reply.body))]]
    const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
    socket.end(
      `HTTP/1.1 ${reply.status} ${http.STATUS_CODES[reply.status] ?? ''}\r\n${text}Connection: close\r\n\r\n${reply.body}`,
    )
    return reply.status
  }
  const run = async (): Promise<Exchanged | { readonly refused: Verdict }> => {
    const settled = await locate(gateway, incoming, headers, request)
    if (isVerdict(settled)) return { refused: settled }
    route = settled.route
    const refusal = await steps.inbound(route, request, incoming)
    if (refusal) return { refused: refusal }
    const { handler, cors } = route
    const destination = handler.destination(request)
    if ('problem' in destination) return { refused: destination }
    const lines = steps.outgoing(request, destination, context)
    return await steps.upgrade({ request, incoming, destination, handler, lines, cors }, socket, head, context)
  }
  const ended = await run().catch((error: unknown): { readonly refused: Problem } => {
    context.services.report({ event: 'request-failed', requestId: request.id, error: nameOf(error) })
    return { refused: problem(500) }
  })
  const ms = performance.now() - started
  if ('refused' in ended) steps.record(request, route, { status: refuse(ended.refused), ms, by: 'gateway' })
  else if ('problem' in ended) {
    steps.record(request, route, { status: refuse(ended.problem), ms, by: 'gateway', fault: ended.fault })
  } else steps.record(request, route, { ...ended, ms, by: 'origin' })
}

/** Only a WebSocket handshake leaves HTTP here; any other Upgrade may be ignored (RFC 9110 section 7.8). */
function isWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket'
}

function onClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable || closing.has(socket)) {
    socket.destroy()
    return
  }
  if (error.code === 'HPE_HEADER_OVERFLOW') socket.end(bare(431, 'Request Header Fields Too Large'))
  else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') socket.end(bare(408, 'Request Timeout'))
  else socket.end(bare(400, 'Bad Request'))
}

/** An answer to what was no request. */
function bare(status: number, title: string): string {
  const body = JSON.stringify({ type: `https://httpproblems.com/http-status/${status}`, title, status })
  return `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`
}

function nameOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return error instanceof Error ? error.name : 'unknown'
}

function portInUse(port: number, cause: Error): TrustspecError {
  return new TrustspecError(
    'ERR_PORT_IN_USE',
    'The port is taken',
    { port, instead: 'another --port, or 0' },
    { cause },
  )
}
