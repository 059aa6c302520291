import { randomUUID } from 'node:crypto'
import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { part } from './linger.ts'

/** Requests that wait on one connection for their turn; with more, it is read on only once there are fewer. */
const MOST_WAITING = 16

/** The connections of callers, and what each of them is about. */
export interface Connections {
  /** Calls back as soon as all requests that came before on the connection are answered; never once it is closed. */
  readonly inTurn: (response: ServerResponse, serve: () => void) => void
  /** Whether every request that came on the connection is answered. */
  readonly isFree: (socket: Socket) => boolean
  /** Keeps one of so many places for a connection that wants to leave HTTP; false where there is none. */
  readonly reserve: (socket: Socket, most: number) => boolean
  /** The connection has left HTTP, or stays in it and needs its place no more. */
  readonly decided: (socket: Socket, isTunnel: boolean) => void
  /** How many have left. */
  readonly tunnels: () => number
  /** Nothing that still comes on the connection is answered. */
  readonly closing: (socket: Socket) => void
  /** Closes connections that wait for no answer, the others as soon as they have it. */
  readonly leave: () => void
  /** Closes all of them at once. */
  readonly destroy: () => void
}

/** Watches the connections of a server; `lingerMs`: for how long what nobody wants is read away. */
export function watchConnections(server: Server, lingerMs: number): Connections {
  /** The answer that was begun last. */
  const answers = new Map<Socket, ServerResponse | undefined>()
  const tunnels = new Set<Socket>()
  /** Connections that may become tunnels. */
  const asking = new Set<Socket>()
  const closing = new WeakSet<Socket>()
  const waiting = new WeakMap<Socket, number>()

  server.on('connection', (socket) => {
    answers.set(socket, undefined)
    socket.once('close', () => {
      answers.delete(socket)
      tunnels.delete(socket)
      asking.delete(socket)
    })
  })

  server.on('clientError', (error: NodeJS.ErrnoException, duplex) => {
    const socket = duplex as Socket
    if (closing.has(socket)) return
    const response = answers.get(socket)
    const isOpen = response !== undefined && !response.writableFinished
    if (isOpen && response.req.complete) {
      // What is wrong came behind a request that is still being answered: its answer goes out, and nothing after it.
      closing.add(socket)
      lastOn(response)
    } else if (error.code === 'ECONNRESET' || !socket.writable || (isOpen && response.headersSent)) socket.destroy()
    else {
      closing.add(socket)
      socket.end(refusalOf(error))
      part(socket, lingerMs)
    }
  })

  const lastOn = (response: ServerResponse): void => {
    if (!response.headersSent) response.shouldKeepAlive = false
    const { socket } = response
    response.once('finish', () => socket?.destroySoon())
  }

  const wait = (response: ServerResponse, serve: () => void): void => {
    const { socket } = response.req
    const before = waiting.get(socket) ?? 0
    waiting.set(socket, before + 1)
    // Not at once: node:http reads on behind every message.
    if ((before + 1) % MOST_WAITING === 0) process.nextTick(() => socket.pause())
    response.once('socket', () => {
      const left = (waiting.get(socket) ?? 1) - 1
      waiting.set(socket, left)
      if (left < MOST_WAITING) socket.resume()
      process.nextTick(serve)
    })
  }

  return {
    inTurn(response, serve) {
      const { socket } = response
      if (!socket) {
        wait(response, () => {
          this.inTurn(response, serve)
        })
        return
      }
      if (closing.has(socket)) return
      answers.set(socket, response)
      serve()
    },
    isFree: (socket) => answers.get(socket)?.writableFinished !== false,
    reserve(socket, most) {
      if (tunnels.size + asking.size >= most) return false
      asking.add(socket)
      return true
    },
    decided(socket, isTunnel) {
      asking.delete(socket)
      if (isTunnel && !socket.destroyed) tunnels.add(socket)
    },
    tunnels: () => tunnels.size,
    closing(socket) {
      closing.add(socket)
    },
    leave() {
      for (const [socket, response] of answers) {
        if (tunnels.has(socket)) continue
        closing.add(socket)
        if (response && !response.writableFinished) lastOn(response)
        else socket.destroy()
      }
    },
    destroy() {
      for (const socket of answers.keys()) socket.destroy()
    },
  }
}

/** What is answered to something that is no request. */
export function refusalOf({ code }: Pick<NodeJS.ErrnoException, 'code'>): string {
  if (code === 'HPE_HEADER_OVERFLOW') return bare(431, 'Request Header Fields Too Large')
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return bare(408, 'Request Timeout')
  if (code === 'HPE_INVALID_METHOD') return bare(501, 'Not Implemented')
  return bare(400, 'Bad Request')
}

/** A whole answer that closes its connection, for where there is no request to answer. */
export function bare(status: number, title: string, lines: readonly string[] = []): string {
  const requestId = randomUUID()
  const type = `https://httpproblems.com/http-status/${status}`
  const body = JSON.stringify({ type, title, status, trace: { timestamp: new Date().toISOString(), requestId } })
  return [
    `HTTP/1.1 ${status} ${title}`,
    ...lines,
    'Content-Type: application/problem+json',
    'Cache-Control: no-store',
    `zp-rid: ${requestId}`,
    `Content-Length: ${body.length}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n')
}
