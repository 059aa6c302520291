import http from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { Headers } from '../../gateway/headers.ts'
import { problem } from '../../gateway/reply.ts'
import type { GatewayRequest } from '../../gateway/request.ts'
import { referenceSteps } from '../../gateway/server.ts'
import type { Exchange, Exchanged, GatewaySteps } from '../../gateway/steps.ts'

/** Steps of which flaws are made: what the caller sent is kept, and counts again when the request goes out. */
interface Remembering<T> extends Pick<GatewaySteps, 'admit'> {
  readonly of: (request: GatewayRequest) => T | undefined
}

/** Keeps what `read` makes of a request before anything is removed from it; it may change the lines. */
export function remembering<T>(read: (headers: Headers, incoming: IncomingMessage) => T): Remembering<T> {
  const kept = new WeakMap<Headers, T>()
  return {
    admit(incoming, headers, context) {
      kept.set(headers, read(headers, incoming))
      return referenceSteps.admit(incoming, headers, context)
    },
    of: ({ headers }) => kept.get(headers),
  }
}

/** The lines that go to the origin, changed. */
export function outgoing(
  change: (
    lines: readonly (readonly [name: string, value: string])[],
    request: GatewayRequest,
  ) => readonly (readonly [string, string])[],
): GatewaySteps['outgoing'] {
  return (request, destination, context) => {
    const lines = referenceSteps.outgoing(request, destination, context)
    return change(pairsOf(lines), request).flatMap(([name, value]) => [name, value])
  }
}

/** Lines that are kept flat, in pairs. */
export function pairsOf(lines: readonly string[]): readonly (readonly [name: string, value: string])[] {
  return lines.flatMap((name, at) => (at % 2 === 0 ? [[name, lines[at + 1] ?? ''] as const] : []))
}

/** What a text that holds line ends becomes where nobody looks: the first line, and the headers behind it. */
export function split(text: string): {
  readonly first: string
  readonly lines: readonly (readonly [string, string])[]
} {
  const [first = '', ...rest] = text.split(/\r?\n/u)
  const lines = rest.flatMap((line) => {
    const colon = line.indexOf(':')
    return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1).trim()] as const] : []
  })
  return { first, lines }
}

/** All octets of the body of a request. */
export async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** An exchange by node:http, which sends lines that undici refuses; an answer that breaks off is taken for whole. */
export async function plainExchange(given: Exchange, steps: GatewaySteps, body: Buffer): Promise<Exchanged> {
  const { request, destination, lines, response } = given
  const framing = new Set(['content-length', 'transfer-encoding'])
  const kept = pairsOf(lines).filter(([name]) => !framing.has(name.toLowerCase()))
  const length = body.length > 0 ? [['Content-Length', String(body.length)] as const] : []
  const headers = [...kept, ...length].flatMap(([name, value]) => [name, value])
  const { promise, resolve } = Promise.withResolvers<Exchanged>()
  const failed = (error: NodeJS.ErrnoException): void => {
    resolve({ problem: problem(502), fault: error.code ?? 'unknown' })
  }
  const { method } = request
  const options = { method, path: destination.target, headers, agent: false }
  const sent = http.request(destination.origin, options, (answer) => {
    const chunks: Buffer[] = []
    answer.on('data', (chunk: Buffer) => chunks.push(chunk))
    answer.on('error', () => undefined)
    answer.on('close', () => {
      // Somebody may have answered in the meantime.
      if (response.headersSent || response.destroyed) {
        resolve({ status: 0, fault: 'ERR_CALLER_GONE' })
        return
      }
      const whole = Buffer.concat(chunks)
      const own = pairsOf(steps.answer(answer.rawHeaders, given)).filter(([name]) => !framing.has(name.toLowerCase()))
      response.writeHead(answer.statusCode ?? 502, [...own, ['Content-Length', String(whole.length)]].flat())
      response.end(whole)
      resolve({ status: answer.statusCode ?? 502 })
    })
  })
  sent.on('error', failed)
  sent.end(body)
  return await promise
}
