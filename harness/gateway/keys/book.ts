import type { JsonObject } from '../../model/json.ts'
import type { KeyRecord } from '../policy.ts'

/** Who calls with keys of its own. */
export interface Consumer {
  /** Unique in its bucket. */
  readonly name: string
  readonly description: string
  /** At hand for policies: at most 1 kB of JSON. */
  readonly metadata: JsonObject
  /** For whoever manages consumers; never seen by policies. */
  readonly tags: Readonly<Record<string, string>>
  /** E-mail addresses of those who may manage its keys. */
  readonly managers: readonly string[]
  readonly disabled: boolean
  /** ISO 8601. */
  readonly createdOn: string
  readonly updatedOn: string
}

/** A key of a consumer, without the key itself. */
export interface StoredKey {
  /** `key_…` */
  readonly id: string
  readonly bucket: string
  readonly consumer: string
  /** SHA-256 of the key, base64url. */
  readonly hash: string
  /** Prefix and last characters, for people to tell keys apart. */
  readonly masked: string
  readonly description: string
  readonly disabled: boolean
  /** ISO 8601. */
  readonly createdOn: string
  readonly updatedOn: string
  /** ISO 8601; null: never. */
  readonly expiresOn: string | null
  /** When it was found in public, ISO 8601: from then on it is refused for good. */
  readonly leakedOn?: string
}

/** A set of consumers of its own, such as those of one environment. */
export interface Bucket {
  readonly name: string
  readonly description: string
}

/** One change, as it stands in the log. Whatever is there under the same name is replaced. */
export type KeyChange =
  | { readonly bucket: Bucket }
  | { readonly consumer: Consumer; readonly in: string }
  | { readonly goneConsumer: string; readonly in: string }
  | { readonly key: StoredKey }
  | { readonly goneKey: string }
  | { readonly leakedHash: string }

/** All buckets, consumers and keys, in memory. */
export class KeyBook {
  readonly buckets = new Map<string, Bucket>()
  readonly #consumers = new Map<string, Map<string, Consumer>>()
  readonly #keys = new Map<string, StoredKey>()
  readonly #byHash = new Map<string, StoredKey>()
  readonly #byConsumer = new Map<string, Map<string, StoredKey>>()
  /** Hashes of keys that were found in public, also where the key is gone: nobody may bring it back. */
  readonly #leaked = new Set<string>()
  /** Records by hash, made when they are first asked for. */
  readonly #records = new Map<string, KeyRecord>()

  apply(change: KeyChange): void {
    if ('bucket' in change) this.buckets.set(change.bucket.name, change.bucket)
    else if ('consumer' in change) {
      const own = this.#consumers.get(change.in) ?? new Map<string, Consumer>()
      own.set(change.consumer.name, change.consumer)
      this.#consumers.set(change.in, own)
      this.#forgetRecords(change.in, change.consumer.name)
    } else if ('goneConsumer' in change) {
      for (const { id } of this.keysOf(change.in, change.goneConsumer)) this.#remove(id)
      this.#consumers.get(change.in)?.delete(change.goneConsumer)
    } else if ('key' in change) {
      this.#remove(change.key.id)
      this.#add(change.key)
    } else if ('leakedHash' in change) this.#leaked.add(change.leakedHash)
    else this.#remove(change.goneKey)
  }

  /** Changes that make the same book. */
  *changes(): Iterable<KeyChange> {
    for (const bucket of this.buckets.values()) yield { bucket }
    for (const [bucket, consumers] of this.#consumers) {
      for (const consumer of consumers.values()) yield { consumer, in: bucket }
    }
    for (const key of this.#keys.values()) yield { key }
    for (const hash of this.#leaked) if (!this.#byHash.has(hash)) yield { leakedHash: hash }
  }

  /** Forgets everything. */
  clear(): void {
    const { buckets } = this
    for (const all of [
      buckets,
      this.#consumers,
      this.#keys,
      this.#byHash,
      this.#byConsumer,
      this.#records,
      this.#leaked,
    ]) {
      all.clear()
    }
  }

  consumer(bucket: string, name: string): Consumer | undefined {
    return this.#consumers.get(bucket)?.get(name)
  }

  consumersOf(bucket: string): readonly Consumer[] {
    return [...(this.#consumers.get(bucket)?.values() ?? [])]
  }

  key(id: string): StoredKey | undefined {
    return this.#keys.get(id)
  }

  keysOf(bucket: string, consumer: string): readonly StoredKey[] {
    return [...(this.#byConsumer.get(placeOf(bucket, consumer))?.values() ?? [])]
  }

  byHash(hash: string): StoredKey | undefined {
    return this.#byHash.get(hash)
  }

  /** Whether the key with that hash was found in public. */
  isLeaked(hash: string): boolean {
    return this.#leaked.has(hash)
  }

  /** What policies learn of the key with that hash; undefined when the bucket has none. */
  record(bucket: string, hash: string): KeyRecord | undefined {
    const key = this.#byHash.get(hash)
    if (!key || key.bucket !== bucket) return undefined
    let record = this.#records.get(hash)
    if (!record) {
      const consumer = this.consumer(bucket, key.consumer)
      if (!consumer) return undefined
      record = {
        id: key.id,
        consumer: key.consumer,
        metadata: consumer.metadata,
        ...(key.expiresOn === null ? {} : { expiresMs: Date.parse(key.expiresOn) }),
        disabled: key.disabled || consumer.disabled || key.leakedOn !== undefined,
      }
      this.#records.set(hash, record)
    }
    return record
  }

  #add(key: StoredKey): void {
    this.#keys.set(key.id, key)
    this.#byHash.set(key.hash, key)
    if (key.leakedOn !== undefined) this.#leaked.add(key.hash)
    const place = placeOf(key.bucket, key.consumer)
    const own = this.#byConsumer.get(place) ?? new Map<string, StoredKey>()
    own.set(key.id, key)
    this.#byConsumer.set(place, own)
  }

  #remove(id: string): void {
    const key = this.#keys.get(id)
    if (!key) return
    this.#keys.delete(id)
    this.#byHash.delete(key.hash)
    this.#records.delete(key.hash)
    this.#byConsumer.get(placeOf(key.bucket, key.consumer))?.delete(id)
  }

  #forgetRecords(bucket: string, consumer: string): void {
    for (const { hash } of this.keysOf(bucket, consumer)) this.#records.delete(hash)
  }
}

function placeOf(bucket: string, consumer: string): string {
  return `${bucket}\n${consumer}`
}
