import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { formatMatrix, unprovenCases } from './kill-matrix.ts'

test('every case that is judged is failed by a mutant', () => {
  expect(unprovenCases()).toEqual([])
})

test('the matrix is the committed one', () => {
  expect(formatMatrix()).toBe(readFileSync(new URL('../../docs/kill-matrix.md', import.meta.url), 'utf8'))
})
