import { expect, test } from 'vitest'
import { seeded } from './naive.testing.ts'
import { PERIODS, periodAround } from './period.ts'
import type { Period } from './period.ts'

const around = (period: Period, anchor: string, now: string) => {
  const { startMs, endMs } = periodAround(period, Date.parse(anchor), Date.parse(now))
  return [startMs, endMs].map((ms) => new Date(ms).toISOString().replace(':00.000', ''))
}

test.each<[Period, string, string, string, string]>([
  ['monthly', '2024-01-31T04:30Z', '2024-02-10T00:00Z', '2024-01-31T04:30Z', '2024-02-29T04:30Z'],
  ['monthly', '2024-01-31T04:30Z', '2024-02-29T04:29Z', '2024-01-31T04:30Z', '2024-02-29T04:30Z'],
  // Clamped from the anchor each time, so that March has its 31st again.
  ['monthly', '2024-01-31T04:30Z', '2024-02-29T04:30Z', '2024-02-29T04:30Z', '2024-03-31T04:30Z'],
  ['monthly', '2024-01-31T04:30Z', '2024-04-30T04:30Z', '2024-04-30T04:30Z', '2024-05-31T04:30Z'],
  ['monthly', '2023-01-31T04:30Z', '2023-02-27T00:00Z', '2023-01-31T04:30Z', '2023-02-28T04:30Z'],
  ['monthly', '2024-02-29T00:00Z', '2025-02-28T00:00Z', '2025-02-28T00:00Z', '2025-03-29T00:00Z'],
  ['monthly', '2024-12-15T23:59Z', '2025-01-01T00:00Z', '2024-12-15T23:59Z', '2025-01-15T23:59Z'],
  // An anchor that is still to come.
  ['monthly', '2024-03-31T00:00Z', '2024-02-01T00:00Z', '2024-01-31T00:00Z', '2024-02-29T00:00Z'],
  ['weekly', '2024-01-31T04:30Z', '2024-02-07T04:29Z', '2024-01-31T04:30Z', '2024-02-07T04:30Z'],
  ['weekly', '2024-01-31T04:30Z', '2024-02-07T04:30Z', '2024-02-07T04:30Z', '2024-02-14T04:30Z'],
  ['daily', '2024-02-28T04:30Z', '2024-02-29T03:00Z', '2024-02-28T04:30Z', '2024-02-29T04:30Z'],
  ['daily', '2024-02-28T04:30Z', '2024-02-27T03:00Z', '2024-02-26T04:30Z', '2024-02-27T04:30Z'],
  ['hourly', '2024-01-31T04:30Z', '2024-01-31T09:15Z', '2024-01-31T08:30Z', '2024-01-31T09:30Z'],
])('%s from %s: %s lies between %s and %s', (period, anchor, now, start, end) => {
  expect(around(period, anchor, now)).toEqual([start, end])
})

test.each(PERIODS)('%s: periods hold the moment and follow each other without a gap', (period) => {
  const random = seeded(7)
  const anywhere = () => Math.floor((random() - 0.3) * 3e12)
  for (let nth = 0; nth < 2_000; nth += 1) {
    const [anchorMs, nowMs] = [anywhere(), anywhere()]
    const { startMs, endMs } = periodAround(period, anchorMs, nowMs)
    expect(startMs).toBeLessThanOrEqual(nowMs)
    expect(endMs).toBeGreaterThan(nowMs)
    expect(periodAround(period, anchorMs, endMs).startMs).toBe(endMs)
    expect(periodAround(period, anchorMs, startMs - 1).endMs).toBe(startMs)
    expect(periodAround(period, anchorMs, anchorMs).startMs).toBe(anchorMs)
  }
})
