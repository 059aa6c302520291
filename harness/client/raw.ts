import net from 'node:net'
import tls from 'node:tls'
import { BODY_LIMIT, codeOf, failureOf } from './wire.ts'
import type { WireAnswer, WireRequest } from './wire.ts'

/** Octets of a request whose header values hold what an HTTP library would refuse or normalise. */
export function requestOctets(request: WireRequest, host: string): Buffer {
  const body = typeof request.body === 'string' ? Buffer.from(request.body) : (request.body ?? Buffer.alloc(0))
  const has = (name: string): boolean => request.headers.some(([other]) => other.toLowerCase() === name)
  const lines = [
    `${request.method} ${request.target} HTTP/1.1`,
    ...(has('host') ? [] : [`Host: ${host}`]),
    ...request.headers.map(([name, value]) => `${name}: ${value}`),
    ...(body.length > 0 || request.method === 'POST' ? [`Content-Length: ${body.length}`] : []),
    ...(has('connection') ? [] : ['Connection: close']),
  ]
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body])
}

/** Sends octets on a socket of their own and reads one answer; a failure is an answer, not an exception. */
export async function exchangeRaw(
  origin: URL,
  octets: Uint8Array,
  connection: number,
  deadlineMs: number,
): Promise<WireAnswer> {
  return await converse(dial(origin), octets, connection, deadlineMs)
}

/** Sends all at the same moment, on connections that were all open before; the answers in the order of what was sent. */
export async function exchangeVolley(
  origin: URL,
  shots: readonly { readonly octets: Uint8Array; readonly deadlineMs: number }[],
  next: () => number,
): Promise<readonly WireAnswer[]> {
  const sockets = shots.map(() => dial(origin))
  await Promise.all(sockets.map((socket) => opened(socket, origin)))
  return await Promise.all(
    shots.map(
      async ({ octets, deadlineMs }, at) => await converse(sockets[at] as net.Socket, octets, next(), deadlineMs),
    ),
  )
}

/** What is to come back on a raw socket before it is closed. */
export interface Talk {
  /** Answers that have to be whole. */
  readonly answers: number
  readonly withinMs: number
  /** Milliseconds to wait for more once they are. */
  readonly lingerMs: number
}

/** What came back on a raw socket: all of it, the status of each answer, and whether the other side closed it. */
export interface Talked {
  readonly text: string
  readonly statuses: readonly number[]
  readonly closed: boolean
}

/** Sends octets on a socket of their own, and gives all that comes back until it is enough. */
export async function talkRaw(origin: URL, octets: Uint8Array, { answers, withinMs, lingerMs }: Talk): Promise<Talked> {
  const isHead = isHeadRequest(octets)
  const enough = (received: Buffer): boolean => answersIn(received, isHead).whole >= answers
  const { received, error } = await collect(dial(origin), octets, withinMs, enough, lingerMs)
  const { statuses } = answersIn(received, isHead)
  return { text: received.toString('latin1'), statuses, closed: error === 'closed' }
}

function dial(origin: URL): net.Socket {
  const port = Number(origin.port) || (origin.protocol === 'https:' ? 443 : 80)
  const host = origin.hostname.replaceAll(/^\[|\]$/gu, '')
  const socket =
    origin.protocol === 'https:'
      ? tls.connect({ port, host, ...(net.isIP(host) === 0 ? { servername: host } : {}) })
      : net.connect({ port, host })
  return socket.setNoDelay(true)
}

/** Resolves once the socket is connected, or will never be. */
function opened(socket: net.Socket, { protocol }: URL): Promise<void> {
  return new Promise((resolve) => {
    socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', resolve)
    socket.once('close', () => {
      resolve()
    })
    // Whoever converses on it afterwards is told by its end.
    socket.on('error', () => undefined)
  })
}

async function converse(
  socket: net.Socket,
  octets: Uint8Array,
  connection: number,
  deadlineMs: number,
): Promise<WireAnswer> {
  const started = performance.now()
  const isHead = isHeadRequest(octets)
  const { received, error } = await collect(socket, octets, deadlineMs, (all) => isComplete(all, isHead), 0)
  const ms = performance.now() - started
  const answer = parseAnswer(received, isHead)
  if (answer) return { ...answer, ms, connection }
  const timedOut = error === 'deadline'
  const code = error instanceof Error ? codeOf(error) : 'none'
  const failure = received.length > 0 && !timedOut ? 'malformed' : failureOf(code, timedOut)
  return { status: 0, headers: [], body: '', failure, code, ms, connection }
}

function isHeadRequest(octets: Uint8Array): boolean {
  return Buffer.from(octets.subarray(0, 5)).toString('latin1') === 'HEAD '
}

