import { generateKeyPairSync } from 'node:crypto'
import type { JsonObject } from '../../model/json.ts'
import { publicMembersOf, thumbprintOf } from '../../signing/jws.ts'
import type { GatewayAlgorithm } from '../settings.ts'
import { beginsMs, lastKey, pruned, readyMs, ringOf, signingKey, spareKey, waitingKey } from './ring.ts'
import type { Ring, RingKey, RingTimes } from './ring.ts'

/** A key that is published from that moment, and waits. */
function madeKey(alg: GatewayAlgorithm, nowMs: number): RingKey {
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
  return ringOf([{ ...madeKey(alg, nowMs), dueMs: nowMs }, madeKey(alg, nowMs)], [])
}

/** The algorithm that the ring has or is on its way to, that of its newest key; `otherwise` where there is none. */
export function algorithmOf({ keys }: Ring, otherwise: GatewayAlgorithm): GatewayAlgorithm {
  return keys.at(-1)?.alg ?? otherwise
}

/** Tells the key that waits to take over, as soon as origins can know it, and publishes another one behind it. */
export function rotated(ring: Ring, alg: GatewayAlgorithm, times: RingTimes, nowMs: number): Ring {
  const signing = signingKey(ring, times, nowMs)
  const isUnderWay = (key: RingKey): boolean =>
    key.alg === alg && key !== signing && key.dueMs !== undefined && beginsMs(key, times) > nowMs
  // That rotation is the one that was asked for.
  if (ring.keys.some(isUnderWay)) return ring
  const waiting = waitingKey(ring)
  const taking = waiting?.alg === alg ? waiting : madeKey(alg, nowMs)
  // Behind all others, also where the clock of another instance is ahead.
  const dueMs = Math.max(nowMs, (lastKey(ring, times)?.dueMs ?? 0) + 1)
  return ringOf([...ring.keys, { ...taking, dueMs }, madeKey(alg, nowMs)], ring.revoked)
}

/**
 * Takes a key away for good. Where it was the last that was told to take over, or where one that waits is known to
 * origins before any that is left, that one is told to: it signs at once if they can know it. Until they can, a retired
 * key that is still published goes on; where there is none, the one that waited signs nevertheless.
 */
export function revoked(ring: Ring, kid: string, times: RingTimes, nowMs: number): Ring {
  const key = ring.keys.find((one) => one.kid === kid)
  if (!key) return ring
  const alg = algorithmOf(ring, key.alg)
  const left = ringOf(pruned(ring, times, nowMs).keys, [...ring.revoked, kid])
  const spare = spareKey(left, times, nowMs)
  const signing = signingKey(left, times, nowMs)
  const helps = spare && signing && beginsMs(signing, times) > Math.max(nowMs, readyMs(spare, times))
  // It takes the place of the one that is gone, so that instances whose clocks are behind see it begun as well.
  const place = Math.min(nowMs, beginsMs(key, times))
  const dueMs = helps ? place : Math.max(place, (lastKey(left, times)?.dueMs ?? 0) + 1)
  const taking = key === lastKey(ring, times) || helps ? [{ ...(spare ?? madeKey(alg, nowMs)), dueMs }] : []
  const after = ringOf([...left.keys, ...taking], left.revoked)
  return waitingKey(after)?.alg === alg ? after : ringOf([...after.keys, madeKey(alg, nowMs)], after.revoked)
}

/**
 * Forgets what is no longer needed, begins a rotation where one is due or the ring is to have another algorithm, and
 * sees that a key waits.
 */
export function maintained(ring: Ring, alg: GatewayAlgorithm, times: RingTimes, nowMs: number): Ring {
  const kept = pruned(ring, times, nowMs)
  const last = lastKey(kept, times)
  if (!last) return ringOf(newRing(alg, nowMs).keys, kept.revoked)
  const isDue = beginsMs(last, times) + times.rotateEverySec * 1000 <= nowMs || last.alg !== alg
  const after = isDue ? rotated(kept, alg, times, nowMs) : kept
  return waitingKey(after)?.alg === alg ? after : ringOf([...after.keys, madeKey(alg, nowMs)], after.revoked)
}
