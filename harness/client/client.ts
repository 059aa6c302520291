import type { Connection } from '../model/http.ts'
import { Lane } from './lane.ts'
import { exchangeRaw, exchangeVolley, requestOctets, talkRaw } from './raw.ts'
import type { Talk, Talked } from './raw.ts'
import type { WireAnswer, WireRequest } from './wire.ts'

/** Methods that an HTTP library sends as they are. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Headers that an HTTP library would not let the caller set, or would act upon. */
const OWN_HEADERS = /^(?:host|connection|upgrade|content-length|transfer-encoding|expect|keep-alive)$/iu

/** Connections that the client keeps to one origin. */
const MOST_LANES = 64

/** An HTTP/1.1 client for one origin: any header lines, deadlines, and the number of the socket of every answer. */
export interface Client extends AsyncDisposable {
  /** Sends once. Only where a kept-alive socket was closed before any octet came back, a fresh one is taken. */
  readonly send: (request: WireRequest, on?: Connection) => Promise<WireAnswer>
  /** Sends all at the same moment, each on a connection of its own that was open before. */
  readonly volley: (requests: readonly WireRequest[], withinMs?: number) => Promise<readonly WireAnswer[]>
  /** Sends octets on a connection of their own. */
  readonly talk: (octets: Uint8Array, talk: Partial<Talk>) => Promise<Talked>
  /** A connection of its own, opened by the first request on it. */
  readonly connect: () => Connection
  /** Whether the octets of the request need a raw socket. */
  readonly needsRaw: (request: WireRequest) => boolean
  /** Closes the connections that no request is on, so that the next ones are fresh. */
  readonly renew: () => Promise<void>
}

/**
 * `deadlineMs` bounds every request from its first octet to the last one of the answer. `spend` is told of requests that
 * are about to be sent; what it throws is thrown in their place.
 */
export function createClient(origin: URL, deadlineMs: number, spend: (requests: number) => void = () => {}): Client {
  let sockets = 0
  const nextSocket = (): number => {
    sockets += 1
    return sockets
  }
  const lanes = new Set<Lane>()
  const idle: Lane[] = []
  const waiting: ((lane: Lane) => void)[] = []
  const own = new Map<Connection, Lane>()

  const newLane = (): Lane => {
    const lane = new Lane(origin.origin, nextSocket)
    lanes.add(lane)
    return lane
  }
  const take = (): Lane | Promise<Lane> => {
    const free = idle.pop()
    if (free) return free
    if (lanes.size - own.size < MOST_LANES) return newLane()
    return new Promise((resolve) => {
      waiting.push(resolve)
    })
  }
  const release = (lane: Lane): void => {
    const next = waiting.shift()
    if (next) next(lane)
    else idle.push(lane)
  }

  const sendOnLane = async (request: WireRequest): Promise<WireAnswer> => {
    const lane = await take()
    try {
      const answer = await lane.send(request, request.withinMs ?? deadlineMs)
      // A server may close an idle socket at any time (RFC 9112 section 9.5): that says nothing about the request.
      if (answer.failure !== 'reset' || !answer.reused) return answer
      spend(1)
      return await lane.send(request, request.withinMs ?? deadlineMs)
    } finally {
      release(lane)
    }
  }

  const needsRaw = (request: WireRequest): boolean =>
    !METHODS.has(request.method) ||
    !/^\/[\u0021-\u007e]*$/u.test(request.target) ||
    request.headers.some(([name]) => OWN_HEADERS.test(name)) ||
    // eslint-disable-next-line no-control-regex -- the octets that a header value must not hold (RFC 9110 section 5.5)
    request.headers.some(([, value]) => /[^\t\u0020-\u007e\u0080-\u00ff]|^[ \t]|[ \t]$/u.test(value))

  return {
    needsRaw,
    async renew() {
      const unused = idle.splice(0)
      for (const lane of unused) lanes.delete(lane)
      await Promise.all(unused.map((lane) => lane[Symbol.asyncDispose]()))
    },
    async send(request, on) {
      spend(1)
      if (on) {
        const lane = own.get(on)
        if (!lane) throw new Error('This connection was closed or belongs to another client')
        return await lane.send(request, request.withinMs ?? deadlineMs)
      }
      if (request.raw || needsRaw(request)) {
        const octets = requestOctets(request, origin.host)
        return await exchangeRaw(origin, octets, nextSocket(), request.withinMs ?? deadlineMs)
      }
      return await sendOnLane(request)
    },
    async volley(requests, withinMs = deadlineMs) {
      spend(requests.length)
      const shots = requests.map((request) => {
        return { octets: requestOctets(request, origin.host), deadlineMs: request.withinMs ?? withinMs }
      })
      return await exchangeVolley(origin, shots, nextSocket)
    },
    async talk(octets, { answers = 1, withinMs = deadlineMs, lingerMs = 0 }) {
      spend(1)
      return await talkRaw(origin, octets, { answers, withinMs, lingerMs })
    },
    connect() {
      const lane = newLane()
      const connection: Connection = {
        get open() {
          return lane.open
        },
        async [Symbol.asyncDispose]() {
          own.delete(connection)
          lanes.delete(lane)
          await lane[Symbol.asyncDispose]()
        },
      }
      own.set(connection, lane)
      return connection
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...lanes].map((lane) => lane[Symbol.asyncDispose]()))
    },
  }
}
