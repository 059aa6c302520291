import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { pipeline, Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { createGzip } from 'node:zlib'
import type { Json } from '../model/json.ts'
import type { IssuerResponse } from '../model/jwks.ts'

/** Octets after which an endless body ends, so that a client without a limit cannot take the harness down. */
export const ENDLESS_LIMIT = 64 * 1024 * 1024

/** What was done about a request: for the journal. */
export interface Served {
  readonly served: string
  readonly status: number
}

/** Tells what will be served, for the journal, before a drip or a delay has passed. */
export function describe(response: IssuerResponse, request: IncomingMessage, document: Json): Served {
  const served = response.name ?? 'scripted'
  if (response.hang || response.reset || response.refuse) return { served, status: 0 }
  if (response.redirect !== undefined) return { served, status: response.status ?? 302 }
  if (response.etag && isKnown(request, etagOf(bodyOf(response, document))))
    return { served: 'not-modified', status: 304 }
  return { served, status: response.status ?? 200 }
}

/** Serves one answer; ends when it is sent or the client has gone. */
export async function serve(
  response: IssuerResponse,
  request: IncomingMessage,
  to: ServerResponse,
  document: Json,
  signal: AbortSignal,
): Promise<void> {
  if (response.delayMs !== undefined) await wait(response.delayMs, undefined, { signal })
  if (response.hang) return
  if (response.reset) {
    request.socket.resetAndDestroy()
    return
  }
  if (response.refuse) {
    request.socket.destroy()
    return
  }
  const headers = { 'content-type': 'application/json', ...response.headers }
  if (response.redirect !== undefined) {
    to.writeHead(response.status ?? 302, { ...headers, location: response.redirect }).end()
    return
  }
  if (response.endless) {
    await sendEndless(to, headers, response.status ?? 200, request.socket)
    return
  }
  if (response.padding !== undefined || response.gzip) {
    sendPadded(to, response, headers, bodyOf(response, document))
    return
  }
  await sendBody(response, request, to, headers, bodyOf(response, document), signal)
}

async function sendBody(
  response: IssuerResponse,
  request: IncomingMessage,
  to: ServerResponse,
  headers: Record<string, string>,
  body: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const etag = etagOf(body)
  if (response.etag && isKnown(request, etag)) {
    to.writeHead(304, { ...response.headers, etag }).end()
    return
  }
  const length = String(response.truncate ? body.length + 64 : body.length)
  to.writeHead(response.status ?? 200, { ...headers, ...(response.etag ? { etag } : {}), 'content-length': length })
  if (request.method === 'HEAD') {
    to.end()
    return
  }
  if (response.dripMs === undefined) {
    if (response.truncate) to.write(body, () => request.socket.destroy())
    else to.end(body)
    return
  }
  for (const octet of body) {
    if (to.destroyed) return
    to.write(Uint8Array.of(octet))
    await wait(response.dripMs, undefined, { signal })
  }
  to.end()
}

function bodyOf(response: IssuerResponse, document: Json): Uint8Array {
  return Buffer.from((response.body ?? JSON.stringify(response.document ?? document)) as string)
}

function etagOf(body: Uint8Array): string {
  return `"${createHash('sha256').update(body).digest('base64url').slice(0, 16)}"`
}

function isKnown(request: IncomingMessage, etag: string): boolean {
  return request.headers['if-none-match']?.split(',').some((known) => known.trim() === etag) ?? false
}

async function sendEndless(
  to: ServerResponse,
  headers: Record<string, string>,
  status: number,
  socket: Socket,
): Promise<void> {
  to.writeHead(status, headers)
  const chunk = Buffer.alloc(64 * 1024, ' ')
  to.write('{"keys":[')
  for (let sent = 0; sent < ENDLESS_LIMIT && !socket.destroyed; sent += chunk.length) {
    if (!to.write(chunk)) {
      await new Promise<void>((resolve) => {
        const goOn = (): void => {
          to.off('drain', goOn).off('close', goOn)
          resolve()
        }
        to.on('drain', goOn).on('close', goOn)
      })
    }
  }
  to.end()
}

/** White space may stand before any JSON text (RFC 8259 section 2): the document stays valid, however long. */
function sendPadded(
  to: ServerResponse,
  { padding = 0, gzip, status = 200 }: IssuerResponse,
  headers: Record<string, string>,
  body: Uint8Array,
): void {
  const chunk = Buffer.alloc(1024 * 1024, ' ')
  const parts = function* () {
    for (let left = padding; left > 0; left -= chunk.length) yield chunk.subarray(0, Math.min(left, chunk.length))
    yield body
  }
  to.writeHead(status, gzip ? { ...headers, 'content-encoding': 'gzip' } : headers)
  const through = gzip ? [createGzip({ level: 9 })] : []
  pipeline([Readable.from(parts()), ...through, to], () => {
    // A client that has had enough closes the connection: that is the point.
  })
}
