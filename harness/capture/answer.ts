import { createHash } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Answering } from '../model/capture.ts'
import type { HeaderLines } from '../model/http.ts'
import type { Recorded } from './arrival.ts'
import { valuesOf } from './head.ts'
import type { Plan } from './programmes.ts'
import { aborted, pause, reset, send } from './wire.ts'
import type { Wire } from './wire.ts'

/** What the connection is good for behind the answer. */
export type After = 'kept' | 'closed' | 'tunnel'

/** Octets that a length promises beyond those that are sent, where the message is to be incomplete. */
const MISSING = 64

/** RFC 6455 section 1.3. */
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

const FAULTS_BEFORE_THE_HEAD = ['never', 'reset-unanswered', 'close-unanswered']
const FAULTS_OF_THE_BODY = ['reset-mid-body', 'close-mid-body', 'close-mid-chunk']

/** Whether the answer turns the connection into a tunnel. */
export function upgrades({ upgrade }: Answering, arrival: Recorded): boolean {
  const names = (name: string, value: string): boolean =>
    arrival.header(name).some((list) =>
      list
        .toLowerCase()
        .split(/[\s,]+/u)
        .includes(value),
    )
  return upgrade !== undefined && names('upgrade', upgrade) && names('connection', 'upgrade')
}

/** Answers one request as planned, as far as the other side lets it. */
export async function answer(wire: Wire, arrival: Recorded, plan: Plan, marker: string): Promise<After> {
  const { answering } = plan
  if (!(await plan.admitted(wire.gone))) return 'closed'
  if (answering.hints && arrival.version !== 'HTTP/1.0' && !(await send(wire, headOf(103, answering.hints))))
    return 'closed'
  if (answering.delayMs !== undefined && !(await pause(answering.delayMs, wire.gone))) return 'closed'
  if (answering.fault !== undefined && FAULTS_BEFORE_THE_HEAD.includes(answering.fault)) {
    await failBefore(wire, plan)
    return 'closed'
  }
  if (upgrades(answering, arrival)) return await switchProtocol(wire, arrival, plan, marker)
  return await respond(wire, arrival, plan, marker)
}

async function failBefore(wire: Wire, { answering, served, over }: Plan): Promise<void> {
  if (wire.gone.aborted) return
  served()
  if (answering.fault === 'reset-unanswered') reset(wire)
  if (answering.fault === 'never') {
    // Nothing will be sent: whoever has ended waits for nothing.
    await aborted(wire.gone, wire.ended, over)
    wire.socket.destroy()
  }
}

async function respond(wire: Wire, arrival: Recorded, plan: Plan, marker: string): Promise<After> {
  const { answering } = plan
  const status = answering.status ?? (answering.redirect === undefined ? 200 : 302)
  const bodiless = arrival.method === 'HEAD' || status === 204 || status === 304 || status < 200
  // What has no body cannot break off within it: the answer is whole then, and no fault was served.
  const fault = bodiless && FAULTS_OF_THE_BODY.includes(answering.fault ?? '') ? undefined : answering.fault
  const pieces = piecesOf(answering, marker)
  const chunked = isChunked(answering) && arrival.version === 'HTTP/1.1'
  const close = answering.close === true || fault !== undefined || !persists(arrival)
  // A stream for a client of HTTP/1.0 ends with the connection.
  const endless = isChunked(answering) && !chunked
  const octets = pieces.reduce((sum, piece) => sum + piece.length, 0)
  const head = headOf(status, [
    ...ordinaryHeaders(answering),
    ...(chunked ? [['Transfer-Encoding', 'chunked'] as const] : []),
    ...(chunked || endless || status === 204 || status < 200
      ? []
      : [['Content-Length', String(octets + (fault === undefined ? 0 : MISSING))] as const]),
    ...(close || endless ? [['Connection', 'close'] as const] : []),
    ...(!close && !endless && arrival.version === 'HTTP/1.0' ? [['Connection', 'keep-alive'] as const] : []),
  ])
  arrival.status = status
  if (!(await send(wire, head))) return 'closed'
  if (fault !== 'reset-after-head' && !bodiless && !(await sendBody(wire, answering, pieces, chunked, fault)))
    return 'closed'
  if (fault === 'reset-after-head' || fault === 'reset-mid-body') reset(wire)
  if (fault === answering.fault) plan.served()
  return close || endless ? 'closed' : 'kept'
}

