import { expect, test } from 'vitest'
import { seeded } from '../limits/naive.testing.ts'
import { createTokenCache } from './token-cache.ts'

const token = (value: string) => ({ value, freshMs: 0 })

test('gives what was kept for exactly that consumer and audience', () => {
  const cache = createTokenCache()
  cache.set('a', 'b c', token('one'))
  cache.set('a b', 'c', token('two'))

  expect(cache.get('a', 'b c')?.value).toBe('one')
  expect(cache.get('a b', 'c')?.value).toBe('two')
  expect(cache.get('a', 'c')).toBeUndefined()
  expect(cache.get('b', 'b c')).toBeUndefined()
  cache.clear()
  expect(cache.get('a', 'b c')).toBeUndefined()
})

test.each([1, 2, 3])('never gives a token of another consumer or audience, walk %i', (seed) => {
  const random = seeded(seed)
  const below = (most: number) => Math.floor(random() * most)
  const cache = createTokenCache(20_000)
  let hits = 0
  for (let step = 0; step < 20_000; step += 1) {
    const [sub, aud] = [`consumer-${below(12)}`, `https://api.example.com/${below(12)}`]
    const kept = cache.get(sub, aud)
    if (kept) {
      hits += 1
      expect(kept.value).toMatch(new RegExp(`^${sub} ${aud} `, 'u'))
    } else {
      cache.set(sub, aud, token(`${sub} ${aud} ${step}`))
    }
  }
  expect(hits).toBeGreaterThan(2_000)
})

test('is bounded in octets, however long the audiences are', () => {
  const cache = createTokenCache(100_000)
  for (let at = 0; at < 1_000; at += 1) cache.set('a', `${at}`.padEnd(1_000, '.'), token('x'.repeat(1_500)))
  const kept = Array.from({ length: 1_000 }, (_, at) => cache.get('a', `${at}`.padEnd(1_000, '.')))

  const left = kept.filter((one) => one !== undefined).length
  expect(left).toBeGreaterThan(20)
  expect(left).toBeLessThan(100)
})

test('what is asked for stays, whatever others ask for meanwhile', () => {
  const cache = createTokenCache(10_000)
  cache.set('busy', 'aud', token('kept'))
  for (let at = 0; at < 1_000; at += 1) {
    cache.set('flood', `https://api.example.com/${at}`, token('x'))
    expect(cache.get('busy', 'aud')?.value).toBe('kept')
  }
  expect(cache.get('flood', 'https://api.example.com/0')).toBeUndefined()
})
