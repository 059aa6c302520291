import http from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Agent, request as fetch } from 'undici'
import { listenOn } from './listen.ts'
import type { Listening } from './listen.ts'

/** A request of the origin to the proxy in front of the JWKS. */
export interface ProxiedFetch {
  readonly target: string
  /** Scheme, host and port that it was passed to; empty before the proxy is aimed. */
  readonly at: string
  /** `failed`: what it was passed to did not answer. */
  readonly what: 'passed' | 'dropped' | 'failed'
  /** Status that was passed back; 0 where none was. */
  readonly status: number
  /** Milliseconds since the epoch. */
  readonly atMs: number
}

/** A time in which the proxy drops everything. Disposed, it passes again. */
export interface Cut extends Disposable {
  /** Requests that were dropped since it began: none, and the origin has not noticed. */
  readonly served: () => number
}

/** An HTTP proxy in front of the JWKS of a gateway, which passes or drops what the origin asks for. */
export interface JwksProxy extends Listening {
  /** Passes to scheme, host and port of this URL from now on, path for path. */
  readonly from: (jwksUrl: string) => void
  readonly fetches: () => readonly ProxiedFetch[]
  readonly cut: () => Cut
}

/** Longest wait for the gateway, in milliseconds. */
const DEADLINE_MS = 5_000

/** Header lines of the gateway that go on: about the document, not about the connection. */
const PASSED = ['content-type', 'cache-control', 'etag', 'last-modified', 'expires', 'age', 'date']

/** Starts the proxy; ERR_PORT_IN_USE when the port is taken. */
export async function startJwksProxy(port = 0): Promise<JwksProxy> {
  const fetches: ProxiedFetch[] = []
  const cuts = new Set<Cut>()
  // A gateway that restarts closes its connections: each fetch has one of its own.
  const agent = new Agent({ pipelining: 0 })
  let base: string | undefined

  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const target = request.url ?? '/'
    const at = base ?? ''
    const drop = (what: ProxiedFetch['what']): void => {
      fetches.push({ target, at, what, status: 0, atMs: Date.now() })
      request.socket.destroy()
    }
    if (cuts.size > 0 || base === undefined) {
      drop('dropped')
      return
    }
    try {
      const { accept, 'if-none-match': known } = request.headers
      const answer = await fetch(`${base}${target}`, {
        method: request.method === 'HEAD' ? 'HEAD' : 'GET',
        headers: { ...(accept ? { accept } : {}), ...(known ? { 'if-none-match': known } : {}) },
        dispatcher: agent,
        signal: AbortSignal.timeout(DEADLINE_MS),
      })
      const body = Buffer.from(await answer.body.arrayBuffer())
      fetches.push({ target, at, what: 'passed', status: answer.statusCode, atMs: Date.now() })
      for (const name of PASSED) {
        const value = answer.headers[name]
        if (value !== undefined) response.setHeader(name, value)
      }
      response.writeHead(answer.statusCode).end(body)
    } catch {
      drop('failed')
    }
  }
  const server = http.createServer((request, response) => {
    request.resume()
    void pass(request, response)
  })
  const listening = await listenOn(server, port)
  return {
    port: listening.port,
    url: listening.url,
    from(jwksUrl) {
      base = new URL(jwksUrl).origin
    },
    fetches: () => fetches,
    cut() {
      const before = fetches.length
      const cut: Cut = {
        served: () => fetches.slice(before).filter(({ what }) => what === 'dropped').length,
        [Symbol.dispose]() {
          cuts.delete(cut)
        },
      }
      cuts.add(cut)
      return cut
    },
    async [Symbol.asyncDispose]() {
      await listening[Symbol.asyncDispose]()
      await agent.destroy()
    },
  }
}
