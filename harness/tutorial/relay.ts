import http from 'node:http'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { Agent, request as fetch } from 'undici'
import type { HeaderLines } from '../model/http.ts'

/** One request that passed, and its answer, word by word: keys and tokens are whole in it. */
export interface Passed {
  /** Method and target. */
  readonly request: string
  readonly headers: HeaderLines
  /** 0 where no answer came. */
  readonly status: number
  readonly answerHeaders: HeaderLines
  readonly answerBody: string
}

/** A server that passes requests on, changes nothing of them, and records both ways. */
export interface Relay extends AsyncDisposable {
  /** `http://host:port`. */
  readonly url: string
  /** The same for a server that listens elsewhere, such as one that answers for an https host. */
  readonly handle: RequestListener
  /** Passes to scheme, host and port of this URL from now on; before, it drops connections. */
  readonly to: (url: string) => void
  readonly passed: () => readonly Passed[]
}

/** Longest wait for an answer, in milliseconds. */
const DEADLINE_MS = 30_000

/** Lines about one connection, which do not go on to the next. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'expect'])

/** Where a relay listens, and the name by which those who call it know that place. */
export interface RelayPlace {
  readonly listen: string
  readonly name: string
}

/** Starts a relay on a free port. */
export async function startRelay({ listen, name }: RelayPlace): Promise<Relay> {
  const passed: Passed[] = []
  const sockets = new Set<Socket>()
  // What it passes to restarts, and a kept connection would break then: each request has one of its own.
  const agent = new Agent({ pipelining: 0 })
  let base: string | undefined

  const pass = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const headers = pairs(incoming.rawHeaders)
    const asked = { request: `${incoming.method} ${incoming.url}`, headers }
    try {
      if (base === undefined) throw new Error('Nothing is there yet')
      const answer = await fetch(`${base}${incoming.url}`, {
        method: incoming.method as 'GET',
        headers: onward(headers).flat(),
        body: chunks.length === 0 ? null : Buffer.concat(chunks),
        responseHeaders: 'raw',
        dispatcher: agent,
        signal: AbortSignal.timeout(DEADLINE_MS),
      })
      const body = Buffer.from(await answer.body.arrayBuffer())
      const answerHeaders = pairs(answer.headers as unknown as readonly string[])
      passed.push({ ...asked, status: answer.statusCode, answerHeaders, answerBody: body.toString() })
      response.writeHead(answer.statusCode, onward(answerHeaders).flat()).end(body)
    } catch {
      passed.push({ ...asked, status: 0, answerHeaders: [], answerBody: '' })
      incoming.socket.destroy()
    }
  }
  const handle: RequestListener = (incoming, response) => {
    // A caller that goes away while it sends is nobody to answer.
    pass(incoming, response).catch(() => incoming.socket.destroy())
  }
  const server = http.createServer(handle)
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, listen, resolve)
  })
  return {
    url: `http://${name}:${(server.address() as AddressInfo).port}`,
    handle,
    to(url) {
      base = new URL(url).origin
    },
    passed: () => passed,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => {
        server.close(resolve)
      })
      for (const socket of sockets) socket.destroy()
      await closed
      await agent.destroy()
    },
  }
}

/** Names and values, one after the other, as pairs; undici gives them as octets. */
export function pairs(flat: readonly (string | Uint8Array)[]): HeaderLines {
  const texts = flat.map((part) => (typeof part === 'string' ? part : Buffer.from(part).toString('latin1')))
  return texts.flatMap((text, at) => (at % 2 === 0 ? [[text, texts[at + 1] ?? ''] as const] : []))
}

function onward(lines: HeaderLines): HeaderLines {
  return lines.filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase()))
}
