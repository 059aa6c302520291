import { describe, expect, test } from 'vitest'
import { seeded } from '../limits/naive.testing.ts'
import { beginsMs, lastKey, merged, publishedKeys, retentionSec, signingKey, waitingKey } from './ring.ts'
import type { Ring, RingTimes } from './ring.ts'
import { algorithmOf, maintained, newRing, revoked, rotated } from './ring-changes.ts'

const TIMES: RingTimes = { maxAgeSec: 300, longestLifetimeSec: 3_600, rotateEverySec: 86_400 }
const START = Date.UTC(2026, 0, 1)
const HOUR = 3_600_000
/** From then on origins know a key that was published at the start. */
const READY = START + 330_000

const signs = (ring: Ring, nowMs: number) => signingKey(ring, TIMES, nowMs)?.kid
const waits = (ring: Ring) => waitingKey(ring)?.kid
const kidsOf = (ring: Ring, nowMs: number) => publishedKeys(ring, TIMES, nowMs).map(({ kid }) => kid)
const rotate = (ring: Ring, nowMs: number) => rotated(ring, 'EdDSA', TIMES, nowMs)
const revoke = (ring: Ring, kid: string | undefined, nowMs: number) => revoked(ring, kid ?? '', TIMES, nowMs)

test('a new ring signs at once and has its next key published', () => {
  const ring = newRing('EdDSA', START)

  expect(signs(ring, START)).toBeDefined()
  expect(waits(ring)).toBeDefined()
  expect(signs(ring, START)).not.toBe(waits(ring))
  expect(kidsOf(ring, START)).toHaveLength(2)
})

describe('rotation', () => {
  test('takes the key that is published as soon as origins can know it, and not before', () => {
    const ring = newRing('ES256', START)
    const [first, second] = [signs(ring, START), waits(ring)]
    const early = rotated(ring, 'ES256', TIMES, START + 1_000)

    expect(signs(early, READY - 1)).toBe(first)
    expect(signs(early, READY)).toBe(second)
    expect(waits(early)).not.toBe(second)
    expect(rotated(early, 'ES256', TIMES, START + 2_000)).toBe(early)
  })

  test('takes effect at once where origins have long known the key', () => {
    const ring = newRing('EdDSA', START)

    expect(signs(rotate(ring, READY), READY)).toBe(waits(ring))
  })

  test('leaves the old key published until nothing that it signed can be alive', () => {
    const ring = newRing('EdDSA', START)
    const first = signs(ring, START)
    const after = rotate(ring, START + HOUR)
    const gone = START + HOUR + retentionSec(TIMES) * 1000

    expect(retentionSec(TIMES)).toBe(300 + 3_600 + 30)
    expect(kidsOf(after, gone - 1)).toContain(first)
    expect(kidsOf(after, gone)).not.toContain(first)
    expect(maintained(after, 'EdDSA', TIMES, gone).keys.map(({ kid }) => kid)).not.toContain(first)
  })

  test('begins by itself when its time has come', () => {
    const ring = newRing('EdDSA', START)
    const due = READY + TIMES.rotateEverySec * 1000

    expect(signs(maintained(ring, 'EdDSA', TIMES, due - 1), due - 1)).toBe(signs(ring, START))
    expect(signs(maintained(ring, 'EdDSA', TIMES, due), due)).toBe(waits(ring))
  })

  test('to another algorithm has both published meanwhile', () => {
    const ring = newRing('RS256', START)
    const after = maintained(ring, 'EdDSA', TIMES, START + HOUR)
    const begins = START + HOUR + 330_000

    expect(signingKey(after, TIMES, begins - 1)?.alg).toBe('RS256')
    expect(signingKey(after, TIMES, begins)?.alg).toBe('EdDSA')
    expect(publishedKeys(after, TIMES, begins).map(({ alg }) => alg)).toContain('RS256')
    expect(waitingKey(after)?.alg).toBe('EdDSA')
    expect(algorithmOf(after, 'RS256')).toBe('EdDSA')
  })
})

