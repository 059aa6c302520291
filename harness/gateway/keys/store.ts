import { randomUUID } from 'node:crypto'
import type { Clock } from '../../clock/clock.ts'
import type { KeyDirectory } from '../policy.ts'
import { KeyBook } from './book.ts'
import type { Bucket, Consumer, KeyChange, StoredKey } from './book.ts'
import { hashOf, makeKeyText, rememberedHashes } from './format.ts'
import type { OpenLog } from './log.ts'

/** A change that the store refuses; `status` is what an HTTP API answers. */
export class KeyStoreError extends Error {
  override readonly name = 'KeyStoreError'
  readonly status: 400 | 404 | 409

  constructor(status: 400 | 404 | 409, message: string) {
    super(message)
    this.status = status
  }
}

/** What a consumer can be told. */
export type ConsumerDetails = Partial<Pick<Consumer, 'description' | 'metadata' | 'tags' | 'managers' | 'disabled'>>

/** What a key can be told; times are ISO 8601. */
export type KeyDetails = Partial<Pick<StoredKey, 'description' | 'disabled' | 'expiresOn'>>

/** A key that was made just now: the only moment at which its text is known. */
export interface MadeKey {
  readonly key: string
  readonly stored: StoredKey
}

/** Consumers and their keys. Every change is durable when its promise resolves, and counts at once. */
export interface KeyStore extends KeyDirectory, AsyncDisposable {
  readonly buckets: () => readonly Bucket[]
  readonly createBucket: (name: string, description: string) => Promise<Bucket>
  readonly consumers: (bucket: string) => readonly Consumer[]
  readonly consumer: (bucket: string, name: string) => Consumer
  readonly createConsumer: (bucket: string, name: string, details: ConsumerDetails) => Promise<Consumer>
  readonly updateConsumer: (bucket: string, name: string, details: ConsumerDetails) => Promise<Consumer>
  readonly deleteConsumer: (bucket: string, name: string) => Promise<void>
  readonly keys: (bucket: string, consumer: string) => readonly StoredKey[]
  readonly createKey: (bucket: string, consumer: string, details?: KeyDetails) => Promise<MadeKey>
  /** Takes over a key that was made elsewhere. */
  readonly importKey: (bucket: string, consumer: string, key: string, details?: KeyDetails) => Promise<StoredKey>
  readonly updateKey: (bucket: string, consumer: string, id: string, details: KeyDetails) => Promise<StoredKey>
  readonly deleteKey: (bucket: string, consumer: string, id: string) => Promise<void>
  /** Makes a new key; the others end at that time, or when they would have ended if that is earlier. */
  readonly roll: (bucket: string, consumer: string, expiresOn: string) => Promise<MadeKey>
  /** Refuses these keys for good, given by their text; gives which of them are ours, in the order of what was given. */
  readonly revokeLeaked: (keys: readonly string[]) => Promise<readonly (StoredKey | undefined)[]>
}

/** The bucket of an environment that names none. */
export const DEFAULT_BUCKET = 'default'

/** Names of buckets and consumers. */
export const NAME = /^[\w.@-]{1,128}$/u

