import { describe, expect, test } from 'vitest'
import type { Answer, HeaderLines } from '../../harness/model/http.ts'
import type { LimitProfile } from '../../harness/model/gateway-profile.ts'
import { retryAfterSec, wrongProblem, wrongRetryAfter } from './answers.ts'
import { partitionsIn, soonestIn, toldBy, wrongWith } from './fields.ts'
import { backIn, leastOf, mostIn } from './limits.ts'
import { listOf } from './structured.ts'
import { trailersIn } from './trailers.ts'

function answer(headers: HeaderLines, body = '', status = 429): Answer {
  const header = (name: string): readonly string[] =>
    headers.filter(([other]) => other.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
  return { outcome: 'other', status, headers, header, body, ms: 1, connection: 1 }
}

describe('structured lists', () => {
  test('are read with their parameters', () => {
    const members = listOf(
      ' "a";q=10;w=60;pk=:aGk=:, "b \\"c\\"";x; y=?0;z=tok;n=-1.5;d=@7;t=%"f%c3", (1 "2";a);b=*x/y ',
    )

    expect(members?.map(({ item }) => item)).toEqual([
      { type: 'string', value: 'a' },
      { type: 'string', value: 'b "c"' },
      'inner-list',
    ])
    expect(members?.map(({ parameters }) => Object.fromEntries(parameters))).toEqual([
      {
        q: { type: 'integer', value: 10 },
        w: { type: 'integer', value: 60 },
        pk: { type: 'bytes', value: Uint8Array.from([104, 105]) },
      },
      {
        x: { type: 'boolean', value: true },
        y: { type: 'boolean', value: false },
        z: { type: 'token', value: 'tok' },
        n: { type: 'decimal', value: -1.5 },
        d: { type: 'date', value: 7 },
        t: { type: 'display-string', value: 'f%c3' },
      },
      { b: { type: 'token', value: '*x/y' } },
    ])
    expect(listOf('')).toEqual([])
    expect(listOf('"a";q=1;q=2')?.[0]?.parameters.get('q')).toEqual({ type: 'integer', value: 2 })
  })

  test.each([
    '"a',
    '"a",',
    '"a" "b"',
    '"a";',
    '"a";Q=1',
    '"a";q=',
    '"ä"',
    '"\\x"',
    'limit=10, remaining=-1',
    '1234567890123456',
    '1.',
    '1.2345',
    ':a:',
    ':aGk=',
    '?2',
    '@1.5',
    '%"%C3"',
    '(1',
    '(1,2)',
    '\t"a"',
  ])('%s is none', (text) => {
    expect(listOf(text)).toBeUndefined()
  })
})

describe('fields of the draft', () => {
  test.each<readonly ['RateLimit' | 'RateLimit-Policy', string, readonly string[]]>([
    ['RateLimit-Policy', '"m";q=10;w=60, "d";q=0;qu="content-bytes";pk=:aGk=:;acme-weight=1.5', []],
    ['RateLimit', '"m";r=3;t=20;pk=:aGk=:', []],
    ['RateLimit', '"m";r=0;t=0', []],
    ['RateLimit-Policy', '', ['it is empty']],
    ['RateLimit-Policy', '"m";w=60', ['q is missing']],
    ['RateLimit-Policy', '"m";q=1;w=0', ['w is no whole number from 1']],
    ['RateLimit-Policy', '"m";q=1.0', ['q is no whole number from 0']],
    ['RateLimit-Policy', '"m";q=1;qu=requests', ['qu is no string']],
    ['RateLimit-Policy', 'm;q=1', ['an item is no string']],
    ['RateLimit', '"m";r=-1', ['r is no whole number from 0']],
    ['RateLimit', '"m";r=1;t="1"', ['t is no whole number from 0']],
    ['RateLimit', '"m";r=1;pk="a"', ['pk is no byte sequence']],
    ['RateLimit', '("m");r=1', ['an item is no string']],
    ['RateLimit', 'limit=10, remaining=3, reset=5', ['it is no list of structured items']],
  ])('%s: %s', (name, value, wrong) => {
    expect(wrongWith(name, value)).toEqual(wrong)
  })

  test('partition keys are decoded', () => {
    expect(partitionsIn('"a";r=1;pk=:aGk=:, "b";r=1')).toEqual([Uint8Array.from([104, 105])])
  })

  test.each([
    ['"a";r=0;t=5, "b";r=9;t=86400', 5],
    ['"a";r=1;t=5, "b";r=9;t=3', 3],
    ['"a";r=0, "b";r=0;t=7', 7],
    ['"a";r=0', undefined],
    ['', undefined],
  ])('what %s says is used up ends soonest in %s s', (value, seconds) => {
    expect(soonestIn(value)).toBe(seconds)
  })
})

describe('forms of fields', () => {
  test.each<readonly [string, HeaderLines, readonly unknown[]]>([
    ['none', [['Retry-After', '1']], []],
    [
      'the draft',
      [
        ['RateLimit-Policy', '"m";q=10;w=60'],
        ['ratelimit', '"m";r=3;t=20'],
      ],
      [{ form: 'structured', limit: 10, remaining: 3, resetSec: 20 }],
    ],
    ['the policy alone', [['RateLimit-Policy', '"m";q=10']], [{ form: 'structured', limit: 10 }]],
    [
      'draft 07',
      [['RateLimit', 'limit=10, remaining=-1, reset=5']],
      [{ form: 'dictionary', limit: 10, remaining: -1, resetSec: 5 }],
    ],
    [
      'drafts to 06',
      [
        ['RateLimit-Limit', '10, 10;w=1'],
        ['RateLimit-Remaining', '9'],
      ],
      [{ form: 'separate', limit: 10, remaining: 9 }],
    ],
    ['X-RateLimit', [['X-RateLimit-Limit', '10']], [{ form: 'legacy', limit: 10 }]],
    ['a relative of it', [['X-RateLimit-Limit-Minute', '10']], [{ form: 'legacy' }]],
    [
      'two at once',
      [
        ['RateLimit', '"m";r=3'],
        ['X-Rate-Limit-Remaining', '3'],
      ],
      [
        { form: 'structured', remaining: 3 },
        { form: 'legacy', remaining: 3 },
      ],
    ],
  ])('%s', (_, headers, told) => {
    expect(toldBy(answer(headers))).toEqual(told)
  })
})

describe('trailers', () => {
  const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'

  test.each([
    [`${head}3\r\nabc\r\n0\r\nRateLimit: "a";r=1\r\nX: 1\r\n\r\n`, ['RateLimit: "a";r=1', 'X: 1']],
    [`${head}5;x=y\r\n0\r\nR:\r\n0\r\n\r\n`, []],
    [`${head}3\r\nab`, []],
    ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n0\r\nR: 1\r\n\r\n', []],
    ['HTTP/1.1 200 OK', []],
  ])('%j', (text, lines) => {
    expect(trailersIn(text)).toEqual(lines)
  })
})

test.each([
  ['30', 30],
  ['0', 0],
  ['Sun, 06 Nov 1994 08:49:37 GMT', 7],
  ['Sunday, 06-Nov-94 08:49:37 GMT', 7],
  ['Sun Nov  6 08:49:37 1994', 7],
  ['1.5s', undefined],
  ['-1', undefined],
  ['1994-11-06T08:49:37Z', undefined],
  ['', undefined],
])('Retry-After: %s', (text, seconds) => {
  expect(retryAfterSec(text, Date.UTC(1994, 10, 6, 8, 49, 30) / 1000)).toBe(seconds)
  expect(wrongRetryAfter(answer([['Retry-After', text]])) === undefined).toBe(seconds !== undefined)
})

test.each<readonly [string, string | undefined]>([
  ['{"type":"about:blank","status":429}', undefined],
  ['{"violated-policies":["a"]}', undefined],
  ['{"status":200}', 'status 200 in an answer with 429'],
  ['{"type":5}', 'a type that is no URI reference'],
  ['{"violated-policies":"a"}', 'violated-policies that is no list of strings'],
  ['[]', 'application/problem+json that is no object'],
  ['{', 'application/problem+json that is no JSON'],
])('a problem %s', (body, wrong) => {
  expect(wrongProblem(answer([['Content-Type', 'application/problem+json']], body))).toBe(wrong)
  expect(wrongProblem(answer([['Content-Type', 'application/json']], body))).toBeUndefined()
})

test.each<readonly [Partial<LimitProfile>, number, number, number]>([
  [{ algorithm: 'sliding', strict: true }, 0.1, 10, 10],
  [{ algorithm: 'sliding' }, 0.1, 10, 11],
  [{ algorithm: 'fixed', burst: 5 }, 0.1, 10, 25],
  [{}, 0.1, 1, 20],
  [{ algorithm: 'token-bucket', burst: 5 }, 0.5, 1, 18],
])('of %o in %d s, from %d to %d are right', (declared, seconds, least, most) => {
  const limit: LimitProfile = {
    route: { path: '/', methods: ['GET'] },
    scope: 'key',
    requests: 10,
    windowSec: 2,
    ...declared,
  }

  expect([leastOf(limit), mostIn(limit, seconds)]).toEqual([least, most])
})

test.each<readonly [Partial<LimitProfile>, number]>([
  [{ algorithm: 'sliding', strict: true }, 0],
  [{ algorithm: 'fixed' }, 0],
  [{ algorithm: 'sliding' }, 4],
  [{ algorithm: 'token-bucket' }, 4],
  [{}, 4],
])('an exhausted limit of %o gives back %d in half a second', (declared, back) => {
  const limit: LimitProfile = {
    route: { path: '/', methods: ['GET'] },
    scope: 'key',
    requests: 10,
    windowSec: 2,
    ...declared,
  }

  expect(backIn(limit, 0.5)).toBe(back)
})