async function sendBody(
  wire: Wire,
  answering: Answering,
  pieces: readonly Buffer[],
  chunked: boolean,
  fault: Answering['fault'],
): Promise<boolean> {
  for (const [at, piece] of pieces.entries()) {
    if (at > 0 && answering.everyMs !== undefined && !(await pause(answering.everyMs, wire.gone))) return false
    const size = piece.length + (fault === undefined ? 0 : MISSING)
    const framed = chunked
      ? [Buffer.from(`${size.toString(16)}\r\n`), piece, ...(fault === undefined ? [Buffer.from('\r\n')] : [])]
      : [piece]
    if (piece.length > 0 && !(await send(wire, Buffer.concat(framed)))) return false
    // The first chunk is the one that breaks off.
    if (chunked && fault !== undefined) return true
  }
  return !chunked || (await send(wire, `0\r\n${fieldLines(answering.trailers ?? [])}\r\n`))
}

async function switchProtocol(wire: Wire, arrival: Recorded, plan: Plan, marker: string): Promise<After> {
  const { answering, served } = plan
  const [key] = arrival.header('sec-websocket-key')
  const websocket = answering.upgrade === 'websocket'
  const head = headOf(101, [
    ...(answering.headers ?? []),
    ['Connection', 'Upgrade'],
    ['Upgrade', answering.upgrade ?? ''],
    ...(websocket && key !== undefined ? [['Sec-WebSocket-Accept', acceptOf(key)] as const] : []),
  ])
  arrival.status = 101
  const first = websocket ? textFrame(Buffer.from(marker)) : Buffer.alloc(0)
  if (!(await send(wire, Buffer.concat([Buffer.from(head, 'latin1'), first])))) return 'closed'
  served()
  return 'tunnel'
}

function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}${WEBSOCKET_GUID}`).digest('base64')
}

/** One whole text frame of a server (RFC 6455 section 5.2). */
function textFrame(data: Buffer): Buffer {
  const length = data.length < 126 ? [data.length] : [126, data.length >> 8, data.length & 0xff]
  return Buffer.concat([Buffer.from([0x81, ...length]), data])
}

function isChunked({ chunked, trailers, events, fault }: Answering): boolean {
  return chunked === true || trailers !== undefined || events !== undefined || fault === 'close-mid-chunk'
}

function piecesOf(answering: Answering, marker: string): readonly Buffer[] {
  const { events, body = marker, pieceOctets } = answering
  if (events) return events.map((data) => Buffer.from(`data: ${data}\n\n`))
  const whole = Buffer.from(body as string)
  if (pieceOctets === undefined) return [whole]
  return Array.from({ length: Math.ceil(whole.length / pieceOctets) }, (_, at) =>
    whole.subarray(at * pieceOctets, (at + 1) * pieceOctets),
  )
}

function ordinaryHeaders({ headers = [], redirect, events }: Answering): HeaderLines {
  const lacks = (name: string): boolean => valuesOf(headers, name).length === 0
  // No Date: where an origin sends none, the one that a client sees is the gateway's (RFC 9110 section 6.6.1), and
  // tells what its clock says.
  return [
    ...headers,
    ...(redirect === undefined ? [] : [['Location', redirect] as const]),
    ...(lacks('content-type') ? [['Content-Type', events ? 'text/event-stream' : 'text/plain'] as const] : []),
  ]
}

function headOf(status: number, headers: HeaderLines): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unnamed'}\r\n${fieldLines(headers)}\r\n`
}

function fieldLines(headers: HeaderLines): string {
  return headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
}

/** Whether the client expects the connection to stay open (RFC 9112 section 9.3). */
function persists(arrival: Recorded): boolean {
  const options = arrival.header('connection').flatMap((list) => list.toLowerCase().split(/[\s,]+/u))
  if (options.includes('close')) return false
  return arrival.version === 'HTTP/1.1' || options.includes('keep-alive')
}
