import type { Clock } from '../../clock/clock.ts'
import type { OperatorEvent } from '../policy.ts'
import type { GatewayAlgorithm } from '../settings.ts'
import { beginsMs, lastKey, merged } from './ring.ts'
import type { Ring, RingTimes } from './ring.ts'
import { algorithmOf, maintained, newRing, revoked, rotated } from './ring-changes.ts'
import type { RingStore } from './ring-store.ts'

/** What a ring is kept with. */
export interface KeeperOptions {
  /** Another one than the ring has leads to a rotation; of several instances the last to start decides. */
  readonly algorithm: GatewayAlgorithm
  readonly times: RingTimes
  readonly clock: Clock
  /** Whoever opened it closes it. */
  readonly store: RingStore
  readonly report: (event: OperatorEvent) => void
}

/** The ring as this instance knows it, kept in step with the store. */
export interface RingKeeper extends Disposable {
  readonly ring: () => Ring
  /** Grows with every key that was revoked, here or elsewhere. */
  readonly generation: () => number
  /** Begins a rotation, unless one is under way; gives the kid that takes over, and when (milliseconds since the epoch). */
  readonly rotate: () => Promise<{ readonly kid: string; readonly activeMs: number }>
  /**
   * Takes a key away; false when there is none of that kid. Counts here at once. Rejects when the store is away: then
   * other instances come to know of it when the store is back.
   */
  readonly revoke: (kid: string) => Promise<boolean>
}

/** Milliseconds between two looks whether a rotation is due. */
const MAINTENANCE_MS = 60_000

/** Keeps the ring: it has a key that signs when this resolves. */
export async function keepRing(options: KeeperOptions): Promise<RingKeeper> {
  const { algorithm, times, clock, store, report } = options
  let ring = await store.update((held) =>
    held ? maintained(held, algorithm, times, clock.nowMs()) : newRing(algorithm, clock.nowMs()),
  )
  let generation = 0
  let isAway = false

  const adopt = (other: Ring): void => {
    const before = ring
    // Never only the other: it may have been read before something that is known here was written.
    ring = merged(before, other, times, clock.nowMs())
    if (ring.revoked.length > before.revoked.length) generation += 1
    for (const event of changesBetween(before, ring, times)) report(event)
  }
  /** Also puts into the store what is known here alone: it may have been away, or have lost it. */
  const change = async (step: (all: Ring, nowMs: number) => Ring): Promise<void> => {
    const stored = await store.update((held) => {
      const nowMs = clock.nowMs()
      return step(merged(ring, held ?? ring, times, nowMs), nowMs)
    })
    adopt(stored)
  }
  const maintain = (): Promise<void> =>
    change((all, nowMs) => maintained(all, algorithmOf(all, algorithm), times, nowMs))
  const look = async (): Promise<void> => {
    const held = await store.read()
    if (held) adopt(held)
    const isAll = held && JSON.stringify(merged(held, held, times, clock.nowMs())) === JSON.stringify(ring)
    if (!isAll) await maintain()
  }
  const attempt = (work: () => Promise<void>): void => {
    work().then(
      () => {
        if (isAway) report({ event: 'signing-key-store-up' })
        isAway = false
      },
      () => {
        if (!isAway) report({ event: 'signing-key-store-down' })
        isAway = true
      },
    )
  }

  await store.watch(() => {
    attempt(look)
  })
  const timer = setInterval(() => {
    attempt(maintain)
  }, MAINTENANCE_MS)
  timer.unref()

  return {
    ring: () => ring,
    generation: () => generation,
    async rotate() {
      await change((all, nowMs) => rotated(all, algorithmOf(all, algorithm), times, nowMs))
      const last = lastKey(ring, times)
      return { kid: last?.kid ?? '', activeMs: last ? beginsMs(last, times) : 0 }
    },
    async revoke(kid) {
      adopt(revoked(ring, kid, times, clock.nowMs()))
      await change((all, nowMs) => revoked(all, kid, times, nowMs))
      return ring.revoked.includes(kid)
    },
    [Symbol.dispose]() {
      clearInterval(timer)
    },
  }
}

/** What the operator should know of what happened to the ring. */
function changesBetween(before: Ring, after: Ring, times: RingTimes): readonly OperatorEvent[] {
  const due = ({ keys }: Ring) => keys.filter(({ dueMs }) => dueMs !== undefined)
  const known = new Set(due(before).map(({ kid }) => kid))
  return [
    ...after.revoked
      .filter((kid) => !before.revoked.includes(kid))
      .map((kid) => ({ event: 'signing-key-revoked', kid })),
    ...due(after)
      .filter(({ kid }) => !known.has(kid))
      .map((key) => ({
        event: 'signing-key-rotation',
        kid: key.kid,
        activeFrom: new Date(beginsMs(key, times)).toISOString(),
      })),
  ]
}
