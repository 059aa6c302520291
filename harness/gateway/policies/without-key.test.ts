import { expect, test } from 'vitest'
import { Headers } from '../headers.ts'
import { seeded } from '../limits/naive.testing.ts'
import { testRequest } from './policies.testing.ts'
import { withoutKey } from './without-key.ts'

const KEY = 'tsk_Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4_0aB9zZ'

/** The key with some of its characters percent-encoded; `some` tells of each whether it is. */
const encoded = (some: (at: number) => boolean, radix = (hex: string) => hex): string =>
  Array.from(KEY, (character, at) =>
    some(at) ? `%${radix(character.charCodeAt(0).toString(16).padStart(2, '0'))}` : character,
  ).join('')

/** What is left of header lines and of a query. */
function left(lines: readonly string[], search = '') {
  const request = testRequest({ headers: new Headers([...lines]), search })
  withoutKey(request, KEY)
  return { lines: request.headers.lines, search: request.search, names: request.headers.names }
}

test.each([
  ['as it is', KEY],
  ['in the midst of other text', `a ${KEY}, b`],
  ['twice', `${KEY} ${KEY}`],
  ['percent-encoded in full', encoded(() => true)],
  ['percent-encoded in part', encoded((at) => at % 5 === 3)],
  [
    'percent-encoded in capital letters',
    encoded(
      () => true,
      (hex) => hex.toUpperCase(),
    ),
  ],
  ['behind an encoding that is none', `100% ${encoded((at) => at === 4)} %zz %`],
  ['in the query of a URL', `https://app.example.com/?key=${encoded((at) => at === 0)}&a=1`],
])('a line whose value holds the key %s goes', (_, value) => {
  expect(left(['A', '1', 'X-Copy', value, 'b', '2'])).toMatchObject({ lines: ['A', '1', 'b', '2'], names: ['a', 'b'] })
})

test('a line whose name is the key goes', () => {
  const key = 'anoldkeyof24Letters12345'
  const request = testRequest({ headers: new Headers(['A', '1', key, '', `X-${key}-b`, '2', 'X-Anoldkey', '3']) })
  withoutKey(request, key)
  expect(request.headers.lines).toEqual(['A', '1', 'X-Anoldkey', '3'])
})

test.each([
  ['of another case', KEY.toLowerCase()],
  ['without its end', KEY.slice(0, -1)],
  ['without its beginning', KEY.slice(1)],
  ['encoded twice', encoded((at) => at === 4).replaceAll('%', '%25')],
  ['with a character in between', `${KEY.slice(0, 9)} ${KEY.slice(9)}`],
])('a text that is not the key stays: %s', (_, text) => {
  const lines = ['X-Copy', text, 'Cookie', `k=${text}; a=1`]
  const search = `?k=${encodeURI(text)}&a=1`
  expect(left(lines, search)).toMatchObject({ lines, search })
})

test.each([
  [`k=${encoded(() => true)}; a=%20`, 'a=%20'],
  [`a=1; ${encoded((at) => at === 0)}=x;b=2`, 'a=1;b=2'],
  [`a=%zz; k=${encoded((at) => at > 30)}`, 'a=%zz'],
])('of the cookies %s', (given, due) => {
  expect(left(['Cookie', given]).lines).toEqual(['Cookie', due])
})

test('of requests in a row, nothing but what holds the key goes, and of the rest no octet', () => {
  const random = seeded(29)
  const below = (most: number): number => Math.floor(random() * most)
  const plain = ['a=1', 'b=%20', 'C="x y"', 'd', '', 'e=%zz', `f=${KEY.slice(2)}`, 'g=%2', `h=${KEY.toUpperCase()}`]
  const spelt = (): string => {
    const one = random()
    return one < 0.5
      ? KEY
      : encoded(
          () => random() < one,
          (hex) => (one < 0.8 ? hex.toUpperCase() : hex),
        )
  }
  /** Parts of which some hold the key, and those that do not. */
  const parts = () => {
    const given = Array.from({ length: 1 + below(5) }, () =>
      below(3) === 0
        ? { text: `${['', 'k=', 'x=1 '][below(3)]}${spelt()}${['', '.'][below(2)]}`, isKept: false }
        : { text: plain[below(plain.length)] ?? '', isKept: true },
    )
    return { all: given.map(({ text }) => text), kept: given.flatMap(({ text, isKept }) => (isKept ? [text] : [])) }
  }
  for (let round = 0; round < 2_000; round += 1) {
    const due: string[] = []
    const lines = Array.from({ length: below(6) }, (_, at) => {
      const name = ['Cookie', 'cookie', 'X-A', 'accept', 'REFERER'][below(5)] ?? ''
      const { all, kept } = parts()
      const isCookie = name.toLowerCase() === 'cookie'
      const value = isCookie ? all.join(';') : all.join(' ')
      if (isCookie && kept.length > 0) due.push(name, kept.join(';'))
      if (!isCookie && kept.length === all.length) due.push(name, value)
      return [name, value, at] as const
    })
    const { all, kept } = parts()
    const given = lines.flatMap(([name, value]) => [name, value])
    const search = below(4) === 0 ? '' : `?${all.join('&').replaceAll(' ', '+')}`
    const rest = search === '' || kept.length === 0 ? '' : `?${kept.join('&').replaceAll(' ', '+')}`
    expect(left(given, search), JSON.stringify([given, search])).toMatchObject({ lines: due, search: rest })
  }
})
