import { ServerResponse } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { part } from './linger.ts'
import type { GatewayLimits, Tunnel } from './steps.ts'

/** Milliseconds without a sign of life after which the network is asked whether the other side is still there. */
const PROBE_MS = 60_000

/** Whether a request is a WebSocket handshake (RFC 6455 section 4.1); any other Upgrade may be ignored. */
export function isWebSocket({ method, httpVersion, headers }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    httpVersion === '1.1' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    headers['transfer-encoding'] === undefined &&
    headers['content-length'] === undefined
  )
}

/** An answer on a connection that node:http has let go: all of what a gateway answers to other requests fits here. */
export function answerOn({ socket }: Tunnel, incoming: IncomingMessage, lingerMs: number): ServerResponse {
  const response = new ServerResponse(incoming)
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  const drained = (): void => {
    response.emit('drain')
  }
  socket.on('error', () => socket.destroy())
  socket.on('drain', drained)
  response.once('finish', () => {
    socket.off('drain', drained)
    response.detachSocket(socket)
    part(socket, lingerMs)
  })
  return response
}

/** Joins two connections until both have ended; what breaks one breaks the other. */
export function join(
  { socket, first }: Tunnel,
  origin: Duplex,
  { lingerMs, idleMs }: Pick<GatewayLimits, 'lingerMs' | 'idleMs'>,
): void {
  socket.setTimeout(0)
  for (const side of [socket, origin]) if (side instanceof Socket) side.setKeepAlive(true, PROBE_MS)
  origin.write(first)
  socket.pipe(origin).pipe(socket)
  const ended = (one: Duplex, other: Duplex): void => {
    one.on('error', () => other.destroy())
    // Who has said all may be gone for good: what the other has still to say must come before long.
    one.once('end', () => {
      if (other instanceof Socket) other.setTimeout(idleMs, () => other.destroy())
    })
    one.once('close', () => {
      // What it said last is still on its way to the other.
      if (one.readableEnded && other instanceof Socket) part(other, lingerMs)
      else other.destroy()
    })
  }
  ended(socket, origin)
  ended(origin, socket)
}
