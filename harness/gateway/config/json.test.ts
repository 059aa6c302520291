import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { JsonFault, parseJson } from './json.ts'

/** What is wrong with a text, and in which line. */
function faultOf(text: string, relaxed = false): string {
  try {
    parseJson(text, relaxed)
  } catch (error) {
    if (error instanceof JsonFault) return `${error.line}: ${error.message}`
    throw error
  }
  return 'nothing'
}

/** Numbers from a seed (a linear congruential generator), so that a failure comes back. */
function seeded(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
}

const LEAVES = [null, true, false, 0, -1.5e-7, 12_345, '', 'a"b\\c/', '\u0000\n\u2028é😀', '// no comment', '{,}']

function valueFrom(random: (below: number) => number, depth: number): unknown {
  const kind = depth === 0 ? 0 : random(4)
  const many = random(4)
  if (kind === 1) return Array.from({ length: many }, () => valueFrom(random, depth - 1))
  if (kind < 2) return LEAVES[random(LEAVES.length)]
  return Object.fromEntries(
    Array.from({ length: many }, (_, at) => [
      `${at}${String(LEAVES[random(LEAVES.length)])}`,
      valueFrom(random, depth - 1),
    ]),
  )
}

test('gives what JSON.parse gives', () => {
  const random = seeded(7)
  for (let round = 0; round < 300; round += 1) {
    const text = JSON.stringify(valueFrom(random, 4), undefined, random(3))
    expect(parseJson(text)).toEqual(JSON.parse(text))
    expect(parseJson(text, true)).toEqual(JSON.parse(text))
  }
  const document = readFileSync(new URL('../../../fixtures/openapi/tornado-repaired.json', import.meta.url), 'utf8')
  expect(parseJson(document)).toEqual(JSON.parse(document))
})

test('refuses what JSON.parse refuses, wherever one character is taken away or put in', () => {
  const text = '{"a": [1, -2.5e3, "x\\u00e9\\n"], "b": {"c": null}, "d": true}'
  const differ: string[] = []
  const same = (changed: string): void => {
    let isJson = true
    try {
      JSON.parse(changed)
    } catch {
      isJson = false
    }
    // A name that stands twice is what JSON.parse lets pass.
    const fault = faultOf(changed)
    if (isJson !== (fault === 'nothing') && !fault.includes('twice')) differ.push(changed)
  }
  for (let at = 0; at <= text.length; at += 1) {
    same(text.slice(0, at) + text.slice(at + 1))
    for (const put of ['"', '{', ']', ',', ':', '\\', '0', 'x', '\n', '\u0001', '.', '-']) {
      same(text.slice(0, at) + put + text.slice(at))
    }
  }
  expect(differ).toEqual([])
})

test.each([
  ['', '1: a value expected, but the file ends'],
  ['{\n\n  "a": tru\n}', '3: a value expected before t'],
  ['{\n  "a" 1}', '2: : expected before 1'],
  ['[\n1,\n]', '3: a value expected before ]'],
  ['{"a": 1\n"b": 2}', '2: , or } expected before "'],
  ['{"a": "b\n"}', '1: a whole string expected before "'],
  ['{}\n{}', '2: the end expected before {'],
  ['{"a": 1,\n"b": 2,\n"a": 3}', '3: a name stands twice'],
  ['{"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}', 'nothing'],
  ['// mine\n{}', '1: a value expected before /'],
  ['['.repeat(101), '1: nested too deep'],
])('%j', (text, due) => {
  expect(faultOf(text)).toBe(due)
})

test('comments and trailing commas, where they are permitted', () => {
  const text = '\uFEFF// one\n{ /* two\n lines */ "a": "// three", "b": [1, 2,], }\n// four'
  expect(parseJson(text, true)).toEqual({ a: '// three', b: [1, 2] })
  expect(faultOf('{ "a": 1,, }', true)).toBe('1: a name in double quotes expected before ,')
  expect(faultOf('{ /* no end', true)).toBe('1: a name in double quotes expected before /')
})

test('a name of the prototype is a name like others', () => {
  const parsed = parseJson('{"__proto__": {"a": 1}, "constructor": 2}') as object
  expect(Object.keys(parsed)).toEqual(['__proto__', 'constructor'])
  expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype)
})