/** Keys from elsewhere: characters that end a value in a header, a cookie or a query are in none. */
const FOREIGN_KEY = /^[!#$'-+\--:<-[\]-~]{16,512}$/u

/** Times with a zone, or days, which begin in UTC; all others mean something else in another place. */
const ISO_TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/u

/** Octets of metadata as JSON. */
const MOST_METADATA = 1_024
const MOST_TAGS = 5

/** Attempts to change what other instances change too. */
const MOST_ATTEMPTS = 50

/** How keys begin, and whose time counts. */
export interface KeyStoreOptions {
  readonly prefix: string
  readonly clock: Clock
}

/** What is to be changed by the book as it is, and what the caller is told of it. */
type Decision<T> = () => { readonly changes: readonly KeyChange[]; readonly result: T }

/** Opens the store: what its log holds is known when this resolves. */
export async function openKeyStore(open: OpenLog, { prefix, clock }: KeyStoreOptions): Promise<KeyStore> {
  const book = new KeyBook()
  const log = await open(book)
  const hashFor = rememberedHashes()
  const now = (): string => new Date(clock.nowMs()).toISOString()

  /** Ends when whoever changes something is done: one at a time, or they would be in each other's way. */
  let changing: Promise<unknown> = Promise.resolve()
  const change = async <T>(decide: Decision<T>): Promise<T> => {
    const changed = changing.catch(() => undefined).then(() => attempts(decide))
    changing = changed
    return await changed
  }
  /** Decides by the book as it is, and again where another instance was faster. */
  const attempts = async <T>(decide: Decision<T>): Promise<T> => {
    // What is refused, or needs no change, is decided by the book alone: a leaked key must not be unknown by being new.
    await log.latest()
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const { changes, result } = decide()
      if (changes.length === 0 || (await log.append(changes))) return result
    }
    throw new KeyStoreError(409, 'Others change the keys at the same time')
  }
  const consumer = (bucket: string, name: string): Consumer => {
    const found = book.consumer(bucket, name)
    if (!found) throw new KeyStoreError(404, 'There is no such consumer')
    return found
  }
  const keyOf = (bucket: string, name: string, id: string): StoredKey => {
    const key = book.key(id)
    if (!key || key.bucket !== bucket || key.consumer !== name) throw new KeyStoreError(404, 'There is no such key')
    return key
  }
  const newKey = (bucket: string, name: string, text: string, details: KeyDetails): StoredKey => ({
    id: `key_${randomUUID().replaceAll('-', '')}`,
    bucket,
    consumer: consumer(bucket, name).name,
    hash: hashOf(text),
    masked: maskOf(text),
    description: details.description ?? '',
    disabled: details.disabled ?? false,
    createdOn: now(),
    updatedOn: now(),
    expiresOn: expiryOf(details.expiresOn ?? null),
  })

  return {
    find: (bucket, key) => book.record(bucket, hashFor(key)),
    silentMs: log.silentMs,
    buckets: () => [...book.buckets.values()],
    createBucket: (name, description) =>
      change(() => {
        if (book.buckets.has(name)) throw new KeyStoreError(409, 'There is a bucket of that name')
        const bucket: Bucket = { name: nameOf(name), description }
        return { changes: [{ bucket }], result: bucket }
      }),
    consumers: (bucket) => book.consumersOf(bucket),
    consumer,
    createConsumer: (bucket, name, details) =>
      change(() => {
        nameOf(bucket)
        if (book.consumer(bucket, name)) throw new KeyStoreError(409, 'There is a consumer of that name')
        const made: Consumer = {
          name: nameOf(name),
          description: '',
          metadata: {},
          tags: {},
          managers: [],
          disabled: false,
          createdOn: now(),
          updatedOn: now(),
          ...checked(details),
        }
        return { changes: [{ consumer: made, in: bucket }], result: made }
      }),
    updateConsumer: (bucket, name, details) =>
      change(() => {
        const changed: Consumer = { ...consumer(bucket, name), ...checked(details), updatedOn: now() }
        return { changes: [{ consumer: changed, in: bucket }], result: changed }
      }),
    deleteConsumer: (bucket, name) =>
      change(() => ({ changes: [{ goneConsumer: consumer(bucket, name).name, in: bucket }], result: undefined })),
    keys: (bucket, name) => book.keysOf(bucket, consumer(bucket, name).name),
    createKey: (bucket, name, details = {}) =>
      change(() => {
        const key = makeKeyText(prefix)
        const stored = newKey(bucket, name, key, details)
        return { changes: [{ key: stored }], result: { key, stored } }
      }),
    importKey: (bucket, name, key, details = {}) =>
      change(() => {
        if (!FOREIGN_KEY.test(key)) {
          throw new KeyStoreError(400, 'A key has 16 to 512 visible characters of ASCII without " % & , ; or \\')
        }
        if (book.byHash(hashOf(key))) throw new KeyStoreError(409, 'This key is known already')
        if (book.isLeaked(hashOf(key))) throw new KeyStoreError(409, 'This key was found in public')
        const stored = newKey(bucket, name, key, details)
        return { changes: [{ key: stored }], result: stored }
      }),
    updateKey: (bucket, name, id, details) =>
      change(() => {
        const key = keyOf(bucket, name, id)
        const expiresOn = details.expiresOn === undefined ? key.expiresOn : expiryOf(details.expiresOn)
        const changed: StoredKey = { ...key, ...details, expiresOn, updatedOn: now() }
        return { changes: [{ key: changed }], result: changed }
      }),
    deleteKey: (bucket, name, id) =>
      change(() => ({ changes: [{ goneKey: keyOf(bucket, name, id).id }], result: undefined })),
    roll: (bucket, name, expiresOn) =>
      change(() => {
        const end = expiryOf(expiresOn)
        const others = book.keysOf(bucket, consumer(bucket, name).name)
        const ended = others.map((key) => ({ ...key, expiresOn: earlier(key.expiresOn, end), updatedOn: now() }))
        const key = makeKeyText(prefix)
        const stored = newKey(bucket, name, key, {})
        return { changes: [...ended, stored].map((one) => ({ key: one })), result: { key, stored } }
      }),
    revokeLeaked: (keys) =>
      change(() => {
        const found = keys.map((key) => book.byHash(hashOf(key)))
        const fresh = new Map(
          found.flatMap((key) => (key && key.leakedOn === undefined ? [[key.id, key] as const] : [])),
        )
        return {
          changes: [...fresh.values()].map((key) => ({ key: { ...key, leakedOn: now(), updatedOn: now() } })),
          result: found,
        }
      }),
    [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](),
  }
}

