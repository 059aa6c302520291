import { describe, expect, test } from 'vitest'
import { exchangeOctets, requestText, statusIn, testGateway } from './gateway.testing.ts'

const INNER = 'GET /r?inner HTTP/1.1\r\nHost: x\r\n\r\n'

describe('requests that can be framed in two ways', () => {
  test.each<readonly [name: string, lines: readonly string[], body: string]>([
    ['CL and TE', ['Content-Length: 6', 'Transfer-Encoding: chunked'], `0\r\n\r\n${INNER}`],
    ['TE and CL', ['Transfer-Encoding: chunked', 'Content-Length: 6'], `0\r\n\r\n${INNER}`],
    ['a space before the colon', ['Transfer-Encoding : chunked'], `0\r\n\r\n${INNER}`],
    ['an unknown coding', ['Transfer-Encoding: xchunked'], `0\r\n\r\n${INNER}`],
    ['chunked behind another coding', ['Transfer-Encoding: gzip, chunked'], `0\r\n\r\n${INNER}`],
    ['two codings', ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], `0\r\n\r\n${INNER}`],
    ['two lengths', ['Content-Length: 0', 'Content-Length: 44'], INNER],
    ['two equal lengths', ['Content-Length: 3', 'Content-Length: 3'], 'abc'],
    ['a list of lengths', ['Content-Length: 0, 44'], INNER],
    ['a sign before the length', ['Content-Length: +5'], 'abcde'],
    ['a negative length', ['Content-Length: -1'], INNER],
    ['a length in hex', ['Content-Length: 0x5'], 'abcde'],
    ['a bare LF in a header', ['X-A: b\nTransfer-Encoding: chunked', 'Content-Length: 0'], INNER],
    ['a bare CR in a header', ['X-A: b\rX-B: c'], ''],
    ['a NUL in a header', ['X-A: b\0c'], ''],
    ['a folded line', ['X-A: b', ' Transfer-Encoding: chunked', 'Content-Length: 0'], INNER],
    ['a space before a name', [' X-A: b'], ''],
    ['a chunk size with 0x', ['Transfer-Encoding: chunked'], `0x3\r\nabc\r\n0\r\n\r\n${INNER}`],
    ['a chunk size with a sign', ['Transfer-Encoding: chunked'], `+3\r\nabc\r\n0\r\n\r\n${INNER}`],
    ['a huge chunk size', ['Transfer-Encoding: chunked'], `ffffffffffffffff1\r\nabc\r\n0\r\n\r\n${INNER}`],
    ['an LF in a chunk extension', ['Transfer-Encoding: chunked'], `3;a\nb\r\nabc\r\n0\r\n\r\n${INNER}`],
    ['a chunk without its end', ['Transfer-Encoding: chunked'], `3\r\nabcX0\r\n\r\n${INNER}`],
  ])('%s: refused, and the connection is closed', async (_, lines, body) => {
    await using one = await testGateway()
    const { port, key, origin } = one
    const head = [`Authorization: Bearer ${key}`, ...lines, 'Connection: keep-alive']
    const text = await exchangeOctets(port, requestText('POST /r?outer', head, body))

    expect([400, 501]).toContain(statusIn(text))
    expect(text.match(/HTTP\/1\.1 /gu)).toHaveLength(1)
    expect(origin.arrivalsOf('inner')).toEqual([])
    expect(origin.all().filter(({ state }) => state === 'whole')).toEqual([])
  })

  test.each(['GET', 'HEAD'])('a body on %s is refused', async (method) => {
    await using one = await testGateway()
    const lines = [`Authorization: Bearer ${one.key}`, 'Content-Length: 3', 'Connection: keep-alive']

    expect(statusIn(await exchangeOctets(one.port, requestText(`${method} /r`, lines, 'abc')))).toBe(400)
    expect(one.origin.all()).toEqual([])
  })

  test.each([
    ['two Host lines', 'GET /r', ['Host: a', 'Host: b'], 400],
    ['no Host', 'GET /r', ['X-No: host'], 400],
    ['a method that nobody knows', 'FOO /r', [], 501],
    ['a method in small letters', 'get /r', [], 501],
    ['CONNECT', 'CONNECT example.com:443', [], 501],
    ['an expectation that nobody knows', 'POST /r', ['Expect: magic', 'Content-Length: 0'], 417],
    ['a header section too large', 'GET /r', [`X-A: ${'x'.repeat(40_000)}`], 431],
    ['200 lines of a kilobyte', 'GET /r', Array.from({ length: 200 }, (_, at) => `X-${at}: ${'x'.repeat(1_000)}`), 431],
  ] as const)('%s', async (_, first, lines, status) => {
    await using one = await testGateway()
    const text = requestText(first, lines)
    const octets = lines[0] === 'X-No: host' ? text.replace('Host: gateway.example.com\r\n', '') : text

    expect(statusIn(await exchangeOctets(one.port, octets))).toBe(status)
    expect(one.origin.all()).toEqual([])
  })

  test('a header section that does not end is answered with 408', async () => {
    await using one = await testGateway({ limits: { requestHeadMs: 200 } })

    expect(statusIn(await exchangeOctets(one.port, 'GET /r HTTP/1.1\r\nHost: x\r\n'))).toBe(408)
  })
})

