import { timingSafeEqual } from 'node:crypto'
import http from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TrustspecError } from '../../model/errors.ts'
import type { JsonObject } from '../../model/json.ts'
import { Headers } from '../headers.ts'
import { answerAndPart } from '../linger.ts'
import { anyObject, anyText, flag, listOf, objectOf, text } from '../options.ts'
import type { OptionCheck } from '../options.ts'
import { jsonReply, problem, replyOf } from '../reply.ts'
import type { Reply, Verdict } from '../reply.ts'
import type { Consumer, StoredKey } from './book.ts'
import { hashOf } from './format.ts'
import { DEFAULT_BUCKET, KeyStoreError } from './store.ts'
import type { KeyStore, MadeKey } from './store.ts'

/** What the API manages, and who may. */
export interface ManagementOptions {
  readonly store: KeyStore
  /** Bearer token that every call needs. */
  readonly credential: string
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Rotates and revokes signing keys; undefined where there is no JWT service. */
  readonly signing?: {
    readonly rotate: () => Promise<{ readonly kid: string; readonly activeMs: number }>
    readonly revoke: (kid: string) => Promise<boolean>
  }
  /** Counters in the text format of Prometheus. */
  readonly metrics?: () => string
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

/** Consumers in one answer, where the caller does not say. */
const PAGE = 100

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

interface Call {
  readonly options: ManagementOptions
  readonly store: KeyStore
  readonly query: URLSearchParams
  /** Values of the places in the path. */
  readonly at: readonly string[]
  readonly body: () => Promise<JsonObject>
}

type Operation = (call: Call) => Promise<Verdict> | Verdict

const consumerBody: OptionCheck = objectOf({
  name: text,
  description: anyText,
  metadata: anyObject,
  tags: anyObject,
  managers: listOf(text),
  disabled: flag,
})

const keyBody: OptionCheck = objectOf({
  description: anyText,
  disabled: flag,
  expiresOn: (value) => (value === null ? undefined : text(value)),
})

/** The operations, by method and path; `*` is one segment. */
const OPERATIONS: readonly (readonly [method: string, path: string, operation: Operation])[] = [
  ['GET', '/v1/metrics', ({ options: { metrics } }) => textReply(metrics?.() ?? '')],
  ['GET', '/v1/key-buckets', ({ store }) => jsonReply(200, { data: store.buckets() })],
  [
    'POST',
    '/v1/key-buckets',
    async ({ store, body }) => {
      const { name, description } = checked(await body(), objectOf({ name: text, description: anyText }, ['name']))
      return jsonReply(201, await store.createBucket(String(name), typeof description === 'string' ? description : ''))
    },
  ],
  ['GET', '/v1/key-buckets/*/consumers', listConsumers],
  ['POST', '/v1/key-buckets/*/consumers', createConsumer],
  [
    'GET',
    '/v1/key-buckets/*/consumers/*',
    ({ store, at: [bucket = '', name = ''], query }) => jsonReply(200, guarded(store.consumer(bucket, name), query)),
  ],
  [
    'PATCH',
    '/v1/key-buckets/*/consumers/*',
    async ({ store, at: [bucket = '', name = ''], query, body }) => {
      guarded(store.consumer(bucket, name), query)
      const { name: renamed, ...details } = checked(await body(), consumerBody)
      if (renamed !== undefined) return problem(400, { detail: 'A consumer keeps its name' })
      return jsonReply(200, await store.updateConsumer(bucket, name, details))
    },
  ],
  [
    'DELETE',
    '/v1/key-buckets/*/consumers/*',
    async ({ store, at: [bucket = '', name = ''], query }) => {
      guarded(store.consumer(bucket, name), query)
      await store.deleteConsumer(bucket, name)
      return nothing()
    },
  ],
  [
    'GET',
    '/v1/key-buckets/*/consumers/*/keys',
    ({ store, at: [bucket = '', name = ''], query }) => {
      guarded(store.consumer(bucket, name), query)
      return jsonReply(200, { data: keysShown(store.keys(bucket, name), query) })
    },
  ],
  [
    'POST',
    '/v1/key-buckets/*/consumers/*/keys',
    async ({ store, at: [bucket = '', name = ''], query, body }) => {
      guarded(store.consumer(bucket, name), query)
      const { key, ...details } = checked(await body(), keyOrImport)
      if (typeof key === 'string') {
        return jsonReply(201, shownKey(await store.importKey(bucket, name, key, details)))
      }
      return jsonReply(201, shownMade(await store.createKey(bucket, name, details)))
    },
  ],
  [
    'PATCH',
    '/v1/key-buckets/*/consumers/*/keys/*',
    async ({ store, at: [bucket = '', name = '', id = ''], query, body }) => {
      guarded(store.consumer(bucket, name), query)
      return jsonReply(200, shownKey(await store.updateKey(bucket, name, id, checked(await body(), keyBody))))
    },
  ],
  [
    'DELETE',
    '/v1/key-buckets/*/consumers/*/keys/*',
    async ({ store, at: [bucket = '', name = '', id = ''], query }) => {
      guarded(store.consumer(bucket, name), query)
      await store.deleteKey(bucket, name, id)
      return nothing()
    },
  ],
  [
    'POST',
    '/v1/key-buckets/*/consumers/*/roll-key',
    async ({ store, at: [bucket = '', name = ''], query, body }) => {
      guarded(store.consumer(bucket, name), query)
      const { expiresOn } = checked(await body(), objectOf({ expiresOn: text }, ['expiresOn']))
      return jsonReply(201, shownMade(await store.roll(bucket, name, String(expiresOn))))
    },
  ],
  [
    'POST',
    '/v1/signing-keys/rotate',
    async ({ options: { signing } }) => {
      if (!signing) return problem(404)
      const { kid, activeMs } = await signing.rotate()
      return jsonReply(202, { kid, activeFrom: new Date(activeMs).toISOString() })
    },
  ],
  [
    'POST',
    '/v1/signing-keys/*/revoke',
    async ({ options: { signing }, at: [kid = ''] }) => ((await signing?.revoke(kid)) ? nothing() : problem(404)),
  ],
]

const keyOrImport: OptionCheck = objectOf({
  key: text,
  description: anyText,
  disabled: flag,
  expiresOn: (value) => (value === null ? undefined : text(value)),
})

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
  return await operation({ options, store: options.store, query, at, body: () => bodyOf(incoming) })
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

function checked(body: JsonObject, check: OptionCheck): JsonObject {
  const due = check(body)
  if (due !== undefined) throw new KeyStoreError(400, `The body has to be ${due}`)
  return body
}

/** A consumer that has every tag that the call names as a guard; any other is as if it did not exist. */
function guarded(consumer: Consumer, query: URLSearchParams): Consumer {
  if (!hasTags(consumer, query)) throw new KeyStoreError(404, 'There is no such consumer')
  return consumer
}

function hasTags({ tags }: Consumer, query: URLSearchParams): boolean {
  return [...query].every(([name, value]) => !name.startsWith('tag.') || tags[name.slice(4)] === value)
}

function listConsumers({ store, at: [bucket = DEFAULT_BUCKET], query }: Call): Verdict {
  const offset = wholeOf(query, 'offset', 0)
  const limit = wholeOf(query, 'limit', PAGE)
  const all = store.consumers(bucket).filter((consumer) => hasTags(consumer, query))
  const withKeys = query.get('include-api-keys') === 'true'
  const data = all.slice(offset, offset + limit).map((consumer) => ({
    ...consumer,
    ...(withKeys ? { apiKeys: keysShown(store.keys(bucket, consumer.name), query) } : {}),
  }))
  return jsonReply(200, { data, offset, limit, total: all.length })
}

async function createConsumer({ store, at: [bucket = ''], query, body }: Call): Promise<Verdict> {
  const { name, ...details } = checked(await body(), consumerBody)
  if (typeof name !== 'string') throw new KeyStoreError(400, 'The body has to be an object with "name"')
  const consumer = await store.createConsumer(bucket, name, details)
  if (query.get('with-api-key') !== 'true') return jsonReply(201, consumer)
  return jsonReply(201, { ...consumer, apiKeys: [shownMade(await store.createKey(bucket, name))] })
}

function wholeOf(query: URLSearchParams, name: string, otherwise: number): number {
  const value = query.get(name)
  if (value === null) return otherwise
  if (!/^\d{1,9}$/u.test(value)) throw new KeyStoreError(400, `${name} is a whole number`)
  return Number(value)
}

function keysShown(keys: readonly StoredKey[], query: URLSearchParams): readonly object[] {
  const format = query.get('key-format') ?? 'masked'
  if (format === 'visible')
    throw new KeyStoreError(400, 'Keys are kept as hashes: they are visible only when they are made')
  if (format !== 'masked' && format !== 'none') throw new KeyStoreError(400, 'key-format is masked or none')
  return keys.map((key) => {
    const { key: masked, ...rest } = shownKey(key)
    return format === 'none' ? rest : { ...rest, key: masked }
  })
}

function shownKey({ id, description, disabled, createdOn, updatedOn, expiresOn, leakedOn, masked }: StoredKey) {
  return { id, description, disabled, createdOn, updatedOn, expiresOn, leakedOn, key: masked }
}

function shownMade({ key, stored }: MadeKey) {
  return { ...shownKey(stored), key }
}

function nothing(): Reply {
  return { status: 204, headers: [], body: '' }
}

function textReply(body: string): Reply {
  return { status: 200, headers: [['Content-Type', 'text/plain; version=0.0.4']], body }
}