/** What of a key may be shown: its prefix and its last four characters. */
function maskOf(key: string): string {
  const prefix = /^[a-z][a-z0-9]*(?=_)/u.exec(key)?.[0] ?? ''
  return `${prefix}${prefix === '' ? '' : '_'}…${key.slice(-4)}`
}

function nameOf(name: string): string {
  if (NAME.test(name)) return name
  throw new KeyStoreError(400, 'A name has 1 to 128 characters out of letters, digits, "_", ".", "@" and "-"')
}

/** A time in the form in which times compare as texts. */
function expiryOf(expiresOn: string | null): string | null {
  if (expiresOn === null) return null
  const ms = ISO_TIME.test(expiresOn) ? Date.parse(expiresOn) : Number.NaN
  if (Number.isNaN(ms)) throw new KeyStoreError(400, 'expiresOn is a time such as 2027-01-31T00:00:00Z, or null')
  return new Date(ms).toISOString()
}

/** Neither later than before nor later than asked for. */
function earlier(held: string | null, end: string | null): string | null {
  if (held === null || end === null) return held ?? end
  return held < end ? held : end
}

const isText = (value: unknown): boolean => typeof value === 'string'

function checked(details: ConsumerDetails): ConsumerDetails {
  const { metadata, tags, managers } = details
  if (metadata !== undefined && Buffer.byteLength(JSON.stringify(metadata)) > MOST_METADATA) {
    throw new KeyStoreError(400, `metadata has at most ${MOST_METADATA} octets of JSON`)
  }
  if (tags !== undefined && (Object.keys(tags).length > MOST_TAGS || !Object.values(tags).every(isText))) {
    throw new KeyStoreError(400, `A consumer has at most ${MOST_TAGS} tags, each a text`)
  }
  if (managers !== undefined && managers.some((manager) => !/^[^\s@]+@[^\s@]+$/u.test(manager))) {
    throw new KeyStoreError(400, 'managers is a list of e-mail addresses')
  }
  return details
}
