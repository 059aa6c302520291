import net from 'node:net'
import tls from 'node:tls'
import { BODY_LIMIT, codeOf, failureOf } from './wire.ts'
import type { WireAnswer, WireRequest } from './wire.ts'

/** Octets of a request whose header values hold what an HTTP library would refuse or normalise. */
export function requestOctets(request: WireRequest, host: string): Buffer {
  const body = Buffer.from(request.body ?? '')
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
  const started = performance.now()
  const { received, error } = await collect(origin, octets, deadlineMs)
  const ms = performance.now() - started
  const answer = parseAnswer(received)
  if (answer) return { ...answer, ms, connection }
  const timedOut = error === 'deadline'
  const code = timedOut || error === undefined ? 'none' : codeOf(error)
  const failure = received.length > 0 && !timedOut ? 'malformed' : failureOf(code, timedOut)
  return { status: 0, headers: [], body: '', failure, code, ms, connection }
}

function collect(
  origin: URL,
  octets: Uint8Array,
  deadlineMs: number,
): Promise<{ received: Buffer; error?: Error | 'deadline' }> {
  return new Promise((resolve) => {
    const port = Number(origin.port) || (origin.protocol === 'https:' ? 443 : 80)
    const host = origin.hostname.replaceAll(/^\[|\]$/gu, '')
    const socket =
      origin.protocol === 'https:'
        ? tls.connect({ port, host, ...(net.isIP(host) === 0 ? { servername: host } : {}) })
        : net.connect({ port, host })
    const chunks: Buffer[] = []
    const isHead = Buffer.from(octets.subarray(0, 5)).toString('latin1') === 'HEAD '
    const finish = (error?: Error | 'deadline'): void => {
      clearTimeout(timer)
      socket.destroy()
      const received = Buffer.concat(chunks)
      resolve(error === undefined ? { received } : { received, error })
    }
    const timer = setTimeout(finish, deadlineMs, 'deadline')
    socket.on('error', finish)
    socket.on('close', () => {
      finish()
    })
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      if (isComplete(Buffer.concat(chunks), isHead)) finish()
    })
    socket.write(octets)
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
  // 101 ends the HTTP of the connection, and these have no body (RFC 9112 section 6.3).
  if (head.status === 101 || head.status === 204 || head.status === 304 || isHead) return true
  const body = received.subarray(head.bodyAt)
  if (body.length >= BODY_LIMIT) return true
  if (headerOf(head, 'transfer-encoding')?.toLowerCase() === 'chunked') return body.includes('0\r\n\r\n')
  const length = headerOf(head, 'content-length')
  return length === undefined ? false : body.length >= Number(length)
}

function parseAnswer(received: Buffer): Pick<WireAnswer, 'status' | 'headers' | 'body'> | undefined {
  const head = parseHead(received)
  if (!head) return undefined
  let body = received.subarray(head.bodyAt)
  if (headerOf(head, 'transfer-encoding')?.toLowerCase() === 'chunked') body = unchunked(body)
  return { status: head.status, headers: head.headers, body: body.subarray(0, BODY_LIMIT).toString('utf8') }
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
