import type { JsonObject } from '../../model/json.ts'
import type { GatewayAlgorithm } from '../settings.ts'

/** A signing key of the gateway. All times are milliseconds since the epoch. */
export interface RingKey {
  /** RFC 7638 thumbprint. */
  readonly kid: string
  readonly alg: GatewayAlgorithm
  /** Private JWK. */
  readonly jwk: JsonObject
  readonly publishedMs: number
  /** When it was told to take over; absent while it only waits, published in advance. */
  readonly dueMs?: number
}

/**
 * What is known of the keys. What each of them does at a moment follows from this alone, in every instance alike; two
 * instances that know different things come to the same by `merged`.
 */
export interface Ring {
  /** At least one, in the order in which they were published. */
  readonly keys: readonly RingKey[]
  /** kid of each key that was taken away, in alphabetical order: none of them comes back. */
  readonly revoked: readonly string[]
}

/** Times that the ring keeps, in seconds. */
export interface RingTimes {
  /** max-age of the JWKS: how long an origin may not know of a new key. */
  readonly maxAgeSec: number
  /** Longest life of a token. */
  readonly longestLifetimeSec: number
  /** After which the next key takes over by itself. */
  readonly rotateEverySec: number
}

/** Clocks of instances and origins differ, and changes take time to get around. */
const MARGIN_SEC = 30

/** A ring of these keys; of two with the same kid the one that was told to take over first counts. */
export function ringOf(keys: readonly RingKey[], revoked: readonly string[]): Ring {
  const gone = new Set(revoked)
  const byKid = new Map<string, RingKey>()
  for (const key of keys) {
    const other = byKid.get(key.kid)
    if (gone.has(key.kid) || (other && (other.dueMs ?? Infinity) <= (key.dueMs ?? Infinity))) continue
    byKid.set(key.kid, key)
  }
  return {
    keys: [...byKid.values()].toSorted(
      (one, other) => one.publishedMs - other.publishedMs || (one.kid < other.kid ? -1 : 1),
    ),
    revoked: [...gone].toSorted(),
  }
}

/** First moment at which every origin that honours max-age can know the key. */
export function readyMs({ publishedMs }: RingKey, { maxAgeSec }: RingTimes): number {
  return publishedMs + (maxAgeSec + MARGIN_SEC) * 1000
}

/** When a key takes over: not before it was told to, nor before origins can know it. */
export function beginsMs(key: RingKey, times: RingTimes): number {
  return key.dueMs === undefined ? Infinity : Math.max(key.dueMs, readyMs(key, times))
}

/** Whether a key takes over after another one; both were told to. */
function isLater(one: RingKey, other: RingKey, times: RingTimes): boolean {
  const apart = beginsMs(one, times) - beginsMs(other, times) || (one.dueMs ?? 0) - (other.dueMs ?? 0)
  return apart > 0 || (apart === 0 && one.kid > other.kid)
}

/** The keys that were told to take over, in the order in which they do. */
function inOrder({ keys }: Ring, times: RingTimes): readonly RingKey[] {
  return keys.filter(({ dueMs }) => dueMs !== undefined).toSorted((one, other) => (isLater(one, other, times) ? 1 : -1))
}

/** The key that signs at that moment. */
export function signingKey(ring: Ring, times: RingTimes, nowMs: number): RingKey | undefined {
  const order = inOrder(ring, times)
  // Of a new ring, or where all that origins know was revoked: the one that they have had longest to fetch.
  return order.findLast((key) => beginsMs(key, times) <= nowMs) ?? order[0] ?? ring.keys[0]
}

/** The key that takes over last of those that were told to. */
export function lastKey(ring: Ring, times: RingTimes): RingKey | undefined {
  return inOrder(ring, times).at(-1)
}

/** The key that is published and waits to be told to take over; of several the newest. */
export function waitingKey({ keys }: Ring): RingKey | undefined {
  return keys.findLast(({ dueMs }) => dueMs === undefined)
}

/** The key that can help out: of those that wait the newest that origins can know, or else the first that they can. */
export function spareKey({ keys }: Ring, times: RingTimes, nowMs: number): RingKey | undefined {
  const waiting = keys.filter(({ dueMs }) => dueMs === undefined)
  return waiting.findLast((key) => readyMs(key, times) <= nowMs) ?? waiting[0]
}

/** Seconds for which a key stays published after its successor has taken over. */
export function retentionSec({ maxAgeSec, longestLifetimeSec }: RingTimes): number {
  return maxAgeSec + longestLifetimeSec + MARGIN_SEC
}

/** The keys of the JWKS at that moment: all but those that have been retired long enough. */
export function publishedKeys(ring: Ring, times: RingTimes, nowMs: number): readonly RingKey[] {
  const order = inOrder(ring, times)
  const isGone = (key: RingKey): boolean => {
    const successor = order[order.indexOf(key) + 1]
    return successor !== undefined && beginsMs(successor, times) + retentionSec(times) * 1000 <= nowMs
  }
  return ring.keys.filter((key) => key.dueMs === undefined || !isGone(key))
}

/** The ring without what is no longer needed: keys that are out of the JWKS, and those that wait though newer ones can. */
export function pruned(ring: Ring, times: RingTimes, nowMs: number): Ring {
  const ready = ring.keys.findLast((key) => readyMs(key, times) <= nowMs)
  const isNeeded = (key: RingKey): boolean => key.dueMs !== undefined || !ready || key.publishedMs >= ready.publishedMs
  return { ...ring, keys: publishedKeys(ring, times, nowMs).filter(isNeeded) }
}

/**
 * What two instances know together: whatever one of them was told, in whichever order. What is out of the JWKS goes
 * before: with its successor revoked, it would seem to be of use again.
 */
export function merged(one: Ring, other: Ring, times: RingTimes, nowMs: number): Ring {
  const [first, second] = [pruned(one, times, nowMs), pruned(other, times, nowMs)]
  return ringOf([...first.keys, ...second.keys], [...first.revoked, ...second.revoked])
}
