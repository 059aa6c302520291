import { createHash } from 'node:crypto'
import { once } from 'node:events'
import net from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

/** An origin of a test that speaks in octets. */
export interface BluntOrigin extends AsyncDisposable {
  readonly url: string
  /** All that was received, by connection, as ISO 8859-1. */
  readonly received: string[]
  /** Connections that are open. */
  readonly open: () => number
}

/** Calls back on every connection once a head has come on it; what is said, and when, is the test's affair. */
export async function bluntOrigin(speak: (socket: Socket, head: string) => void): Promise<BluntOrigin> {
  const sockets = new Set<Socket>()
  const received: string[] = []
  const server = net.createServer((socket) => {
    const at = received.push('') - 1
    let isSpoken = false
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (chunk: Buffer) => {
      received[at] += chunk.toString('latin1')
      const [head = ''] = (received[at] ?? '').split('\r\n\r\n')
      if (isSpoken || head === received[at]) return
      isSpoken = true
      speak(socket, head)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    open: () => sockets.size,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

const TEXT = 1
const CLOSE = 8

/** A WebSocket origin that sends back every text, and closes when it is asked to (RFC 6455). */
export function echoOrigin(lines: readonly string[] = []): Promise<BluntOrigin> {
  return bluntOrigin((socket, head) => {
    const key = /^sec-websocket-key: *(\S+)/imu.exec(head)?.[1] ?? ''
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
    const answer = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', ...lines]
    socket.write(`${[...answer, `Sec-WebSocket-Accept: ${accept}`].join('\r\n')}\r\n\r\n`)
    let rest: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk])
      for (let frame = frameOf(rest); frame; frame = frameOf(rest)) {
        rest = rest.subarray(frame.octets)
        if (frame.opcode === TEXT) socket.write(Buffer.concat([Buffer.from([0x81, frame.data.length]), frame.data]))
        if (frame.opcode === CLOSE) socket.end(Buffer.concat([Buffer.from([0x88, frame.data.length]), frame.data]))
      }
    })
  })
}

/** A masked frame of a client, of at most 125 octets of data. */
export function clientFrame(text: string): Buffer {
  const mask = [1, 2, 3, 4]
  const data = Buffer.from(text).map((octet, at) => octet ^ (mask[at % 4] ?? 0))
  return Buffer.concat([Buffer.from([0x81, 0x80 | data.length, ...mask]), data])
}

function frameOf(
  octets: Buffer,
): { readonly opcode: number; readonly data: Buffer; readonly octets: number } | undefined {
  const length = (octets[1] ?? 0) & 0x7f
  if (octets.length < 6 + length) return undefined
  const mask = octets.subarray(2, 6)
  const data = Buffer.from(octets.subarray(6, 6 + length)).map((octet, at) => octet ^ (mask[at % 4] ?? 0))
  return { opcode: (octets[0] ?? 0) & 0x0f, data: Buffer.from(data), octets: 6 + length }
}
