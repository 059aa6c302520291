import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { stillClock } from '../limits/still-clock.testing.ts'
import type { GatewayAlgorithm } from '../settings.ts'
import { signingKey, waitingKey } from './ring.ts'
import type { Ring, RingTimes } from './ring.ts'
import { keepRing } from './ring-keeper.ts'
import type { RingKeeper } from './ring-keeper.ts'
import type { RingStore } from './ring-store.ts'

const TIMES: RingTimes = { maxAgeSec: 300, longestLifetimeSec: 3_600, rotateEverySec: 86_400 }
const READY_MS = 330_000

/** A store that instances share: it can be away, lose what it holds, and be slow to give what it held. */
function sharedStore() {
  let ring: Ring | undefined
  let isAway = false
  let gate: Promise<void> | undefined
  const looks: (() => void)[] = []
  const present = (): void => {
    if (isAway) throw new Error('The store is away')
  }
  const connect = (): RingStore => ({
    // eslint-disable-next-line require-await -- what is thrown is a rejection
    async update(change) {
      present()
      ring = change(ring)
      return ring
    },
    async read() {
      present()
      const held = ring
      await gate
      return held
    },
    watch(look) {
      looks.push(look)
      return Promise.resolve()
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  })
  return {
    connect,
    held: () => ring,
    lose: (): void => {
      ring = undefined
    },
    away: (value: boolean): void => {
      isAway = value
    },
    /** Reads that begin from now on give what is held now, once it is let go. */
    slow(): () => void {
      const { promise, resolve } = Promise.withResolvers<undefined>()
      gate = promise.then(() => undefined)
      return () => {
        gate = undefined
        resolve(undefined)
      }
    },
    /** All instances look, and have looked when this resolves. */
    async announce(): Promise<void> {
      for (const look of looks) look()
      await setImmediate()
    },
  }
}

let clock = stillClock()
let store = sharedStore()
let keepers: RingKeeper[] = []

beforeEach(() => {
  clock = stillClock()
  store = sharedStore()
  keepers = []
})

afterEach(() => {
  for (const keeper of keepers) keeper[Symbol.dispose]()
  vi.useRealTimers()
})

async function instance(given: { readonly algorithm?: GatewayAlgorithm; readonly behindMs?: number } = {}) {
  const { algorithm = 'EdDSA', behindMs = 0 } = given
  const events: Readonly<Record<string, unknown>>[] = []
  const nowMs = (): number => clock.nowMs() - behindMs
  const keeper = await keepRing({
    algorithm,
    times: TIMES,
    clock: { nowMs },
    store: store.connect(),
    report: (event) => events.push(event),
  })
  keepers.push(keeper)
  return {
    ...keeper,
    events,
    signing: () => signingKey(keeper.ring(), TIMES, nowMs())?.kid ?? '',
    waiting: () => waitingKey(keeper.ring())?.kid,
    kids: () => keeper.ring().keys.map(({ kid }) => kid),
  }
}

test('instances begin with the same ring, also when the clock of one is behind', async () => {
  const one = await instance()
  const other = await instance({ behindMs: 20_000 })

  expect(other.ring()).toEqual(one.ring())
  expect(other.signing()).toBe(one.signing())
})

test('a revocation at one reaches the others, even when the ring was looked after in between', async () => {
  const one = await instance()
  const other = await instance()
  clock.move(READY_MS)
  const kid = one.signing()
  expect(await one.revoke(kid)).toBe(true)
  // Whoever starts looks after the ring.
  await instance()
  await store.announce()

  expect(other.kids()).not.toContain(kid)
  expect(other.signing()).toBe(one.signing())
  expect([one.generation(), other.generation()]).toEqual([1, 1])
  expect(other.events).toContainEqual({ event: 'signing-key-revoked', kid })
})

test('what was read before a revocation, and comes late, does not bring the key back', async () => {
  const one = await instance()
  const kid = one.signing()
  const letGo = store.slow()
  await store.announce()
  await one.revoke(kid)
  letGo()
  await setImmediate()

  expect(one.kids()).not.toContain(kid)
  expect(one.signing()).not.toBe(kid)
  expect(one.generation()).toBe(1)
})

test('without the store a revocation counts here at once, and everywhere when the store is back', async () => {
  const one = await instance()
  const other = await instance()
  const kid = one.signing()
  store.away(true)
  await expect(one.revoke(kid)).rejects.toThrow('The store is away')
  const taking = one.signing()
  expect(taking).not.toBe(kid)
  await store.announce()
  store.away(false)
  // What is stored still has the key.
  expect(store.held()?.keys.map((key) => key.kid)).toContain(kid)
  await store.announce()
  await store.announce()

  expect(one.signing()).toBe(taking)
  expect(store.held()?.revoked).toEqual([kid])
  expect(other.signing()).toBe(taking)
  expect(other.kids()).toContain(taking)
})

test('the key that takes over while the store is away is the one that all know afterwards', async () => {
  const one = await instance()
  store.away(true)
  await expect(one.revoke(one.waiting() ?? '')).rejects.toThrow('The store is away')
  // No other key is left than one that was made without the store.
  await expect(one.revoke(one.signing())).rejects.toThrow('The store is away')
  const made = one.signing()
  store.away(false)
  await store.announce()

  expect(one.signing()).toBe(made)
  expect(store.held()?.keys.map(({ kid }) => kid)).toContain(made)
})

test('a store that lost the ring gets it back', async () => {
  const one = await instance()
  const other = await instance()
  const before = one.signing()
  store.lose()
  await store.announce()

  expect(store.held()).toEqual(one.ring())
  expect(other.signing()).toBe(before)
})

test('an instance that starts with an empty store while others have a ring joins theirs', async () => {
  const one = await instance()
  clock.move(READY_MS)
  const known = one.signing()
  store.lose()
  const fresh = await instance()
  const own = fresh.signing()
  await store.announce()
  await store.announce()

  // Origins know the old ring; what the fresh one signed meanwhile can be verified as well.
  expect(fresh.signing()).toBe(known)
  expect(one.kids()).toContain(own)
})

test('the operator is told once that the store is away, and that it is back', async () => {
  const { events } = await instance()
  store.away(true)
  await store.announce()
  await store.announce()
  store.away(false)
  await store.announce()

  expect(events).toEqual([{ event: 'signing-key-store-down' }, { event: 'signing-key-store-up' }])
})

test('rotate tells what takes over, and when; while that is under way it begins no other', async () => {
  const one = await instance()
  const waiting = one.waiting()
  const startMs = clock.nowMs()
  const begun = await one.rotate()

  expect(begun).toEqual({ kid: waiting, activeMs: startMs + READY_MS })
  expect(await one.rotate()).toEqual(begun)
  const activeFrom = new Date(begun.activeMs).toISOString()
  expect(one.events).toEqual([{ event: 'signing-key-rotation', kid: waiting, activeFrom }])
  clock.move(READY_MS - 1)
  expect(one.signing()).not.toBe(waiting)
  clock.move(1)
  expect(one.signing()).toBe(waiting)
})

test('of no key that was revoked before, or that is none, anything is told', async () => {
  const one = await instance()

  expect(await one.revoke('no-such-kid')).toBe(false)
  expect(one.events).toEqual([])
  const kid = one.signing()
  expect([await one.revoke(kid), await one.revoke(kid)]).toEqual([true, true])
  expect(one.events.filter(({ event }) => event === 'signing-key-revoked')).toHaveLength(1)
  expect(one.generation()).toBe(1)
})

test('rotates by itself when the time has come, and not before', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const one = await instance()
  const [first, second] = [one.signing(), one.waiting()]
  clock.move(READY_MS + 86_400_000 - 1)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(one.signing()).toBe(first)
  clock.move(1)
  await vi.advanceTimersByTimeAsync(60_000)

  expect(one.signing()).toBe(second)
  expect(one.waiting()).not.toBe(second)
})

test('of instances with different algorithms the last to start decides, and the others follow', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  await instance({ algorithm: 'ES256' })
  clock.move(READY_MS)
  await instance({ algorithm: 'EdDSA' })
  for (let minute = 0; minute < 30; minute += 1) {
    clock.move(60_000)
    await vi.advanceTimersByTimeAsync(60_000)
    await store.announce()
  }

  expect(keepers.map((keeper) => signingKey(keeper.ring(), TIMES, clock.nowMs())?.alg)).toEqual(['EdDSA', 'EdDSA'])
  expect(
    store
      .held()
      ?.keys.map(({ alg }) => alg)
      .toSorted(),
  ).toEqual(['ES256', 'EdDSA', 'EdDSA'])
})
