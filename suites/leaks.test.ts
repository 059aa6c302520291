import { expect, test } from 'vitest'
import { LEAKS, leaksIn, SUBMITTED } from './leaks.ts'

const CREDENTIAL = `${'x'.repeat(20)}.${'y'.repeat(20)}.${'z'.repeat(20)}`

test.each(LEAKS)('finds $what in its sample', ({ what, sample }) => {
  expect(leaksIn(sample, [])).toContain(what)
})

test.each([
  ['an OAuth error', '{"error":"invalid_token","error_description":"The token has expired at 12:30:05"}'],
  ['a challenge', 'WWW-Authenticate: Bearer realm="https://api.example/orders", error="invalid_token"'],
  ['a problem document', '{"type":"https://api.example/problems/401","instance":"/app/v1/orders","status":401}'],
  ['a page', '<html><head><script src="/static/main.js"></script></head><body>at 10:20:30, file 7</body></html>'],
  ['a request id', 'X-Request-Id: 6f1c2b9e-1b1e-4a6c-9d2e-0d5b1a2c3d4e'],
])('finds nothing in %s', (_, text) => {
  expect(leaksIn(text, [`Bearer ${CREDENTIAL}`])).toEqual([])
})

test('finds the credential that was sent, and no short word of it', () => {
  expect(leaksIn(`cannot verify ${CREDENTIAL}`, [`Bearer ${CREDENTIAL}`])).toEqual([SUBMITTED])
  expect(leaksIn('WWW-Authenticate: Bearer', ['Bearer null'])).toEqual([])
})

test.each(['a', 'at ', 'File ', '/srv/a', 'at a.', '"n":"', 'http://a'])('ends soon on a long run of %j', (piece) => {
  expect(leaksIn(piece.repeat(65_536 / piece.length), [])).toEqual([])
})
