import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Meters } from '../policy.ts'
import { openFileQuotas } from './file-quotas.ts'
import { createMemoryQuotas } from './memory-quotas.ts'
import { createQuotaBook } from './quota-book.ts'
import { seeded } from './naive.testing.ts'
import { stillClock } from './still-clock.testing.ts'

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'trustspec-quotas-'))
})

afterAll(() => {
  rmSync(folder, { recursive: true })
})

const DAY_MS = 86_400_000

const reservation = (meters: Meters, allowances: Meters = {}, startMs = 0) => ({
  key: 'alice',
  startMs,
  endMs: startMs + DAY_MS,
  meters,
  allowances,
})

test('all or nothing, and nothing once a meter is used up', () => {
  const quotas = createMemoryQuotas(stillClock(0))
  const reserve = (meters: Meters) => quotas.reserve(reservation(meters, { a: 2, b: 3 })).allowed
  expect(reserve({ a: 1, b: 4 })).toBe(false)
  expect(reserve({ a: 1, b: 2, c: 100 })).toBe(true)
  expect(reserve({ a: 2 })).toBe(false)
  expect(reserve({ b: 1 })).toBe(true)
  expect(reserve({ a: 1 })).toBe(false)
  expect(quotas.reserve(reservation({})).used).toEqual({ a: 1, b: 3, c: 100 })
})

test('names of meters mean nothing', () => {
  const quotas = createMemoryQuotas(stillClock(0))
  const names = ['constructor', 'toString', '__proto__', '']
  const meters = Object.fromEntries(names.map((name) => [name, 1]))
  expect(quotas.reserve(reservation(meters, meters)).allowed).toBe(true)
  expect(quotas.reserve(reservation(meters, meters))).toEqual({ allowed: false, startMs: 0, used: meters })
})

test('an earlier period than the one under way is counted there; a later one begins anew', () => {
  const quotas = createMemoryQuotas(stillClock(0))
  expect(quotas.reserve(reservation({ a: 1 }, {}, DAY_MS)).startMs).toBe(DAY_MS)
  expect(quotas.reserve(reservation({ a: 1 }, {}, 0))).toEqual({ allowed: true, startMs: DAY_MS, used: { a: 1 } })
  quotas.add('alice', 0, { a: -1 })
  expect(quotas.reserve(reservation({}, {}, DAY_MS)).used).toEqual({ a: 2 })
  expect(quotas.reserve(reservation({ a: 1 }, {}, 2 * DAY_MS)).used).toEqual({})
})

test('the first anchor stays', () => {
  const quotas = createMemoryQuotas(stillClock(0))
  expect([quotas.anchor('a', 5), quotas.anchor('a', 9), quotas.anchor('b', 9)]).toEqual([5, 5, 9])
})

test.each([1, 2, 3])('a file that is opened again and again knows what memory knows, seed %i', (seed) => {
  const clock = stillClock(0)
  const file = path.join(folder, `random-${seed}.jsonl`)
  const memory = createMemoryQuotas(clock)
  let opened = openFileQuotas(file, clock, 50)
  const random = seeded(seed)
  const below = (most: number) => Math.floor(random() * most)
  let refused = 0
  for (let nth = 0; nth < 3_000; nth += 1) {
    clock.move(below(DAY_MS / 50))
    const key = `caller ${below(5)}`
    const startMs = Math.floor(clock.nowMs() / DAY_MS) * DAY_MS
    if (below(100) === 0) {
      opened[Symbol.dispose]()
      opened = openFileQuotas(file, clock, 50)
    }
    if (below(4) === 0) {
      const back = { requests: -below(2), '"\n\u2028é': below(3) }
      memory.add(key, startMs, back)
      opened.add(key, startMs, back)
    } else {
      expect(opened.anchor(key, nth)).toBe(memory.anchor(key, nth))
      const asked = {
        key,
        startMs,
        endMs: startMs + DAY_MS,
        meters: { requests: 1 + below(2) },
        allowances: { requests: 9 },
      }
      const due = memory.reserve(asked)
      expect(opened.reserve(asked)).toEqual(due)
      if (!due.allowed) refused += 1
    }
  }
  opened[Symbol.dispose]()
  expect(refused).toBeGreaterThan(50)
  // Written anew now and then: it does not grow with what is over.
  expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThan(200)
})

test('periods that are over are forgotten, anchors are not', () => {
  const clock = stillClock(0)
  const book = createQuotaBook()
  const quotas = createMemoryQuotas(clock, book)
  quotas.anchor('caller 0', 5)
  const reserve = (count: number) => {
    for (let nth = 0; nth < count; nth += 1) quotas.reserve({ ...reservation({ a: 1 }), key: `caller ${nth}` })
  }
  reserve(9_000)
  expect(book.size()).toBe(9_001)
  clock.move(DAY_MS)
  reserve(10_000)
  expect(book.size()).toBeLessThan(100)
  expect(quotas.anchor('caller 0', 9)).toBe(5)
})