function collect(
  socket: net.Socket,
  octets: Uint8Array,
  deadlineMs: number,
  enough: (received: Buffer) => boolean,
  lingerMs: number,
): Promise<{ received: Buffer; error?: Error | 'deadline' | 'closed' }> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let lingering: NodeJS.Timeout | undefined
    const finish = (error?: Error | 'deadline' | 'closed'): void => {
      clearTimeout(timer)
      clearTimeout(lingering)
      socket.destroy()
      const received = Buffer.concat(chunks)
      resolve(error === undefined ? { received } : { received, error })
    }
    const timer = setTimeout(finish, deadlineMs, 'deadline')
    let failure: Error | undefined
    socket.on('error', (error) => {
      failure = error
    })
    socket.on('close', () => {
      finish(failure ?? 'closed')
    })
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      if (lingering !== undefined || !enough(Buffer.concat(chunks))) return
      if (lingerMs === 0) finish()
      else lingering = setTimeout(finish, lingerMs)
    })
    if (socket.destroyed) finish(socket.errored ?? 'closed')
    else socket.write(octets)
  })
}

interface Head {
  readonly status: number
  readonly headers: (readonly [string, string])[]
  readonly bodyAt: number
}

function parseHead(received: Buffer): Head | undefined {
  const end = received.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [statusLine = '', ...lines] = received.toString('latin1', 0, end).split('\r\n')
  const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/u.exec(statusLine)
  if (!status) return undefined
  const headers = lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const
  })
  return { status: Number(status[1]), headers, bodyAt: end + 4 }
}

function headerOf(head: Head, name: string): string | undefined {
  return head.headers.find(([other]) => other.toLowerCase() === name)?.[1]
}

function isComplete(received: Buffer, isHead: boolean): boolean {
  const head = parseHead(received)
  if (!head) return false
  const body = received.subarray(head.bodyAt)
  return body.length >= BODY_LIMIT || bodyLength(head, body, isHead) !== undefined
}

/** Octets of the body with its framing; undefined while it is not whole, or ends with the connection. */
function bodyLength(head: Head, body: Buffer, isHead: boolean): number | undefined {
  // 101 ends the HTTP of the connection, and these have no body (RFC 9112 section 6.3).
  if (head.status === 101 || head.status === 204 || head.status === 304 || isHead) return 0
  if (headerOf(head, 'transfer-encoding')?.toLowerCase() === 'chunked') return chunkedLength(body)
  const length = headerOf(head, 'content-length')
  return length !== undefined && body.length >= Number(length) ? Number(length) : undefined
}

/** Octets of a chunked body with its trailers; undefined while it is not whole. */
function chunkedLength(body: Buffer): number | undefined {
  for (let at = 0; ;) {
    const lineEnd = body.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(body.toString('latin1', at, lineEnd), 16)
    if (size === 0) {
      const end = body.indexOf('\r\n\r\n', lineEnd)
      return end < 0 ? undefined : end + 4
    }
    if (!(size > 0)) return undefined
    at = lineEnd + 2 + size + 2
  }
}

/** Statuses of the answers that have begun, without interim ones, and how many of them are whole. */
function answersIn(
  received: Buffer,
  isHead: boolean,
): { readonly statuses: readonly number[]; readonly whole: number } {
  const statuses: number[] = []
  let whole = 0
  for (let rest = received; ;) {
    const head = parseHead(rest)
    if (!head) return { statuses, whole }
    const body = rest.subarray(head.bodyAt)
    if (head.status >= 100 && head.status < 200 && head.status !== 101) {
      rest = body
      continue
    }
    statuses.push(head.status)
    const length = bodyLength(head, body, isHead)
    if (length === undefined) return { statuses, whole }
    whole += 1
    rest = body.subarray(length)
  }
}

function parseAnswer(
  received: Buffer,
  isHead: boolean,
): Pick<WireAnswer, 'status' | 'headers' | 'body' | 'cut'> | undefined {
  const head = parseHead(received)
  if (!head) return undefined
  let body = received.subarray(head.bodyAt)
  if (headerOf(head, 'transfer-encoding')?.toLowerCase() === 'chunked') body = unchunked(body)
  const isBound = ['content-length', 'transfer-encoding'].some((name) => headerOf(head, name) !== undefined)
  const cut = isBound && !isComplete(received, isHead)
  return {
    status: head.status,
    headers: head.headers,
    body: body.subarray(0, BODY_LIMIT).toString('utf8'),
    ...(cut ? { cut } : {}),
  }
}

function unchunked(body: Buffer): Buffer {
  const parts: Buffer[] = []
  let at = 0
  while (at < body.length) {
    const lineEnd = body.indexOf('\r\n', at)
    const size = lineEnd < 0 ? 0 : Number.parseInt(body.toString('latin1', at, lineEnd), 16)
    if (!(size > 0)) break
    parts.push(body.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
  }
  return Buffer.concat(parts)
}
