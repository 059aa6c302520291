import { describe, expect, test } from 'vitest'
import type { Answer, HeaderLines } from '../../harness/model/http.ts'
import type { LimitProfile } from '../../harness/model/gateway-profile.ts'
import { legacyFields, retrySeconds, stringList, wrongInFields, wrongInProblem } from './fields.ts'
import { leastOf, mostIn } from './limits.ts'

function answer(headers: HeaderLines, body = '', status = 429): Answer {
  const header = (name: string): readonly string[] =>
    headers.filter(([other]) => other.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
  return { outcome: 'other', status, headers, header, body, ms: 1, connection: 1 }
}

describe('lists of strings', () => {
  test('are read with their parameters', () => {
    expect(stringList('"a";q=10;w=60;pk=:aGk=:, "b \\"c\\"";x; y=?0;z=tok')).toEqual([
      { value: 'a', parameters: { q: 10, w: 60, pk: Buffer.from('hi') } },
      { value: 'b \\"c\\"', parameters: { x: true, y: false, z: 'tok' } },
    ])
  })

  test.each(['', 'a', '"a', '"a",', '"a" "b"', 'limit=10, remaining=-1', '"a";q=1.5', '"a";Q=1', '"ä"'])(
    '%s is none',
    (text) => {
      expect(stringList(text)).toBeUndefined()
    },
  )
})

describe('fields', () => {
  test.each<readonly [string, HeaderLines, readonly string[]]>([
    [
      'as the draft has them',
      [
        ['RateLimit-Policy', '"m";q=10;w=60'],
        ['RateLimit', '"m";r=3;t=20;pk=:aGk=:'],
      ],
      [],
    ],
    ['without any', [], []],
    ['without q', [['RateLimit-Policy', '"m";w=60']], ['q of RateLimit-Policy is no integer from 0']],
    ['a window of 0', [['RateLimit-Policy', '"m";q=1;w=0']], ['w of RateLimit-Policy is no integer from 1']],
    ['less than nothing left', [['RateLimit', '"m";r=-1']], ['r of RateLimit is no integer from 0']],
    ['a partition key as text', [['RateLimit', '"m";r=1;pk="a"']], ['pk of RateLimit is no Byte Sequence']],
    ['draft 07', [['RateLimit', 'limit=10, remaining=3, reset=5']], ['RateLimit is no List of Strings']],
  ])('%s', (_, headers, wrong) => {
    expect(wrongInFields(answer(headers))).toEqual(wrong)
  })

  test('older names are told apart', () => {
    const old = answer([
      ['X-RateLimit-Limit', '1'],
      ['RateLimit-Remaining', '1'],
      ['RateLimit', '"a";r=1'],
    ])

    expect(legacyFields(old)).toEqual(['x-ratelimit-limit', 'ratelimit-remaining'])
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
  expect(retrySeconds(text, Date.UTC(1994, 10, 6, 8, 49, 30) / 1000)).toBe(seconds)
})

test.each<readonly [string, string | undefined]>([
  ['{"type":"about:blank","status":429}', undefined],
  ['{"violated-policies":["a"]}', undefined],
  ['{"status":200}', 'its status member is 200, the status 429'],
  ['{"type":5}', 'type is no URI reference'],
  ['{"violated-policies":"a"}', 'violated-policies is no array of strings'],
  ['[]', 'the problem is no object'],
  ['{', 'the problem is no JSON'],
])('a problem %s', (body, wrong) => {
  expect(wrongInProblem(answer([['Content-Type', 'application/problem+json']], body))).toBe(wrong)
  expect(wrongInProblem(answer([['Content-Type', 'application/json']], body))).toBeUndefined()
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