const PATHS = [
  '//r',
  '/./r',
  '/x/../r',
  '/%2e/r',
  '/x/%2e%2e/r',
  '/x/%2E%2e/r',
  '/%2fr',
  '/x%2f..%2fr',
  '/x%5c..%5cr',
  '/x\\..\\r',
  '/r;a=b',
  '/..;/r',
  '/r/',
  '/r.',
  '/R',
  '/r%00',
  '/r%20',
  '/%72',
  '/r%2523',
  '/r#x',
  'http://gateway.example.com//r',
  'http://other.example.com/x/../r',
  '*',
]

describe('spellings of a path', () => {
  test.each(PATHS)('%s does not reach the protected route without a key', async (path) => {
    await using one = await testGateway()
    for (const target of [path, ...(path.startsWith('/') ? [`/public${path}`] : [])]) {
      const status = statusIn(await exchangeOctets(one.port, requestText(`GET ${target}`)))
      const arrived = one.origin.all().map((arrival) => arrival.target)

      expect(arrived.filter((at) => !/^\/public\/[\w.;=%]+\/?$/u.test(at))).toEqual([])
      expect(arrived.filter((at) => /\.\.|%2e|%2f|%5c|%25|\/\/|\\/iu.test(at))).toEqual([])
      expect([200, 400, 401, 404]).toContain(status)
    }
  })

  test('the absolute form is the same as the path, and its host counts for nothing', async () => {
    await using one = await testGateway()
    const lines = [`Authorization: Bearer ${one.key}`, 'Host: evil.example.com']
    const first = await exchangeOctets(one.port, requestText('GET http://evil.example.com/r?a=1', lines))

    expect(statusIn(first)).toBe(200)
    const [arrival] = one.origin.all()
    expect(arrival?.target).toBe('/r?a=1')
    expect(arrival?.header('host')).toEqual([new URL(one.origin.url).host])
    expect(statusIn(await exchangeOctets(one.port, requestText('GET http://evil.example.com/r')))).toBe(401)
  })
})

test('a key counts for one request, not for its connection', async () => {
  await using one = await testGateway()
  const keep = (lines: readonly string[]) => requestText('GET /r', ['Connection: keep-alive', ...lines])
  const key = `Authorization: Bearer ${one.key}`
  const octets = keep([key]) + keep([]) + keep([key]) + requestText('GET /r', ['Authorization: Bearer unknown'])
  const text = await exchangeOctets(one.port, octets)

  expect([...text.matchAll(/HTTP\/1\.1 (\d{3})/gu)].map((match) => match[1])).toEqual(['200', '401', '200', '401'])
  expect(one.origin.all()).toHaveLength(2)
})
