import net from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { problem } from '../../gateway/reply.ts'
import type { Exchange, Exchanged } from '../../gateway/steps.ts'
import { pairsOf } from './parts.ts'

/** Header in which a front tells the gateway behind it how a message was framed. */
const FRAMED = 'X-Mutant-Framed'

const FRAMING = /^(?:content-length|transfer-encoding)[ \t]*:/iu

/** Something in front of a gateway that reads or changes octets before the gateway sees them. */
type Front = (url: string) => Promise<{ readonly url: string } & AsyncDisposable>

/** A front that changes the first octets of every connection; undefined passes them on as they are. */
export function changing(change: (octets: string) => string | undefined): Front {
  return async (url) => {
    const { hostname, port } = new URL(url)
    const sockets = new Set<Socket>()
    const server = net.createServer((caller) => {
      const gateway = net.connect(Number(port), hostname)
      for (const socket of [caller, gateway]) {
        sockets.add(socket)
        socket.setNoDelay(true).on('error', () => undefined)
        socket.once('close', () => sockets.delete(socket))
      }
      caller.once('data', (chunk: Buffer) => {
        const text = chunk.toString('latin1')
        gateway.write(Buffer.from(change(text) ?? text, 'latin1'))
        caller.pipe(gateway)
      })
      gateway.pipe(caller)
      caller.once('close', () => gateway.destroy())
      gateway.once('close', () => caller.destroySoon())
    })
    await new Promise<void>((resolve) => {
      server.listen(0, hostname, resolve)
    })
    return {
      url: `http://${hostname}:${(server.address() as AddressInfo).port}`,
      async [Symbol.asyncDispose]() {
        const closed = new Promise((resolve) => {
          server.close(resolve)
        })
        for (const socket of sockets) socket.destroy()
        await closed
      },
    }
  }
}

/**
 * A front that finds the end of a body in its own way, and hands head and body on for `asFramed` to send them to the
 * origin as they came. `end` gives the octets that belong to the body, or undefined where the front does not care.
 */
export function framing(end: (lines: readonly string[], rest: string) => string | undefined): Front {
  return changing((octets) => {
    const at = octets.indexOf('\r\n\r\n')
    const [requestLine = '', ...lines] = octets.slice(0, Math.max(at, 0)).split(/\r\n(?![ \t])/u)
    const framed = lines.filter((line) => FRAMING.test(line) || /\n/u.test(line))
    const body = end(framed, octets.slice(at + 4))
    if (at < 0 || body === undefined) return undefined
    const others = lines.filter((line) => !framed.includes(line))
    const told = `${FRAMED}: ${Buffer.from(JSON.stringify(framed)).toString('hex')}`
    const head = [requestLine.replace('HTTP/1.0', 'HTTP/1.1'), ...others, told, `Content-Length: ${body.length}`]
    return `${head.join('\r\n')}\r\n\r\n${body}`
  })
}

/** Sends a request to the origin with the framing that its caller gave it; undefined where no front told of one. */
export async function asFramed({
  request,
  destination,
  lines,
  incoming,
  response,
}: Exchange): Promise<Exchanged | undefined> {
  const told = request.headers.get(FRAMED.toLowerCase())
  if (told === undefined) return undefined
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const kept = pairsOf(lines).filter(([name]) => !/^(?:content-length|x-mutant-framed)$/iu.test(name))
  const framed = JSON.parse(Buffer.from(told, 'hex').toString()) as string[]
  const head = [
    `${request.method} ${destination.target} HTTP/1.1`,
    ...kept.map(([name, value]) => `${name}: ${value}`),
    ...framed,
  ]
  const { hostname, port } = new URL(destination.origin)
  const { promise, resolve } = Promise.withResolvers<Exchanged>()
  const origin = net.connect(Number(port), hostname)
  origin.write(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), ...chunks]))
  origin.once('data', (answer: Buffer) => {
    const status = Number(answer.toString('latin1', 9, 12))
    response.writeHead(status, ['Content-Length', '0']).end()
    resolve({ status })
  })
  origin.once('close', () => {
    resolve({ problem: problem(502), fault: 'ERR_CLOSED' })
  })
  origin.on('error', () => undefined)
  return await promise.finally(() => {
    origin.end()
  })
}
