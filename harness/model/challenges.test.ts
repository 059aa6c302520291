import { expect, test } from 'vitest'
import { parseChallenges } from './challenges.ts'

function plain(...lines: string[]): unknown[] {
  return parseChallenges(lines).map(({ scheme, params }) => [scheme, Object.fromEntries(params)])
}

test.each([
  ['a scheme alone', ['Bearer'], [['bearer', {}]]],
  ['a scheme alone, padded with spaces', ['Bearer '], [['bearer', {}]]],
  [
    'parameters as token and as quoted string',
    ['BEARER Realm = "a, \\"b\\"", error=invalid_token'],
    [['bearer', { realm: 'a, "b"', error: 'invalid_token' }]],
  ],
  [
    'two challenges in one line',
    ['Basic realm="x", , Bearer error="e", scope="a b"'],
    [
      ['basic', { realm: 'x' }],
      ['bearer', { error: 'e', scope: 'a b' }],
    ],
  ],
  [
    'two lines',
    ['Negotiate YWJj==', 'Bearer'],
    [
      ['negotiate', {}],
      ['bearer', {}],
    ],
  ],
  ['a malformed line beside a well-formed one', ['realm="x"', 'Bearer'], [['bearer', {}]]],
  ['no line', [], []],
  ['an empty line', [''], []],
  ['an open quote', ['Bearer realm="x'], []],
  ['parameters without a comma', ['Bearer realm="x" error="y"'], []],
  ['prose', ['Please log in'], []],
])('reads %s', (_, lines, challenges) => {
  expect(plain(...lines)).toEqual(challenges)
})
