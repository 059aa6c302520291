import type { JsonObject } from '../../model/json.ts'
import { anyObject, anyText, flag, listOf, objectOf, text } from '../options.ts'
import type { OptionCheck } from '../options.ts'
import { jsonReply, problem } from '../reply.ts'
import type { Reply, Verdict } from '../reply.ts'
import type { Consumer, StoredKey } from './book.ts'
import { DEFAULT_BUCKET, KeyStoreError } from './store.ts'
import type { KeyStore, MadeKey } from './store.ts'

/** What the operations manage. */
export interface Managed {
  readonly store: KeyStore
  /** Rotates and revokes signing keys; undefined where there is no JWT service. */
  readonly signing?: {
    readonly rotate: () => Promise<{ readonly kid: string; readonly activeMs: number }>
    readonly revoke: (kid: string) => Promise<boolean>
  }
  /** Counters in the text format of Prometheus. */
  readonly metrics?: () => string
}

/** Consumers in one answer, where the caller does not say. */
const PAGE = 100

/** A call of the management API. */
interface Call extends Managed {
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
export const OPERATIONS: readonly (readonly [method: string, path: string, operation: Operation])[] = [
  ['GET', '/v1/metrics', ({ metrics }) => textReply(metrics?.() ?? '')],
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
    async ({ signing }) => {
      if (!signing) return problem(404)
      const { kid, activeMs } = await signing.rotate()
      return jsonReply(202, { kid, activeFrom: new Date(activeMs).toISOString() })
    },
  ],
  [
    'POST',
    '/v1/signing-keys/*/revoke',
    async ({ signing, at: [kid = ''] }) => ((await signing?.revoke(kid)) ? nothing() : problem(404)),
  ],
]

const keyOrImport: OptionCheck = objectOf({
  key: text,
  description: anyText,
  disabled: flag,
  expiresOn: (value) => (value === null ? undefined : text(value)),
})

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
