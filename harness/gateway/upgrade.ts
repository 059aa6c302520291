import http from 'node:http'
import https from 'node:https'
import type { Duplex } from 'node:stream'
import { faultOf, problemOf } from './exchange.ts'
import type { Exchange, Exchanged, GatewayContext } from './steps.ts'

/** Lines of a WebSocket handshake that belong to the hop, and are made anew (RFC 6455 section 4.1). */
const HANDSHAKE = ['Connection', 'Upgrade', 'Upgrade', 'websocket']

/** Passes a WebSocket handshake on and joins the two connections; any other answer of the origin is passed back. */
export function upgrade(
  { request, destination, lines }: Omit<Exchange, 'response'>,
  socket: Duplex,
  head: Buffer,
  { limits }: GatewayContext,
): Promise<Exchanged> {
  return new Promise((resolve) => {
    const url = new URL(destination.origin)
    const client = url.protocol === 'https:' ? https : http
    const outgoing = client.request({
      host: url.hostname.replaceAll(/^\[|\]$/gu, ''),
      port: url.port,
      path: destination.target,
      method: request.method,
      headers: [...lines, ...HANDSHAKE],
      setDefaultHeaders: false,
      agent: false,
      timeout: limits.answerMs,
    })
    outgoing.on('timeout', () => {
      outgoing.destroy(Object.assign(new Error('The origin took too long'), { code: 'ETIMEDOUT' }))
    })
    outgoing.on('error', (error) => {
      const fault = faultOf(error)
      resolve({ problem: problemOf(fault), fault })
    })
    outgoing.on('upgrade', (answer, origin, first) => {
      for (const told of request.onStatus) told(101)
      socket.write(headOf(answer, request.id, true))
      socket.write(first)
      origin.write(head)
      origin.setTimeout(0)
      socket.pipe(origin).pipe(socket)
      const end = (): void => {
        socket.destroy()
        origin.destroy()
      }
      for (const either of [socket, origin]) either.once('error', end).once('close', end)
      resolve({ status: 101 })
    })
    outgoing.on('response', (answer) => {
      for (const told of request.onStatus) told(answer.statusCode ?? 502)
      socket.write(headOf(answer, request.id, false))
      answer.pipe(socket)
      resolve({ status: answer.statusCode ?? 502 })
    })
    outgoing.end()
  })
}

/** The head of the origin's answer, octet for octet but for the lines of the hop. */
function headOf(answer: http.IncomingMessage, requestId: string, joined: boolean): string {
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`]
  for (let at = 0; at < answer.rawHeaders.length; at += 2) {
    const name = answer.rawHeaders[at] ?? ''
    if (!/^(?:connection|keep-alive|transfer-encoding|upgrade|trailer)$/iu.test(name))
      lines.push(`${name}: ${answer.rawHeaders[at + 1]}`)
  }
  lines.push(
    ...(joined ? ['Connection: Upgrade', 'Upgrade: websocket'] : ['Connection: close']),
    `zp-rid: ${requestId}`,
  )
  return `${lines.join('\r\n')}\r\n\r\n`
}
