import { describe, expect, test } from 'vitest'
import { activeKey, maintained, newRing, nextKey, publishedKeys, retentionSec, revoked, rotated } from './ring.ts'
import type { Ring, RingTimes } from './ring.ts'

const TIMES: RingTimes = { maxAgeSec: 300, longestLifetimeSec: 3_600, rotateEverySec: 86_400 }
const START = Date.UTC(2026, 0, 1)
const HOUR = 3_600_000

const kidsOf = (ring: Ring, nowMs: number) => publishedKeys(ring, TIMES, nowMs).map(({ kid }) => kid)

test('a new ring signs at once and has its next key published', () => {
  const ring = newRing('EdDSA', START)

  expect(activeKey(ring, START)?.kid).toBe(ring.keys[0]?.kid)
  expect(nextKey(ring, START)?.kid).toBe(ring.keys[1]?.kid)
  expect(kidsOf(ring, START)).toHaveLength(2)
})

test('a rotation takes the published key as soon as origins can know it, and not before', () => {
  const ring = newRing('ES256', START)
  const [first, second] = ring.keys
  const early = rotated(ring, 'ES256', TIMES, START + 1_000)
  const due = START + 330_000

  expect(activeKey(early, due - 1)?.kid).toBe(first?.kid)
  expect(activeKey(early, due)?.kid).toBe(second?.kid)
  expect(rotated(early, 'ES256', TIMES, START + 2_000)).toBe(early)

  const late = rotated(ring, 'ES256', TIMES, START + HOUR)
  expect(activeKey(late, START + HOUR)?.kid).toBe(second?.kid)
  expect(nextKey(late, START + HOUR)?.kid).not.toBe(second?.kid)
})

test('whatever happens, an origin that honours max-age can verify every token until it expires', () => {
  // Tokens are minted, and copies of the JWKS taken, at each step of a schedule of rotations.
  let ring = newRing('EdDSA', START)
  const tokens: { kid: string; expMs: number }[] = []
  const copies: { atMs: number; kids: readonly string[] }[] = []
  let rotations = 0
  for (let step = 0; step < 2_000; step += 1) {
    const nowMs = START + step * 60_000
    if (step % 97 === 5) ring = rotated(ring, 'EdDSA', TIMES, nowMs)
    const before = activeKey(ring, nowMs)?.kid
    ring = maintained(ring, 'EdDSA', TIMES, nowMs)
    expect(activeKey(ring, nowMs)?.kid).toBe(before)
    copies.push({ atMs: nowMs, kids: kidsOf(ring, nowMs) })
    const kid = activeKey(ring, nowMs)?.kid ?? ''
    if (kid !== tokens.at(-1)?.kid) rotations += 1
    tokens.push({ kid, expMs: nowMs + TIMES.longestLifetimeSec * 1000 })
    const held = copies.filter(({ atMs }) => atMs > nowMs - TIMES.maxAgeSec * 1000)
    const alive = tokens.filter(({ expMs }) => expMs > nowMs)
    for (const copy of held) {
      // A copy as old as max-age allows knows each key that signs, and each that signed what still lives.
      expect(alive.filter((token) => !copy.kids.includes(token.kid))).toEqual([])
    }
  }
  expect(rotations).toBeGreaterThan(20)
  expect(ring.keys.length).toBeLessThan(6)
})

test('a retired key is gone when nothing that it signed can be alive', () => {
  const ring = rotated(newRing('EdDSA', START), 'EdDSA', TIMES, START + HOUR)
  const first = ring.keys[0]?.kid ?? ''
  const gone = START + HOUR + retentionSec(TIMES) * 1000

  expect(kidsOf(ring, gone - 1)).toContain(first)
  expect(kidsOf(ring, gone)).not.toContain(first)
  expect(maintained(ring, 'EdDSA', TIMES, gone).keys.map(({ kid }) => kid)).not.toContain(first)
})

describe('revocation', () => {
  test('of the key that signs: the next one takes over at once', () => {
    const ring = newRing('RS256', START)
    const [first, second] = ring.keys
    const after = revoked(ring, first?.kid ?? '', 'RS256', START + 5)

    expect(activeKey(after, START + 5)?.kid).toBe(second?.kid)
    expect(kidsOf(after, START + 5)).not.toContain(first?.kid)
    expect(nextKey(after, START + 5)).toBeDefined()
  })

  test('of the key that waits: the one that signs goes on, and another waits', () => {
    const ring = newRing('EdDSA', START)
    const [first, second] = ring.keys
    const after = revoked(ring, second?.kid ?? '', 'EdDSA', START)

    expect(activeKey(after, START)?.kid).toBe(first?.kid)
    expect(nextKey(after, START)?.kid).not.toBe(second?.kid)
    expect(nextKey(after, START)).toBeDefined()
  })

  test('of all keys, one after the other: there is always one that signs', () => {
    let ring = newRing('EdDSA', START)
    for (let round = 0; round < 5; round += 1) {
      ring = revoked(ring, activeKey(ring, START)?.kid ?? '', 'EdDSA', START)
      expect(activeKey(ring, START)).toBeDefined()
    }
    expect(new Set(ring.keys.map(({ kid }) => kid)).size).toBe(ring.keys.length)
  })
})

test('another algorithm takes over like a rotation, both published meanwhile', () => {
  const ring = maintained(newRing('RS256', START), 'EdDSA', TIMES, START + HOUR)

  expect(activeKey(ring, START + HOUR)?.alg).toBe('RS256')
  expect(activeKey(ring, START + HOUR + 330_000)?.alg).toBe('EdDSA')
  expect(publishedKeys(ring, TIMES, START + HOUR + 330_000).map(({ alg }) => alg)).toContain('RS256')
})
