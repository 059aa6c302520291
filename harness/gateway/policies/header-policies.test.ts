import { expect, test } from 'vitest'
import { Headers } from '../headers.ts'
import type { PolicyKind } from '../policy.ts'
import { faultOf, statusOf, testContext, testPolicy, testRequest } from './policies.testing.ts'
import { removeHeadersInbound } from './remove-headers-inbound.ts'
import { requestSizeLimitInbound } from './request-size-limit-inbound.ts'
import { setHeadersInbound } from './set-headers-inbound.ts'
import { setUpstreamApiKeyInbound } from './set-upstream-api-key-inbound.ts'

/** Lines of a request with these, once the policy ran. */
async function linesAfter(kind: PolicyKind, options: Readonly<Record<string, unknown>>, ...lines: string[]) {
  const request = testRequest({ headers: new Headers(lines) })
  expect(await testPolicy(kind, options, testContext().context)(request)).toBeUndefined()
  return request.headers.lines
}

test('sets headers in place of all of that name, or only where there is none', async () => {
  const headers = [
    { name: 'X-Secret', value: 's' },
    { name: 'Accept', value: 'text/html', overwrite: false },
    { name: 'X-Empty', value: '', overwrite: false },
  ]
  const lines = await linesAfter(
    setHeadersInbound,
    { headers },
    'x-secret',
    'forged',
    'accept',
    'a/b',
    'X-SECRET',
    'two',
  )
  expect(lines).toEqual(['accept', 'a/b', 'X-Secret', 's', 'X-Empty', ''])
})

test('what may be a secret comes from the gateway or not at all; what a caller may say, it still may elsewhere', () => {
  const headers = [
    { name: 'X-Secret', value: 's' },
    { name: 'Authorization', value: 'Basic x' },
    { name: 'X-Hint', value: 's', overwrite: false },
    { name: 'Content-Type', value: 'application/json' },
    { name: 'Accept', value: 'application/json' },
  ]
  expect(setHeadersInbound.headers?.({ headers })).toEqual({ sets: ['X-Secret', 'Authorization'] })
  expect(setUpstreamApiKeyInbound.headers?.({ value: 'k' })).toEqual({ sets: ['Authorization'] })
  expect(setUpstreamApiKeyInbound.headers?.({ value: 'k', header: 'X-Key', overwrite: false })).toEqual({
    sets: ['X-Key'],
  })
})

test('removes headers in any case and number', async () => {
  const lines = await linesAfter(
    removeHeadersInbound,
    { headers: ['Cookie', 'x-debug'] },
    'cookie',
    'a',
    'X-A',
    'b',
    'COOKIE',
    'c',
  )
  expect(lines).toEqual(['X-A', 'b'])
})

test('sets the credential for the origin', async () => {
  expect(await linesAfter(setUpstreamApiKeyInbound, { value: 'Bearer k' }, 'authorization', 'Bearer mine')).toEqual([
    'Authorization',
    'Bearer k',
  ])
  const kept = { value: 'k', header: 'X-Key', overwrite: false }
  expect(await linesAfter(setUpstreamApiKeyInbound, kept, 'x-key', 'by a policy before')).toEqual([
    'x-key',
    'by a policy before',
  ])
  expect(await linesAfter(setUpstreamApiKeyInbound, kept)).toEqual(['X-Key', 'k'])
})

const CONNECTION = 'the name of a header that belongs to the request, not to the connection'
const WRITTEN = 'the name of a header that the gateway does not write itself'

test.each([
  ['Connection', CONNECTION],
  ['keep-alive', CONNECTION],
  ['Proxy-Authorization', CONNECTION],
  ['TE', CONNECTION],
  ['Trailer', CONNECTION],
  ['transfer-encoding', CONNECTION],
  ['Upgrade', CONNECTION],
  ['Host', CONNECTION],
  ['Content-Length', CONNECTION],
  ['Expect', CONNECTION],
  ['X-Forwarded-For', WRITTEN],
  ['zp-rid', WRITTEN],
  ['X Y', 'a header name such as "X-Api-Key"'],
  ['', 'a header name such as "X-Api-Key"'],
])('no policy touches %j', (name, due) => {
  expect(faultOf(setHeadersInbound, { headers: [{ name, value: 'x' }] })).toBe(
    `headers: a list, each item an object whose "name" is ${due}`,
  )
  expect(faultOf(removeHeadersInbound, { headers: [name] })).toBe(`headers: a list, each item ${due}`)
  expect(faultOf(setUpstreamApiKeyInbound, { value: 'k', header: name })).toBe(`header: ${due}`)
})

test.each<[PolicyKind, Readonly<Record<string, unknown>>, string]>([
  [setHeadersInbound, {}, 'headers is missing'],
  [setHeadersInbound, { headers: [{ name: 'X-A' }] }, 'headers: a list, each item an object with "value"'],
  [
    setHeadersInbound,
    { headers: [{ name: 'X-A', value: 'a\r\nX-B: c' }] },
    'headers: a list, each item an object whose "value" is a text without control characters',
  ],
  [
    setHeadersInbound,
    { headers: [{ name: 'X-A', value: 'a', override: true }] },
    'headers: a list, each item an object whose "override" is left out (known: name, value, overwrite)',
  ],
  [removeHeadersInbound, { headers: 'Cookie' }, 'headers: a list'],
  [setUpstreamApiKeyInbound, {}, 'value is missing'],
  [setUpstreamApiKeyInbound, { value: '' }, 'value: a text that is not empty'],
  [setUpstreamApiKeyInbound, { value: 'k\n' }, 'value: a text without control characters'],
  [requestSizeLimitInbound, {}, 'maxSizeInBytes is missing'],
  [requestSizeLimitInbound, { maxSizeInBytes: -1 }, 'maxSizeInBytes: a whole number from 0'],
  [
    requestSizeLimitInbound,
    { maxSizeInBytes: 1, trustContentLengthHeader: 'yes' },
    'trustContentLengthHeader: true or false',
  ],
])('$type refuses %j', (kind, options, fault) => {
  expect(faultOf(kind, options)).toBe(fault)
})

test.each([{}, { trustContentLengthHeader: true }, { trustContentLengthHeader: false }])(
  'bounds a body, announced or not, %j',
  async (more) => {
    const policy = testPolicy(requestSizeLimitInbound, { maxSizeInBytes: 50, ...more }, testContext().context)
    expect(await policy(testRequest({ contentLength: 51 }))).toMatchObject({ problem: 413, close: true })
    for (const contentLength of [0, 50, undefined]) {
      const request = testRequest({ contentLength })
      expect(statusOf(await policy(request))).toBe(200)
      expect(request.bodyLimit).toBe(50)
    }
  },
)

test('of two bounds of a body the lower one holds', async () => {
  const { context } = testContext()
  const request = testRequest({ contentLength: undefined })
  for (const maxSizeInBytes of [30, 50]) await testPolicy(requestSizeLimitInbound, { maxSizeInBytes }, context)(request)
  expect(request.bodyLimit).toBe(30)
})
