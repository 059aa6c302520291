import { generateKeyPairSync } from 'node:crypto'
import type { JsonObject } from '../../model/json.ts'
import { publicMembersOf, thumbprintOf } from '../../signing/jws.ts'
import type { GatewayAlgorithm } from '../settings.ts'

/** A signing key of the gateway. All times are milliseconds since the epoch. */
export interface RingKey {
  /** RFC 7638 thumbprint. */
  readonly kid: string
  readonly alg: GatewayAlgorithm
  /** Private JWK. */
  readonly jwk: JsonObject
  readonly publishedMs: number
  /** When it begins to sign; absent while it only waits, published in advance. */
  readonly activeMs?: number
  /** When it was revoked: from then on it is neither published nor used. */
  readonly revokedMs?: number
}

/** All keys, oldest first. What each of them does at a moment follows from this alone, in every instance alike. */
export interface Ring {
  readonly keys: readonly RingKey[]
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

/** Makes a key that is published from that moment, and does not sign yet. */
export function makeKey(alg: GatewayAlgorithm, nowMs: number): RingKey {
  const { privateKey } =
    alg === 'EdDSA'
      ? generateKeyPairSync('ed25519')
      : alg === 'ES256'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk = privateKey.export({ format: 'jwk' }) as JsonObject
  return { kid: thumbprintOf(publicMembersOf(jwk)), alg, jwk, publishedMs: nowMs }
}

/** A ring that can sign at once, with its next key published beside it. */
export function newRing(alg: GatewayAlgorithm, nowMs: number): Ring {
  return { keys: [{ ...makeKey(alg, nowMs), activeMs: nowMs }, makeKey(alg, nowMs)] }
}

/** Whether the key signs or has signed by then. */
function hasBegun({ activeMs, revokedMs }: RingKey, nowMs: number): boolean {
  return activeMs !== undefined && activeMs <= nowMs && revokedMs === undefined
}

/** The key that signs at that moment: of those that have begun, the last. */
export function activeKey({ keys }: Ring, nowMs: number): RingKey | undefined {
  return keys
    .filter((key) => hasBegun(key, nowMs))
    .toSorted((one, other) => (other.activeMs ?? 0) - (one.activeMs ?? 0))[0]
}

/** The key that takes over next, if one is there. */
export function nextKey({ keys }: Ring, nowMs: number): RingKey | undefined {
  return keys.find((key) => key.revokedMs === undefined && (key.activeMs === undefined || key.activeMs > nowMs))
}

/** Seconds for which a key stays published after its successor has taken over. */
export function retentionSec({ maxAgeSec, longestLifetimeSec }: RingTimes): number {
  return maxAgeSec + longestLifetimeSec + MARGIN_SEC
}

/** The keys of the JWKS at that moment: all but the revoked ones and those that have been retired long enough. */
export function publishedKeys(ring: Ring, times: RingTimes, nowMs: number): readonly RingKey[] {
  return ring.keys.filter((key) => {
    if (key.revokedMs !== undefined || key.publishedMs > nowMs) return false
    const retired = retiredMs(ring, key, nowMs)
    return retired === undefined || nowMs < retired + retentionSec(times) * 1000
  })
}

/** When a later key took over from this one. */
function retiredMs({ keys }: Ring, key: RingKey, nowMs: number): number | undefined {
  if (!hasBegun(key, nowMs)) return undefined
  const later = keys.filter((other) => hasBegun(other, nowMs) && (other.activeMs ?? 0) > (key.activeMs ?? 0))
  return later.length === 0 ? undefined : Math.min(...later.map(({ activeMs }) => activeMs ?? 0))
}

/** First moment at which any origin that honours max-age knows the key. */
function readyMs({ publishedMs }: RingKey, { maxAgeSec }: RingTimes): number {
  return publishedMs + (maxAgeSec + MARGIN_SEC) * 1000
}

/** Lets the next key take over as soon as origins can know it, and publishes another one behind it. */
export function rotated(ring: Ring, alg: GatewayAlgorithm, times: RingTimes, nowMs: number): Ring {
  const next = nextKey(ring, nowMs)
  // A rotation that is under way already is the one that was asked for.
  if (next?.activeMs !== undefined) return ring
  const taking = next && next.alg === alg ? next : makeKey(alg, nowMs)
  const activeMs = Math.max(nowMs, readyMs(taking, times))
  const others = ring.keys.filter(({ kid }) => kid !== taking.kid && kid !== next?.kid)
  return { keys: [...others, { ...taking, activeMs }, makeKey(alg, nowMs)] }
}

/** Takes a key away at once. If it was signing, the next one takes over, whether origins know it yet or not. */
export function revoked(ring: Ring, kid: string, alg: GatewayAlgorithm, nowMs: number): Ring {
  const keys = ring.keys.map((key) => (key.kid === kid ? { ...key, revokedMs: nowMs } : key))
  const left: Ring = { keys }
  if (activeKey(left, nowMs)?.alg === alg) {
    return nextKey(left, nowMs) ? left : { keys: [...keys, makeKey(alg, nowMs)] }
  }
  const waiting = nextKey(left, nowMs)
  const taking = { ...(waiting && waiting.alg === alg ? waiting : makeKey(alg, nowMs)), activeMs: nowMs }
  return { keys: [...keys.filter((key) => key.kid !== taking.kid), taking, makeKey(alg, nowMs)] }
}

/** Forgets what is neither published nor signing any more, and begins a rotation where one is due. */
export function maintained(ring: Ring, alg: GatewayAlgorithm, times: RingTimes, nowMs: number): Ring {
  const published = new Set(publishedKeys(ring, times, nowMs).map(({ kid }) => kid))
  const kept: Ring = { keys: ring.keys.filter((key) => published.has(key.kid) || key.publishedMs > nowMs) }
  const active = activeKey(kept, nowMs)
  if (!active) return newRing(alg, nowMs)
  const isDue = (active.activeMs ?? 0) + times.rotateEverySec * 1000 <= nowMs || active.alg !== alg
  const after = isDue ? rotated(kept, alg, times, nowMs) : kept
  return nextKey(after, nowMs) ? after : { keys: [...after.keys, makeKey(alg, nowMs)] }
}
