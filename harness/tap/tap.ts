import net from 'node:net'
import type { Socket } from 'node:net'
import tls from 'node:tls'
import { Recorded } from '../capture/arrival.ts'
import { readChunks, readContent } from '../capture/chunks.ts'
import { MOST_HEAD_OCTETS } from '../capture/connection.ts'
import { extentOf, lengthAnomalies } from '../capture/framing.ts'
import { parseHead, valuesOf } from '../capture/head.ts'
import { createCaptureJournal } from '../capture/journal.ts'
import type { CaptureJournal } from '../capture/journal.ts'
import { findHeadEnd, Source } from '../capture/source.ts'
import type { Clock } from '../clock/clock.ts'
import type { CaptureOrigin } from '../model/capture.ts'
import { listenOn } from './listen.ts'
import type { Listening } from './listen.ts'

/** A relay between a gateway and its origin that changes no octet, and records the requests that pass. */
export interface Tap extends Listening, Pick<CaptureOrigin, 'all' | 'mark' | 'since' | 'requestsOf' | 'onArrival'> {
  /** Relays connections that are opened from now on to scheme, host and port of this URL; before, they are reset. */
  readonly to: (originUrl: string) => void
}

/** What a tap is started with. */
export interface TapOptions {
  /** Default 0: a free one. */
  readonly port?: number
  /** Tells when requests arrive; default: that of the machine. */
  readonly clock?: Clock
}

/** Starts a tap; ERR_PORT_IN_USE when the port is taken. */
export async function startTap({ port = 0, clock = { nowMs: Date.now } }: TapOptions = {}): Promise<Tap> {
  const journal = createCaptureJournal()
  const upstreams = new Set<Socket>()
  let destination: URL | undefined
  let connections = 0

  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    connections += 1
    socket.setNoDelay(true)
    if (!destination) {
      socket.on('error', () => undefined)
      socket.resetAndDestroy()
      return
    }
    const upstream = connectTo(destination)
    upstreams.add(upstream)
    upstream.once('close', () => {
      upstreams.delete(upstream)
    })
    // Both listen to the same octets, so that the record is there before the origin can have answered.
    void record(new Source(socket), connections, journal, clock)
    join(socket, upstream)
  })
  const listening = await listenOn(server, port)
  return {
    port: listening.port,
    url: listening.url,
    to(originUrl) {
      destination = new URL(originUrl)
    },
    all: journal.all,
    mark: journal.mark,
    since: journal.since,
    requestsOf: journal.requestsOf,
    onArrival: journal.onArrival,
    async [Symbol.asyncDispose]() {
      await listening[Symbol.asyncDispose]()
      for (const upstream of upstreams) upstream.destroy()
    },
  }
}

function connectTo({ protocol, hostname, port }: URL): Socket {
  const host = hostname.replaceAll(/^\[|\]$/gu, '')
  const isSecure = protocol === 'https:'
  const place = { host, port: Number(port === '' ? (isSecure ? 443 : 80) : port), allowHalfOpen: true }
  const servername = net.isIP(host) === 0 ? { servername: host } : {}
  const upstream: Socket = isSecure ? tls.connect({ ...place, ...servername }) : net.connect(place)
  return upstream.setNoDelay(true)
}

/** Passes octets and ends both ways; what breaks on one side breaks on the other. */
function join(socket: Socket, upstream: Socket): void {
  socket.pipe(upstream)
  upstream.pipe(socket)
  for (const [one, other] of [
    [socket, upstream],
    [upstream, socket],
  ] as const) {
    one.on('error', () => {
      other.resetAndDestroy()
    })
    one.once('close', () => {
      if (other.writableEnded) return
      other.destroy()
    })
  }
}

/** Reads along until the connection ends, becomes a tunnel, or says what no strict origin takes. */
async function record(source: Source, connection: number, journal: CaptureJournal, clock: Clock): Promise<void> {
  for (let turn = 1; ; turn += 1) {
    const end = await findHeadEnd(source, MOST_HEAD_OCTETS)
    if (typeof end !== 'number') break
    const octets = Buffer.from(source.take(end))
    const head = parseHead(octets)
    const extent = extentOf(head, 'strict')
    const occasion = {
      origin: 'tap',
      readAs: 'strict' as const,
      sequence: journal.next(),
      connection,
      turn,
      atMs: clock.nowMs(),
      monotonicMs: performance.now(),
    }
    const arrival = new Recorded(occasion, octets, head, extent, lengthAnomalies(head))
    const done = journal.add(arrival)
    const isWhole =
      extent.kind === 'chunked'
        ? await readChunks(source, 'strict', arrival)
        : await readContent(source, 'length' in extent ? extent.length : 0, arrival.content)
    arrival.state = isWhole ? 'whole' : 'cut'
    done()
    if (!isWhole || valuesOf(head.headers, 'upgrade').length > 0) break
  }
  source.discard()
}
