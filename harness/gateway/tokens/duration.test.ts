import { describe, expect, test } from 'vitest'
import { secondsOf } from './duration.ts'
import type { Units } from './duration.ts'

const YEAR = 365.25 * 86_400

describe.each<Units>(['short', 'long'])('%s units', (units) => {
  test.each<readonly [value: unknown, seconds: number]>([
    [1, 1],
    [300, 300],
    [1.9, 1],
    ['30s', 30],
    ['5m', 300],
    ['2h', 7_200],
    ['1d', 86_400],
    ['2w', 14 * 86_400],
    ['1y', YEAR],
    ['1.5h', 5_400],
    ['5 m', 300],
    [' 5M ', 300],
  ])('%j is %i s', (value, seconds) => {
    expect(secondsOf(value, units)).toBe(seconds)
  })

  test.each<unknown>([
    0,
    -1,
    0.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '',
    '5',
    'm',
    '-5m',
    '+5m',
    '0s',
    '0.001m',
    '5 fortnights',
    '5mm',
    '5m 3s',
    '5m ago',
    '1e3s',
    '٥m',
    'constructor',
    '5constructor',
    null,
    undefined,
    true,
    ['5m'],
    {},
  ])('%j is none', (value) => {
    expect(secondsOf(value, units)).toBeUndefined()
  })
})

test.each<readonly [names: readonly string[], seconds: number]>([
  [['sec', 'secs', 'second', 'seconds'], 1],
  [['min', 'mins', 'minute', 'minutes'], 60],
  [['hr', 'hrs', 'hour', 'hours'], 3_600],
  [['day', 'days'], 86_400],
  [['week', 'weeks'], 604_800],
  [['yr', 'yrs', 'year', 'years'], YEAR],
])('%j are long names alone', (names, seconds) => {
  for (const name of names) {
    expect(secondsOf(`2 ${name}`, 'long')).toBe(2 * seconds)
    expect(secondsOf(`2 ${name}`, 'short')).toBeUndefined()
  }
})
