import http from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Agent } from 'undici'
import { TrustspecError } from '../model/errors.ts'
import { createAdmission } from './admission.ts'
import type { Admission } from './admission.ts'
import { admit } from './admit.ts'
import { answer } from './answer.ts'
import type { BuiltIns } from './built-in.ts'
import { clientAddress } from './caller.ts'
import { clean } from './clean.ts'
import { bare, watchConnections } from './connections.ts'
import type { Connections } from './connections.ts'
import { exchange } from './exchange.ts'
import { inbound } from './inbound.ts'
import { part } from './linger.ts'
import { outgoing } from './outgoing.ts'
import { replyOf } from './reply.ts'
import type { GatewayContext, GatewayLimits, GatewaySteps } from './steps.ts'
import { refuseExpectation, take } from './take.ts'
import type { Parts } from './take.ts'
import { answerOn, isWebSocket } from './upgrade.ts'

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
  tunnels: 4_096,
  lingerMs: 1_000,
  stopMs: 10_000,
}

/** Milliseconds between two looks for requests that take too long to arrive. */
const LOOK_MS = 1_000

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
  readonly tunnels: Connections['tunnels']
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
    // Whatever flag the process was started with.
    insecureHTTPParser: false,
    noDelay: true,
    shouldUpgradeCallback: (incoming) => isWebSocket(incoming) && connections.isFree(incoming.socket),
  })
  // Node drops header lines beyond the number that it is told, and says nothing: the octets are the limit.
  server.maxHeadersCount = 0
  const connections = watchConnections(server, limits.lingerMs)
  const notReady = (incoming: IncomingMessage): void => {
    incoming.socket.end(bare(503, 'Service Unavailable', ['Retry-After: 1']))
  }
  server.on('request', notReady)
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
  const gateway: Parts = { context: { ...shared, limits, origins }, steps, builtIns, admission, connections }
  const serve = (continues: boolean) => (incoming: IncomingMessage, response: ServerResponse) => {
    // node:http forgets what it has read behind an Upgrade that it ignores: no request may be made of the rest.
    if (incoming.headers.upgrade !== undefined) response.shouldKeepAlive = false
    connections.inTurn(response, () => {
      take(gateway, incoming, response, { continues, tunnel: undefined })
    })
  }
  server.on('request', serve(false))
  server.on('checkContinue', serve(true))
  server.on('checkExpectation', (incoming: IncomingMessage, response: ServerResponse) => {
    connections.inTurn(response, () => {
      refuseExpectation(gateway, incoming, response)
    })
  })
  server.on('upgrade', (incoming: IncomingMessage, duplex: Duplex, first: Buffer) => {
    const tunnel = { socket: duplex as Socket, first }
    const response = answerOn(tunnel, incoming, limits.lingerMs)
    connections.inTurn(response, () => {
      take(gateway, incoming, response, { continues: false, tunnel })
    })
  })
  server.on('connect', (_incoming: IncomingMessage, duplex: Duplex) => {
    const socket = duplex as Socket
    socket.on('error', () => socket.destroy())
    socket.write(bare(501, 'Not Implemented'))
    part(socket, limits.lingerMs)
  })
  server.off('request', notReady)
  const stop = async (): Promise<void> => {
    if (!server.listening) return
    const closed = new Promise((resolve) => {
      server.close(resolve)
    })
    connections.leave()
    const timer = setTimeout(connections.destroy, limits.stopMs)
    await closed
    clearTimeout(timer)
    await origins.destroy()
  }
  return {
    url,
    admission,
    tunnels: connections.tunnels,
    stop,
    async [Symbol.asyncDispose]() {
      connections.destroy()
      await stop()
    },
  }
}

function portInUse(port: number, cause: Error): TrustspecError {
  return new TrustspecError(
    'ERR_PORT_IN_USE',
    'The port is taken',
    { port, instead: 'another --port, or 0' },
    { cause },
  )
}