describe('revocation', () => {
  test('of the key that signs: the one that waits, and that origins know, takes over at once', () => {
    const ring = newRing('RS256', START)
    const first = signs(ring, START)
    const after = revoke(ring, first, READY)

    expect(signs(after, READY)).toBe(waits(ring))
    expect(kidsOf(after, READY)).not.toContain(first)
    expect(JSON.stringify(after.keys)).not.toContain(first)
    expect(after.revoked).toEqual([first])
    expect(waits(after)).toBeDefined()
  })

  test('soon after a rotation: the retired key goes on until origins can know the one that waits', () => {
    const ring = newRing('EdDSA', START)
    const first = signs(ring, START)
    const rotation = rotate(ring, READY)
    const second = signs(rotation, READY)
    const after = revoke(rotation, second, READY + 10_000)

    expect(signs(after, READY + 10_000)).toBe(first)
    expect(signs(after, READY + 330_000)).toBe(waits(rotation))
    // What it signs until then can be verified until it expires.
    expect(kidsOf(after, READY + 330_000 + 3_600_000)).toContain(first)
  })

  test('of the first key before origins can know another one: there is one that signs nevertheless', () => {
    const ring = newRing('EdDSA', START)
    const after = revoke(ring, signs(ring, START), START + 5)

    expect(signs(after, START + 5)).toBe(waits(ring))
  })

  test('of the key that waits: the one that signs goes on, and another waits', () => {
    const ring = newRing('EdDSA', START)
    const after = revoke(ring, waits(ring), READY)

    expect(signs(after, READY)).toBe(signs(ring, READY))
    expect(waits(after)).toBeDefined()
    expect(waits(after)).not.toBe(waits(ring))
  })

  test('of the key that was to take over: the next one takes its place', () => {
    const ring = rotate(newRing('EdDSA', START), START + 1_000)
    const taking = lastKey(ring, TIMES)?.kid
    const after = revoke(ring, taking, START + 2_000)

    expect(lastKey(after, TIMES)?.kid).toBe(waits(ring))
    expect(signs(after, START + 2_000)).toBe(signs(ring, START + 2_000))
  })

  test('of all keys, one after the other: there is always one that signs, and never one that was revoked', () => {
    let ring = newRing('EdDSA', START)
    for (let round = 0; round < 5; round += 1) {
      ring = revoke(ring, signs(ring, START), START)
      expect(ring.revoked).not.toContain(signs(ring, START))
      expect(signs(ring, START)).toBeDefined()
    }
    expect(ring.revoked).toHaveLength(5)
  })

  test('counts at once also where the clock of an instance is behind', () => {
    const rotation = rotate(newRing('EdDSA', START), READY)
    const now = READY + HOUR
    const after = revoke(rotation, signs(rotation, now), now)

    expect(signs(after, now - 20_000)).toBe(waits(rotation))
  })

  test('while the algorithm changes: the key of the old one that waited helps out', () => {
    const ring = newRing('EdDSA', START)
    const change = maintained(ring, 'ES256', TIMES, READY)
    const after = revoke(change, signs(change, READY), READY + 1_000)

    expect(signs(after, READY + 1_000)).toBe(waits(ring))
    expect(signingKey(after, TIMES, READY + 330_000)?.alg).toBe('ES256')
    expect(waitingKey(after)?.alg).toBe('ES256')
  })

  test('does not make use of a key again that is out of the JWKS', () => {
    const ring = newRing('EdDSA', START)
    const first = signs(ring, START)
    const rotation = rotate(ring, READY)
    const gone = READY + retentionSec(TIMES) * 1000
    // Nothing is left that origins know.
    const after = revoke(revoke(rotation, waits(rotation), gone), signs(rotation, gone), gone)

    expect(rotation.keys.map(({ kid }) => kid)).toContain(first)
    expect(signs(after, gone)).not.toBe(first)
    expect(kidsOf(after, gone)).not.toContain(first)
    expect(kidsOf(merged(rotation, after, TIMES, gone), gone)).not.toContain(first)
  })

  test('of what is no key changes nothing', () => {
    const ring = newRing('EdDSA', START)

    expect(revoke(ring, 'no-such-kid', START)).toBe(ring)
  })
})

