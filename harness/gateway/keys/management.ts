import { timingSafeEqual } from 'node:crypto'
import http from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TrustspecError } from '../../model/errors.ts'
import type { JsonObject } from '../../model/json.ts'
import { Headers } from '../headers.ts'
import { answerAndPart } from '../linger.ts'
import { anyObject } from '../options.ts'
import { problem, replyOf } from '../reply.ts'
import type { Reply, Verdict } from '../reply.ts'
import { hashOf } from './format.ts'
import { OPERATIONS } from './operations.ts'
import type { Managed } from './operations.ts'
import { KeyStoreError } from './store.ts'

/** What the API manages, and who may. */
export interface ManagementOptions extends Managed {
  /** Bearer token that every call needs. */
  readonly credential: string
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly nowMs: () => number
}

/** A management API that listens. */
export interface Management extends AsyncDisposable {
  /** `http://host:port/v1`. */
  readonly url: string
}

const MOST_OCTETS = 64 * 1024

/** Milliseconds for which what still comes of a refused body is read away. */
const PART_MS = 1_000

/** A body that is not read, or not to its end: the connection closes behind the answer. */
class BodyError extends Error {
  override readonly name = 'BodyError'
  readonly status: 413 | 415

  constructor(status: 413 | 415, message: string) {
    super(message)
    this.status = status
  }
}

const JSON_TYPE = /^application\/json *(?:;|$)/iu

/** Starts the management API, on a port of its own. */
export async function startManagement(options: ManagementOptions): Promise<Management> {
  const expected = Buffer.from(hashOf(options.credential))
  const server = http.createServer((incoming, response) => {
    const headers = new Headers(incoming.rawHeaders)
    const [path = '/', query = ''] = (incoming.url ?? '/').split('?')
    const answered = isAllowed(headers.get('authorization'), expected)
      ? answer(options, incoming, path, new URLSearchParams(query))
      : Promise.resolve<Verdict>(problem(401, { headers: [['WWW-Authenticate', 'Bearer realm="management"']] }))
    void answered
      .catch((error: unknown) => {
        if (error instanceof BodyError) return problem(error.status, { detail: error.message, close: true })
        return error instanceof KeyStoreError ? problem(error.status, { detail: error.message }) : problem(503)
      })
      .then((verdict) => {
        const reply: Reply =
          'problem' in verdict ? replyOf(verdict, { instance: path, requestId: '', nowMs: options.nowMs() }) : verdict
        response.writeHead(reply.status, [
          ...reply.headers.flat(),
          'Content-Length',
          String(Buffer.byteLength(reply.body)),
          ...(reply.close === true ? ['Connection', 'close'] : []),
        ])
        if (reply.close === true) {
          answerAndPart(response, reply.body, PART_MS)
          return
        }
        incoming.resume()
        response.end(incoming.method === 'HEAD' ? undefined : reply.body)
      })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = { port: options.port, instead: 'another --management-port, or 0' }
      reject(
        error.code === 'EADDRINUSE'
          ? new TrustspecError('ERR_PORT_IN_USE', 'The port is taken', taken, { cause: error })
          : error,
      )
    })
    server.listen(options.port, options.host, resolve)
  })
  return {
    url: `http://${options.host}:${(server.address() as AddressInfo).port}/v1`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => {
        server.close(resolve)
      })
      server.closeAllConnections()
      await closed
    },
  }
}

/** Compares hashes, so that the time tells nothing of the credential. */
function isAllowed(authorization: string | undefined, expected: Buffer): boolean {
  const given = /^Bearer +(\S+)$/iu.exec(authorization ?? '')?.[1]
  return given !== undefined && timingSafeEqual(Buffer.from(hashOf(given)), expected)
}

async function answer(
  options: ManagementOptions,
  incoming: IncomingMessage,
  path: string,
  query: URLSearchParams,
): Promise<Verdict> {
  const segments = path.split('/')
  const fitting = OPERATIONS.filter(([, pattern]) => {
    const places = pattern.split('/')
    return places.length === segments.length && places.every((place, at) => place === '*' || place === segments[at])
  })
  const found = fitting.find(([method]) => method === incoming.method)
  if (!found) {
    const methods = fitting.map(([method]) => method)
    return methods.length === 0 ? problem(404) : problem(405, { headers: [['Allow', methods.join(', ')]] })
  }
  const [, pattern, operation] = found
  const at = pattern.split('/').flatMap((place, index) => (place === '*' ? decoded(segments[index] ?? '') : []))
  return await operation({ ...options, query, at, body: () => bodyOf(incoming) })
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new KeyStoreError(400, 'The path is not percent-encoded as it should be')
  }
}

async function bodyOf(incoming: IncomingMessage): Promise<JsonObject> {
  const chunks: Uint8Array[] = []
  let octets = 0
  // The iterator would close the connection with itself, and the refusal would not be seen.
  for await (const chunk of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
    if (!JSON_TYPE.test(incoming.headers['content-type'] ?? '')) {
      throw new BodyError(415, 'The type of a body is application/json')
    }
    octets += chunk.length
    if (octets > MOST_OCTETS) throw new BodyError(413, `A body has at most ${MOST_OCTETS} octets`)
    chunks.push(chunk)
  }
  if (octets === 0) return {}
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    if (anyObject(value) === undefined) return value as JsonObject
  } catch {
    // Told below, like everything that is no object.
  }
  throw new KeyStoreError(400, 'The body is no JSON object')
}