test('a file is written anew when it is opened, without what is over', () => {
  const clock = stillClock(0)
  const file = path.join(folder, 'over.jsonl')
  const open = () => openFileQuotas(file, clock)
  const lines = () => readFileSync(file, 'utf8').split('\n').slice(0, -1)
  {
    using quotas = open()
    quotas.anchor('alice', 5)
    for (let nth = 0; nth < 10; nth += 1) quotas.reserve(reservation({ a: 1 }))
    expect(lines()).toHaveLength(11)
  }
  open()[Symbol.dispose]()
  expect(lines()).toEqual(['["anchor","alice",5]', `["use","alice",0,${DAY_MS},{"a":10}]`])
  clock.move(DAY_MS)
  {
    using quotas = open()
    quotas.reserve(reservation({ a: 1 }, {}, DAY_MS))
    quotas.reserve(reservation({ a: 1 }, {}, DAY_MS))
  }
  clock.move(DAY_MS)
  open()[Symbol.dispose]()
  expect(lines()).toEqual(['["anchor","alice",5]'])
})

test('a folder in its place is refused, and not held', () => {
  expect(() => openFileQuotas(folder, stillClock(0))).toThrow('EISDIR')
  expect(existsSync(`${folder}.lock`)).toBe(false)
})

test('the file is its owner’s alone', () => {
  const file = path.join(folder, 'mode.jsonl')
  using quotas = openFileQuotas(file, stillClock(0))
  quotas.anchor('a', 1)
  expect((statSync(file).mode & 0o777).toString(8)).toBe('600')
})

test('half a line at the end was never promised, and does not hurt the next', () => {
  const file = path.join(folder, 'torn.jsonl')
  const use = (): Meters => {
    using quotas = openFileQuotas(file, stillClock(0))
    return quotas.reserve(reservation({ a: 1 })).used
  }
  expect(use()).toEqual({})
  appendFileSync(file, '["use","alice",0,864')
  expect(use()).toEqual({ a: 1 })
  expect(use()).toEqual({ a: 2 })
})

test.each([
  '{',
  'null',
  '["use","alice",0,1]',
  '["use","alice",0,1,{"a":"1"}]',
  '["anchor","alice"]',
  '["other","a",1]',
])('a file with the line %s is refused, and left as it is', (line) => {
  const file = path.join(folder, 'damaged.jsonl')
  const content = `["anchor","alice",1]\n${line}\n`
  writeFileSync(file, content)
  expect(() => openFileQuotas(file, stillClock(0))).toThrow(
    expect.objectContaining({ code: 'ERR_USAGE', fields: expect.objectContaining({ file, line: 2 }) }),
  )
  expect(readFileSync(file, 'utf8')).toBe(content)
})

/** Reserves without end and says after each how many there are. */
const USER = `
import { writeSync } from 'node:fs'
import { openFileQuotas } from '${fileURLToPath(new URL('file-quotas.ts', import.meta.url))}'
const quotas = openFileQuotas(process.argv[2], { nowMs: () => 0 }, 40)
for (;;) {
  const { used } = quotas.reserve({ key: 'alice', startMs: 0, endMs: 86400000, meters: { a: 1 }, allowances: {} })
  writeSync(1, (used.a ?? 0) + 1 + '\\n')
}
`

test('kill -9 at any moment: what was reserved is still reserved', async () => {
  const script = path.join(folder, 'user.mjs')
  const file = path.join(folder, 'killed.jsonl')
  writeFileSync(script, USER)
  const random = seeded(9)
  let before = 0
  for (let round = 0; round < 20; round += 1) {
    const child = spawn(process.execPath, [script, file], { stdio: ['ignore', 'pipe', 'inherit'] })
    const due = before + 1 + Math.floor(random() * 200)
    let told = 0
    for await (const line of createInterface(child.stdout)) {
      told = Number(line)
      if (told !== due) continue
      expect(() => openFileQuotas(file, stillClock(0))).toThrow(
        expect.objectContaining({ code: 'ERR_USAGE', fields: expect.objectContaining({ file, pid: child.pid }) }),
      )
      child.kill('SIGKILL')
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    expect(child.signalCode).toBe('SIGKILL')
    using quotas = openFileQuotas(file, stillClock(0), 40)
    before = quotas.reserve(reservation({})).used['a'] ?? 0
    // The last one may have been written down and not told.
    expect([told, told + 1]).toContain(before)
  }
  expect(before).toBeGreaterThan(1_000)
})