describe('two instances that were told different things', () => {
  const join = (one: Ring, other: Ring) => merged(one, other, TIMES, READY + 1_000)

  test('come to the same, in whichever order they hear of each other', () => {
    const ring = newRing('EdDSA', START)
    const one = rotate(ring, READY)
    const other = revoke(ring, signs(ring, START), READY + 1_000)

    expect(join(one, other)).toEqual(join(other, one))
    expect(join(join(one, other), one)).toEqual(join(one, other))
  })

  test('do not bring back a key that one of them has revoked', () => {
    const ring = newRing('EdDSA', START)
    const first = signs(ring, START)
    const after = join(join(ring, revoke(ring, first, READY)), ring)

    expect(after.keys.map(({ kid }) => kid)).not.toContain(first)
    expect(after.revoked).toEqual([first])
  })

  test('with clocks apart sign with the same key of a new ring', () => {
    const ring = newRing('EdDSA', START)
    const behind = START - 20_000

    expect(signs(ring, behind)).toBe(signs(ring, START))
    expect(maintained(ring, 'EdDSA', TIMES, behind)).toEqual(ring)
    expect(kidsOf(ring, behind)).toHaveLength(2)
  })
})

/** Milliseconds by which changes get around late, and clocks are apart; less than the margin together. */
const LATE_MS = 10_000
const SKEW_MS = 10_000

interface Schedule {
  readonly seed: number
  readonly instances: number
  readonly revocations: boolean
}

/**
 * Walks through a schedule of rotations, changes of the algorithm and, if asked for, revocations. At each step some
 * instance mints and some instance serves its JWKS, and every copy of a JWKS that an origin could hold then must have
 * the key of every token that is alive. Steps often lead to the very moment of a change, or just before it.
 */
