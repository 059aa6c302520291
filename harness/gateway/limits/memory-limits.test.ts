import { expect, test } from 'vitest'
import { movableClock } from '../../clock/clock.ts'
import type { Taken } from '../policy.ts'
import { createMemoryLimits } from './memory-limits.ts'
import { naiveLimits, randomTakes } from './naive.testing.ts'
import { stillClock } from './still-clock.testing.ts'

const only = (taken: readonly Taken[]): Taken => {
  const [one] = taken
  if (!one || taken.length > 1) throw new Error('One counter, one answer')
  return one
}

test.each([1, 2, 3, 4, 5])('admits exactly what a naive model admits, seed %i', (seed) => {
  const clock = stillClock()
  const limits = createMemoryLimits(clock)
  const model = naiveLimits()
  let admitted = 0
  let refused = 0
  for (const { stepMs, takes } of randomTakes(seed, 5_000)) {
    clock.move(stepMs)
    const due = model(clock.nowMs(), takes)
    expect(limits.take(takes)).toEqual(due)
    if (due.every(({ allowed }) => allowed)) admitted += 1
    else refused += 1
  }
  // Both happen often, or nothing was compared.
  expect(admitted).toBeGreaterThan(500)
  expect(refused).toBeGreaterThan(500)
})

test('a use counts until its window has gone by, to the millisecond', () => {
  const clock = stillClock()
  const limits = createMemoryLimits(clock)
  const take = { key: 'a', rule: { limit: 1, windowMs: 1_000 }, cost: 1 }
  expect(only(limits.take([take]))).toEqual({ allowed: true, remaining: 0, retryMs: 0, moreMs: 1_000 })
  clock.move(999)
  expect(only(limits.take([take]))).toEqual({ allowed: false, remaining: 0, retryMs: 1, moreMs: 1 })
  clock.move(1)
  expect(only(limits.take([take]))).toMatchObject({ allowed: true })
})

test('what costs more than the limit is refused for ever', () => {
  const limits = createMemoryLimits(stillClock())
  expect(only(limits.take([{ key: 'a', rule: { limit: 3, windowMs: 1_000 }, cost: 4 }]))).toEqual({
    allowed: false,
    remaining: 3,
    retryMs: Number.POSITIVE_INFINITY,
    moreMs: 0,
  })
})

test('takes from all counters or from none', () => {
  const limits = createMemoryLimits(stillClock())
  const rule = { limit: 2, windowMs: 1_000 }
  const both = [
    { key: 'a', rule, cost: 1 },
    { key: 'b', rule, cost: 2 },
  ]
  expect(limits.take(both)).toMatchObject([{ allowed: true }, { allowed: true }])
  expect(limits.take(both)).toMatchObject([
    { allowed: true, remaining: 1 },
    { allowed: false, remaining: 0 },
  ])
  expect(only(limits.take([{ key: 'a', rule, cost: 0 }]))).toMatchObject({ remaining: 1 })
})

test('a clock that is set back neither lengthens nor forgets what was used', () => {
  const clock = stillClock()
  const limits = createMemoryLimits(clock)
  const take = { key: 'a', rule: { limit: 1, windowMs: 1_000 }, cost: 1 }
  limits.take([take])
  clock.move(-3_600_000)
  expect(only(limits.take([take]))).toMatchObject({ allowed: false, retryMs: 1_000 })
  clock.move(1_000)
  expect(only(limits.take([take]))).toMatchObject({ allowed: true })
})

test('a flood of new keys does not free an exhausted one', () => {
  const limits = createMemoryLimits(stillClock(), 100)
  const rule = { limit: 5, windowMs: 60_000 }
  const victims = Array.from({ length: 10 }, (_, nth) => ({ key: `exhausted ${nth}`, rule, cost: 5 }))
  for (const victim of victims) expect(only(limits.take([victim]))).toMatchObject({ allowed: true })
  for (let nth = 0; nth < 10_000; nth += 1) limits.take([{ key: `flood ${nth}`, rule, cost: 1 }])
  for (const victim of victims) expect(only(limits.take([{ ...victim, cost: 1 }]))).toMatchObject({ allowed: false })
})

test('a full table of exhausted keys still takes new ones', () => {
  const limits = createMemoryLimits(stillClock(), 10)
  const rule = { limit: 1, windowMs: 60_000 }
  const keys = Array.from({ length: 1_000 }, (_, nth) => `key ${nth}`)
  for (const key of keys) expect(only(limits.take([{ key, rule, cost: 1 }]))).toMatchObject({ allowed: true })
  const kept = keys.filter((key) => !only(limits.take([{ key, rule, cost: 1 }])).allowed)
  expect(kept.length).toBeLessThanOrEqual(10)
})

test('keys without use in their window are forgotten, also while new ones come', () => {
  const clock = stillClock()
  const limits = createMemoryLimits(clock)
  const rule = { limit: 2, windowMs: 1_000 }
  for (let nth = 0; nth < 1_000; nth += 1) limits.take([{ key: `early ${nth}`, rule, cost: 1 }])
  expect(limits.keys()).toBe(1_000)
  clock.move(1_000)
  for (let nth = 0; nth < 1_000; nth += 1) limits.take([{ key: `late ${nth}`, rule, cost: 1 }])
  expect(limits.keys()).toBe(1_000)
  for (let nth = 0; nth < 1_000; nth += 1) {
    expect(only(limits.take([{ key: `late ${nth}`, rule, cost: 0 }]))).toMatchObject({ remaining: 1 })
  }
})

test('what is only looked at or refused takes no room', () => {
  const limits = createMemoryLimits(stillClock())
  limits.take([{ key: 'a', rule: { limit: 2, windowMs: 1_000 }, cost: 0 }])
  limits.take([{ key: 'b', rule: { limit: 2, windowMs: 1_000 }, cost: 3 }])
  expect(limits.keys()).toBe(0)
})

test('moves with a movable clock', () => {
  const clock = movableClock()
  const limits = createMemoryLimits(clock)
  const take = { key: 'a', rule: { limit: 1, windowMs: 60_000 }, cost: 1 }
  expect(only(limits.take([take]))).toMatchObject({ allowed: true })
  expect(only(limits.take([take]))).toMatchObject({ allowed: false })
  clock.advance(60)
  expect(only(limits.take([take]))).toMatchObject({ allowed: true })
})
