import { createHash } from 'node:crypto'
import type { Take, Taken } from '../policy.ts'

/** A sliding window as one would write it down: all uses in a list, counted anew every time. */
export function naiveLimits(): (nowMs: number, takes: readonly Take[]) => readonly Taken[] {
  const uses = new Map<string, readonly { readonly atMs: number; readonly amount: number }[]>()
  const left = (key: string, fromMs: number) => (uses.get(key) ?? []).filter(({ atMs }) => atMs > fromMs)
  const sum = (list: readonly { readonly amount: number }[]) => list.reduce((total, { amount }) => total + amount, 0)
  return (nowMs, takes) => {
    const fits = ({ key, rule, cost }: Take, atMs: number) => sum(left(key, atMs - rule.windowMs)) + cost <= rule.limit
    const allowed = takes.map((take) => fits(take, nowMs))
    if (!allowed.includes(false)) {
      for (const { key, cost } of takes) {
        if (cost > 0) uses.set(key, [...(uses.get(key) ?? []), { atMs: nowMs, amount: cost }])
      }
    }
    return takes.map((take, nth) => {
      const { key, rule, cost } = take
      const current = left(key, nowMs - rule.windowMs)
      const leaves = current.map(({ atMs }) => atMs + rule.windowMs)
      return {
        allowed: allowed[nth] === true,
        remaining: Math.max(0, rule.limit - sum(current)),
        retryMs:
          allowed[nth] === true
            ? 0
            : cost > rule.limit
              ? Number.POSITIVE_INFINITY
              : (leaves.find((atMs) => fits(take, atMs)) ?? Number.NaN) - nowMs,
        moreMs: leaves.length === 0 ? 0 : Math.min(...leaves) - nowMs,
      }
    })
  }
}

/** Numbers from 0 to below 1 that follow from a seed. */
export function seeded(seed: number): () => number {
  let block = createHash('sha256').update(`${seed}`).digest()
  let at = 0
  return () => {
    if (at === 32) {
      block = createHash('sha256').update(block).digest()
      at = 0
    }
    at += 4
    return block.readUInt32LE(at - 4) / 2 ** 32
  }
}

/** Requests of a few callers with one to three limits each, bunched and apart in time. */
export function* randomTakes(seed: number, length: number) {
  const random = seeded(seed)
  const below = (most: number) => Math.floor(random() * most)
  for (let nth = 0; nth < length; nth += 1) {
    const caller = below(3)
    const rules = [
      { limit: 5 + caller, windowMs: 1_000 },
      { limit: 40, windowMs: 7_000 },
      // Moves, as the limit of a custom function may.
      { limit: 3 + below(3), windowMs: 50 },
    ]
    const count = 1 + below(3)
    const takes: Take[] = rules
      .slice(0, count)
      .map((rule, which) => ({ key: `${caller} ${which}`, rule, cost: below(10) === 0 ? below(7) : 1 }))
    yield { stepMs: below(3) === 0 ? below(400) : below(3) === 0 ? 1 : 0, takes }
  }
}