function walk({ seed, instances, revocations }: Schedule) {
  const random = seeded(seed)
  const below = (most: number) => Math.floor(random() * most)
  const counts = { switches: 0, revocations: 0, unknown: 0, checks: 0, most: 0 }
  let nowMs = START
  let stored = newRing('EdDSA', nowMs)
  let history = [{ atMs: nowMs, ring: stored }]
  const rings = Array.from({ length: instances }, (_, at) => ({ ring: stored, skewMs: at === 0 ? 0 : below(SKEW_MS) }))
  const some = () => {
    const one = rings[below(instances)] ?? { ring: stored, skewMs: 0 }
    const heard = history.findLast(({ atMs }) => nowMs - atMs >= LATE_MS || below(2) === 0)
    one.ring = merged(one.ring, heard?.ring ?? one.ring, TIMES, nowMs - one.skewMs)
    return { one, atMs: nowMs - one.skewMs }
  }
  const change = (step: (ring: Ring, atMs: number) => Ring) => {
    const { one, atMs } = some()
    one.ring = step(merged(one.ring, stored, TIMES, atMs), atMs)
    stored = one.ring
    history = [...history.slice(-20), { atMs: nowMs, ring: stored }]
  }
  const gone = new Set<string>()
  let tokens: { kid: string; expMs: number; known: boolean }[] = []
  let copies: { atMs: number; kids: ReadonlySet<string> }[] = []
  let alg: 'EdDSA' | 'ES256' = 'EdDSA'
  for (let step = 0; step < 1_500; step += 1) {
    const moments = stored.keys
      .flatMap((key) => [beginsMs(key, TIMES), beginsMs(key, TIMES) + retentionSec(TIMES) * 1000])
      .flatMap((atMs) => [atMs - 1, atMs])
      .filter((atMs) => atMs > nowMs && atMs < nowMs + 12 * HOUR)
    nowMs = below(3) === 0 && moments.length > 0 ? (moments[below(moments.length)] ?? nowMs) : nowMs + below(200_000)
    if (below(40) === 0) nowMs += 4 * HOUR
    if (below(30) === 0) change((ring, atMs) => rotated(ring, alg, TIMES, atMs))
    if (below(200) === 0) alg = alg === 'EdDSA' ? 'ES256' : 'EdDSA'
    if (below(4) === 0) change((ring, atMs) => maintained(ring, alg, TIMES, atMs))
    if (revocations && below(25) === 0) {
      const kid = stored.keys[below(stored.keys.length)]?.kid ?? ''
      change((ring, atMs) => revoked(ring, kid, TIMES, atMs))
      gone.add(kid)
      counts.revocations += 1
    }
    const server = some()
    copies = copies.filter(({ atMs }) => atMs > nowMs - TIMES.maxAgeSec * 1000)
    copies.push({ atMs: nowMs, kids: new Set(kidsOf(server.one.ring, server.atMs)) })
    const signer = some()
    const kid = signs(signer.one.ring, signer.atMs) ?? ''
    const isKnown = (one: string) => copies.every(({ kids }) => kids.has(one))
    const known = isKnown(kid)
    // Nobody signs with what an origin may not know while there is a key that they all know.
    if (!known && !gone.has(kid)) {
      const better = kidsOf(signer.one.ring, signer.atMs).filter((one) => isKnown(one) && !gone.has(one))
      // Of several instances one may not have heard, for seconds, of what another did.
      if (instances === 1) expect(better).toEqual([])
      counts.unknown += 1
    }
    if (kid !== tokens.at(-1)?.kid) counts.switches += 1
    tokens = tokens.filter(({ expMs }) => expMs > nowMs)
    tokens.push({ kid, expMs: signer.atMs + TIMES.longestLifetimeSec * 1000, known })
    const due = tokens.filter((token) => token.known && !gone.has(token.kid))
    for (const { kids } of copies) expect(due.filter((token) => !kids.has(token.kid))).toEqual([])
    counts.checks += copies.length * due.length
    counts.most = Math.max(counts.most, kidsOf(server.one.ring, server.atMs).length)
  }
  return counts
}

const SEEDS = Array.from({ length: 5 }, (_, at) => at + 1)

describe('at every moment, an origin that honours max-age can verify every token until it expires', () => {
  test.each(SEEDS)('through rotations and changes of the algorithm, schedule %i', (seed) => {
    const { switches, unknown, checks, most } = walk({ seed, instances: 1, revocations: false })

    expect(unknown).toBe(0)
    expect(switches).toBeGreaterThan(20)
    expect(checks).toBeGreaterThan(10_000)
    expect(most).toBeLessThan(20)
  })

  test.each(SEEDS)('also with three instances that are behind and whose clocks are apart, schedule %i', (seed) => {
    const { switches, unknown, checks } = walk({ seed, instances: 3, revocations: false })

    expect(unknown).toBe(0)
    expect(switches).toBeGreaterThan(20)
    expect(checks).toBeGreaterThan(10_000)
  })

  test.each(SEEDS)('unless its key was revoked, or no key was left that all origins know, schedule %i', (seed) => {
    const { revocations, unknown, checks } = walk({ seed, instances: 1, revocations: true })

    expect(revocations).toBeGreaterThan(30)
    expect(unknown).toBeLessThan(revocations)
    expect(checks).toBeGreaterThan(5_000)
  })

  test.each(SEEDS)('a revocation at one of three instances harms no token of another key, schedule %i', (seed) => {
    const { revocations, checks } = walk({ seed, instances: 3, revocations: true })

    expect(revocations).toBeGreaterThan(30)
    expect(checks).toBeGreaterThan(5_000)
  })
})
