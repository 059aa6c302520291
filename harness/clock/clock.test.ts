import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { movableClock } from './clock.ts'
import { faketimeClock, findFaketime } from './faketime.ts'

let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'trustspec-clock-'))
})

afterEach(() => rm(folder, { recursive: true }))

test('a clock goes forward by what it is told, and never back', () => {
  const moves: number[] = []
  const clock = movableClock('injected', (ahead) => moves.push(ahead))
  const before = clock.nowMs()
  clock.advance(600)
  clock.advance(0.5)

  expect(clock.nowMs() - before).toBeGreaterThanOrEqual(600_500)
  expect(moves).toEqual([600, 600.5])
  expect(() => {
    clock.advance(-1)
  }).toThrow(RangeError)
})

test.runIf(process.platform === 'linux')('libfaketime is found in the folder of any architecture', async () => {
  const library = path.join(folder, 'riscv64-linux-gnu', 'faketime', 'libfaketimeMT.so.1')
  await mkdir(path.dirname(library), { recursive: true })

  expect(findFaketime([folder, path.join(folder, 'none')])).toBeUndefined()
  await writeFile(library, '')
  expect(findFaketime([path.join(folder, 'none'), folder])).toBe(library)
})

test('the offset of libfaketime is in a file of its own, which ends with the clock', async () => {
  const clock = faketimeClock('/usr/lib/libfaketimeMT.so.1')
  const { LD_PRELOAD, FAKETIME_TIMESTAMP_FILE: file = '' } = clock.environment
  const atFirst = await readFile(file, 'utf8')
  await clock.advance(59)
  await clock.advance(0.1)

  expect(LD_PRELOAD).toBe('/usr/lib/libfaketimeMT.so.1')
  expect([atFirst, await readFile(file, 'utf8')]).toEqual(['+0\n', '+59.1\n'])
  clock[Symbol.dispose]()
  await expect(stat(path.dirname(file))).rejects.toThrow('ENOENT')
})
