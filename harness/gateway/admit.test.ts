import { execFile } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { dial } from '../capture/dial.testing.ts'
import { bluntOrigin } from './origins.testing.ts'
import { exchangeOctets, matching, requestText, route, statusesIn, statusIn, testGateway } from './gateway.testing.ts'
import type { TestGateway } from './gateway.testing.ts'

/** A request that anybody may send: seen at the origin, it was taken for one. */
const INNER = 'GET /public/inner HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'

const CHUNKED = 'Transfer-Encoding: chunked'

const outer = (lines: readonly string[], body: string): string =>
  requestText('POST /public/outer', [...lines, 'Connection: keep-alive'], body + INNER)

const targets = ({ origin }: TestGateway): readonly string[] => origin.all().map(({ target }) => target)

describe('requests that can be framed in two ways', () => {
  test.each<readonly [name: string, lines: readonly string[], body: string]>([
    ['CL and TE', ['Content-Length: 6', CHUNKED], '0\r\n\r\n'],
    ['TE and CL', [CHUNKED, 'Content-Length: 6'], '0\r\n\r\n'],
    ['CL and a coding that means nothing', ['Content-Length: 0', 'Transfer-Encoding: identity'], ''],
    ['CL and an empty coding', ['Content-Length: 0', 'Transfer-Encoding: '], ''],
    ['a space before the colon', ['Transfer-Encoding : chunked'], '0\r\n\r\n'],
    ['an unknown coding', ['Transfer-Encoding: xchunked'], '0\r\n\r\n'],
    ['identity', ['Transfer-Encoding: identity'], ''],
    ['chunked in quotes', ['Transfer-Encoding: "chunked"'], '0\r\n\r\n'],
    ['chunked with a parameter', ['Transfer-Encoding: chunked;q=1'], '0\r\n\r\n'],
    ['chunked behind a comma', ['Transfer-Encoding: ,chunked'], '0\r\n\r\n'],
    ['chunked in front of a comma', ['Transfer-Encoding: chunked,'], '0\r\n\r\n'],
    ['chunked behind a vertical tab', ['Transfer-Encoding: \u000bchunked'], '0\r\n\r\n'],
    ['chunked in front of a no-break space', ['Transfer-Encoding: chunked\u00a0'], '0\r\n\r\n'],
    ['chunked behind another coding', ['Transfer-Encoding: gzip, chunked'], '0\r\n\r\n'],
    ['chunked twice', ['Transfer-Encoding: chunked, chunked'], '0\r\n\r\n'],
    ['chunked in two lines', [CHUNKED, CHUNKED], '0\r\n\r\n'],
    ['two codings', [CHUNKED, 'Transfer-Encoding: identity'], '0\r\n\r\n'],
    ['two lengths', ['Content-Length: 0', 'Content-Length: 44'], ''],
    ['two equal lengths', ['Content-Length: 3', 'Content-Length: 3'], 'abc'],
    ['a list of lengths', ['Content-Length: 0, 44'], ''],
    ['an empty length', ['Content-Length: '], ''],
    ['a sign before the length', ['Content-Length: +5'], 'abcde'],
    ['a negative length', ['Content-Length: -1'], ''],
    ['a length in hex', ['Content-Length: 0x5'], 'abcde'],
    ['a length with an underscore', ['Content-Length: 0_5'], 'abcde'],
    ['a length with a point', ['Content-Length: 5.0'], 'abcde'],
    ['a length with a space within', ['Content-Length: 5 0'], 'abcde'],
    ['a length beyond 64 bits', ['Content-Length: 18446744073709551621'], 'abcde'],
    ['a space behind the name of the length', ['Content-Length : 5'], 'abcde'],
    ['a NUL behind the name of the length', ['Content-Length\0: 5'], 'abcde'],
    ['a folded length', ['Content-Length:', ' 5'], 'abcde'],
    ['a bare LF in a header', ['X-A: b\nTransfer-Encoding: chunked', 'Content-Length: 0'], ''],
    ['a bare CR in a header', ['X-A: b\rX-B: c', 'Content-Length: 0'], ''],
    ['a NUL in a header', ['X-A: b\0c', 'Content-Length: 0'], ''],
    ['a control octet in a header', ['X-A: b\u0001c', 'Content-Length: 0'], ''],
    ['a folded line', ['X-A: b', ' Transfer-Encoding: chunked', 'Content-Length: 0'], ''],
    ['a space before a name', [' X-A: b', 'Content-Length: 0'], ''],
    ['a line without a colon', ['X-A', 'Content-Length: 0'], ''],
    ['a line without a name', [': b', 'Content-Length: 0'], ''],
    ['a chunk size with 0x', [CHUNKED], '0x3\r\nabc\r\n0\r\n\r\n'],
    ['a chunk size with a sign', [CHUNKED], '+3\r\nabc\r\n0\r\n\r\n'],
    ['a negative chunk size', [CHUNKED], '-3\r\nabc\r\n0\r\n\r\n'],
    ['a chunk size with an underscore', [CHUNKED], '0_3\r\nabc\r\n0\r\n\r\n'],
    ['a space before a chunk size', [CHUNKED], ' 3\r\nabc\r\n0\r\n\r\n'],
    ['a space behind a chunk size', [CHUNKED], '3 \r\nabc\r\n0\r\n\r\n'],
    ['a tab behind a chunk size', [CHUNKED], '3\t\r\nabc\r\n0\r\n\r\n'],
    ['an empty chunk size', [CHUNKED], '\r\nabc\r\n0\r\n\r\n'],
    ['a huge chunk size', [CHUNKED], 'ffffffffffffffff1\r\nabc\r\n0\r\n\r\n'],
    ['a chunk size that ends with LF', [CHUNKED], '3\nabc\r\n0\r\n\r\n'],
    ['a chunk size that ends with CR', [CHUNKED], '3\rabc\r\n0\r\n\r\n'],
    ['an LF in a chunk extension', [CHUNKED], '3;a\nb\r\nabc\r\n0\r\n\r\n'],
    ['a CR in a chunk extension', [CHUNKED], '3;a\rb\r\nabc\r\n0\r\n\r\n'],
    ['a NUL in a chunk extension', [CHUNKED], '3;a\0\r\nabc\r\n0\r\n\r\n'],
    ['a line end in a quoted chunk extension', [CHUNKED], '3;a="\r\nb"\r\nabc\r\n0\r\n\r\n'],
    ['a chunk extension of 20 000 octets', [CHUNKED], `3;${'a'.repeat(20_000)}\r\nabc\r\n0\r\n\r\n`],
    ['a chunk that ends with LF', [CHUNKED], '3\r\nabc\n0\r\n\r\n'],
    ['a chunk without its end', [CHUNKED], '3\r\nabc0\r\n\r\n'],
    ['a chunk longer than its size', [CHUNKED], '3\r\nabcd\r\n0\r\n\r\n'],
    ['a last chunk that ends with LF', [CHUNKED], '3\r\nabc\r\n0\n\r\n'],
    ['an LF at the end of all', [CHUNKED], '3\r\nabc\r\n0\r\n\n'],
    ['a trailer with a length', [CHUNKED], '0\r\nContent-Length: 50\r\n\r\n'],
    ['a trailer with a coding', [CHUNKED], '0\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['a trailer that ends with LF', [CHUNKED], '0\r\nX: y\n\r\n'],
    ['a space in the name of a trailer', [CHUNKED], '0\r\nX : y\r\n\r\n'],
    ['a folded trailer', [CHUNKED], '0\r\nX: y\r\n z\r\n\r\n'],
  ])('%s: refused, and nothing behind it is read', async (_, lines, body) => {
    await using one = await testGateway()
    const text = await exchangeOctets(one.port, outer(lines, body))
    await one.origin.settled(2_000)

    expect([400, 501]).toContain(statusIn(text))
    expect(statusesIn(text)).toHaveLength(1)
    expect(targets(one)).not.toContain('/public/inner')
    expect(one.origin.all().filter(({ state }) => state === 'whole')).toEqual([])
  })

  test.each<readonly [name: string, first: string]>([
    ['a request line that ends with LF', 'POST /public/outer HTTP/1.1\nHost: x\r\nContent-Length: 0\r\n\r\n'],
    ['a header that ends with LF', 'POST /public/outer HTTP/1.1\r\nHost: x\nContent-Length: 0\r\n\r\n'],
    ['a head that ends with two LF', 'POST /public/outer HTTP/1.1\r\nHost: x\r\nContent-Length: 0\n\n'],
    ['a head that ends with CR LF LF', 'POST /public/outer HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\n'],
    ['a version in small letters', 'POST /public/outer http/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'],
    ['a space behind the version', 'POST /public/outer HTTP/1.1 \r\nHost: x\r\nContent-Length: 0\r\n\r\n'],
    ['version 1.2', 'POST /public/outer HTTP/1.2\r\nHost: x\r\nContent-Length: 0\r\n\r\n'],
    ['version 2.0', 'POST /public/outer HTTP/2.0\r\nHost: x\r\nContent-Length: 0\r\n\r\n'],
    ['no version', 'GET /public/outer\r\n\r\n'],
    ['chunks in version 1.0', `POST /public/outer HTTP/1.0\r\nHost: x\r\n${CHUNKED}\r\n\r\n0\r\n\r\n`],
  ])('%s: refused, and nothing behind it is read', async (_, first) => {
    await using one = await testGateway()
    const text = await exchangeOctets(one.port, first + INNER)

    expect([400, 501, 505]).toContain(statusIn(text))
    expect(statusesIn(text)).toHaveLength(1)
    expect(targets(one)).toEqual([])
  })

  test.each<readonly [name: string, lines: readonly string[], body: string, octets: string]>([
    ['a length', ['Content-Length: 3'], 'abc', 'abc'],
    ['a length with zeros', ['Content-Length: 003'], 'abc', 'abc'],
    ['a length with a space behind it', ['Content-Length: 3 '], 'abc', 'abc'],
    ['chunks', ['tRANSFER-eNCODING:\tChUnKeD'], '1\r\na\r\n2\r\nbc\r\n0\r\n\r\n', 'abc'],
    ['a chunk size with zeros', [CHUNKED], `${'0'.repeat(40)}3\r\nabc\r\n0\r\n\r\n`, 'abc'],
    ['a chunk extension', [CHUNKED], '3;a="b"\r\nabc\r\n0\r\n\r\n', 'abc'],
  ])('%s: well-formed, so that the origin sees two requests that are', async (_, lines, body, octets) => {
    await using one = await testGateway()

    expect(statusesIn(await exchangeOctets(one.port, outer(lines, body)))).toEqual([200, 200])
    expect(targets(one)).toEqual(['/public/outer', '/public/inner'])
    expect(Buffer.from(one.origin.all()[0]?.body.octets ?? []).toString()).toBe(octets)
    expect(one.origin.all().flatMap(({ anomalies }) => anomalies)).toEqual([])
  })

  test('a flag that makes Node lenient makes no gateway so', async () => {
    const lenient = requestText('POST /public/outer', ['X-A: b\nContent-Length: 0', 'Connection: keep-alive'], INNER)
    const script = `
      import { exchangeOctets, testGateway } from ${JSON.stringify(new URL('gateway.testing.ts', import.meta.url).href)}
      await using one = await testGateway()
      console.log(JSON.stringify({ text: await exchangeOctets(one.port, ${JSON.stringify(lenient)}), seen: one.origin.all().length }))`
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--insecure-http-parser',
      '--input-type=module-typescript',
      '--eval',
      script,
    ])
    const { text, seen } = JSON.parse(stdout) as { readonly text: string; readonly seen: number }

    expect(statusesIn(text)).toEqual([400])
    expect(seen).toBe(0)
  })

  test('what is wrong behind a request does not take the place of its answer', async () => {
    await using one = await testGateway()
    using hold = one.origin.hold()
    await using caller = await dial(one.port)
    caller.send(`${requestText('GET /public/one', ['Connection: keep-alive'])}\0garbage\r\n\r\n`)
    await hold.reached(1, 2_000)
    caller.send('\0more garbage\r\n\r\n')
    hold.open()
    const { received } = await caller.closed

    expect(statusesIn(received)).toEqual([200])
    expect(received).toContain('Connection: close')
  })

  test('a body that breaks while the origin has it ends both requests', async () => {
    await using one = await testGateway()
    await using caller = await dial(one.port)
    caller.send(requestText('POST /public/broken', [CHUNKED], '3\r\nabc\r\n'))
    await one.origin.waitFor('broken', 2_000)
    caller.send('nonsense\r\n')
    const { received } = await caller.closed
    await one.origin.settled(2_000)

    expect(statusesIn(received)).toEqual([400])
    expect(one.origin.all().map(({ state }) => state)).toEqual(['cut'])
  })

  test('a body that breaks while its answer is under way breaks the answer off', async () => {
    await using early = await bluntOrigin((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n')
    })
    await using one = await testGateway({ routes: () => [route('POST', '/early', early.url, [])] })
    await using caller = await dial(one.port)
    caller.send(requestText('POST /early', [CHUNKED], '3\r\nabc\r\n'))
    await caller.until(/begun/u)
    caller.send('nonsense\r\n')
    const { received } = await caller.closed

    expect(statusesIn(received)).toEqual([200])
    expect(received).not.toContain('0\r\n\r\n')
  })
})

describe('what is refused before a route is looked for', () => {
  test.each(['GET', 'HEAD', 'OPTIONS'])('a body on %s', async (method) => {
    await using one = await testGateway()
    for (const lines of [['Content-Length: 3'], [CHUNKED]]) {
      const text = await exchangeOctets(
        one.port,
        requestText(`${method} /public/x`, [...lines, 'Connection: keep-alive'], 'abc'),
      )
      expect(statusesIn(text)).toEqual([400])
    }
    expect(targets(one)).toEqual([])
  })

  test.each<readonly [name: string, first: string, lines: readonly string[], status: number]>([
    ['two Host lines', 'GET /public/x', ['Host: a', 'Host: b'], 400],
    ['a Host with a space', 'GET /public/x', ['Host: a b'], 400],
    ['a Host with a path', 'GET /public/x', ['Host: a/b'], 400],
    ['a Host with somebody in front', 'GET /public/x', ['Host: user@a'], 400],
    ['a method that nobody knows', 'FOO /public/x', [], 501],
    ['a method in small letters', 'get /public/x', [], 501],
    ['TRACE, by which a caller could see the token', 'TRACE /public/x', [], 501],
    ['CONNECT', 'CONNECT example.com:443', [], 501],
    ['the form of the target that is for OPTIONS alone', 'OPTIONS *', [], 400],
    ['an expectation that nobody knows', 'POST /public/x', ['Expect: magic', 'Content-Length: 0'], 417],
    ['a header section too large', 'GET /public/x', [`X-A: ${'x'.repeat(40_000)}`], 431],
    [
      '200 lines of a kilobyte',
      'GET /public/x',
      Array.from({ length: 200 }, (_, at) => `X-${at}: ${'x'.repeat(1_000)}`),
      431,
    ],
    ['a target too large', `GET /public/${'x'.repeat(40_000)}`, [], 431],
  ])('%s', async (_, first, lines, status) => {
    await using one = await testGateway()
    const text = await exchangeOctets(one.port, requestText(first, lines))
    const [head = '', body = ''] = text.split('\r\n\r\n')

    expect(statusesIn(text)).toEqual([status])
    expect(targets(one)).toEqual([])
    expect(head).toMatch(/^connection: close$/imu)
    expect(head).toMatch(/^content-type: application\/problem\+json$/imu)
    const { trace } = JSON.parse(body) as { trace: { requestId: string } }
    expect(head).toContain(`zp-rid: ${trace.requestId}`)
  })

  test.each(['', 'localhost', 'a.example.com:8080', '127.0.0.1', '[::1]', '[::1]:8080', "a_b~c!$&'()*+,;=%41"])(
    'but not the Host "%s"',
    async (host) => {
      await using one = await testGateway()

      expect(statusIn(await exchangeOctets(one.port, requestText('GET /public/x', [`Host: ${host}`])))).toBe(200)
    },
  )

  test('what stands behind two thousand lines', async () => {
    await using one = await testGateway()
    const lines = [...Array.from({ length: 2_100 }, () => 'X:1'), 'X-Last: 1']
    await exchangeOctets(one.port, requestText('GET /public/x', lines))

    expect(one.origin.all()[0]?.header('x')).toHaveLength(2_100)
    expect(one.origin.all()[0]?.header('x-last')).toEqual(['1'])
    expect(
      statusIn(await exchangeOctets(one.port, requestText('GET /public/x', ['Host: a', ...lines, 'Host: b']))),
    ).toBe(400)
  })

  test('a request of version 1.1 without Host; one of version 1.0 needs none', async () => {
    await using one = await testGateway()

    expect(statusIn(await exchangeOctets(one.port, 'GET /public/x HTTP/1.1\r\n\r\n'))).toBe(400)
    expect(statusIn(await exchangeOctets(one.port, 'GET /public/x HTTP/1.0\r\n\r\n'))).toBe(200)
  })

  test('a header section that does not end is answered with 408', async () => {
    await using one = await testGateway({ limits: { requestHeadMs: 200 } })

    expect(statusIn(await exchangeOctets(one.port, 'GET /public/x HTTP/1.1\r\nHost: x\r\n'))).toBe(408)
  })

  test('a body that does not end is answered with 408, and the origin never has the whole of it', async () => {
    await using one = await testGateway({ limits: { requestHeadMs: 100, requestMs: 200 } })
    const text = await exchangeOctets(one.port, requestText('POST /public/x', ['Content-Length: 5'], 'abc'))
    await one.origin.settled(2_000)

    expect(statusesIn(text)).toEqual([408])
    expect(one.origin.all().map(({ state }) => state)).toEqual(['cut'])
  })
})

/** Spellings of `/r` in the eyes of some server, and what is no path at all. */
const PATHS = [
  '//r',
  '/./r',
  '/x/../r',
  '/..//r',
  '/%2e/r',
  '/x/%2e%2e/r',
  '/x/%2E%2e/r',
  '/x/.%2e/r',
  '/%2fr',
  '/x%2f..%2fr',
  '/x%2F%2E%2E%2Fr',
  '/x%5c..%5cr',
  '/x\\..\\r',
  '/..;/r',
  '/.;a/r',
  '/x/..;a=b/r',
  '/%2e%2e;/r',
  '/r%00',
  '/r%0a',
  '/r%0d%0aX-Consumer-ID:%20planted',
  '/r%09',
  '/r%7f',
  '/%c0%afr',
  '/x/%c0%ae%c0%ae/r',
  '/x/%e0%80%ae%e0%80%ae/r',
  '/%u0072',
  '/r%',
  '/r%7',
  '/r%zz',
  '/r%2523',
  '/r%252f',
  '/x/%252e%252e/r',
  '/r#x',
  '/r#?x',
  '/r\u00e9',
]

/** Other paths: routes compare octet by octet, and the origin gets them as they are. */
const OTHERS = ['/r;a=b', '/r/', '/r.', '/R', '/r%20', '/r%3Fx', '/r%26', '/r%C3%A9', '/r%c3%a9']

describe('spellings of a path', () => {
  test.each(PATHS)('%s reaches nobody, also below a public path', async (path) => {
    await using one = await testGateway({ routes: everywhere })
    for (const target of [path, `/public${path}`, `/public/x${path}`, `http://gateway.example.com${path}`]) {
      expect(statusIn(await exchangeOctets(one.port, requestText(`GET ${target}`)))).toBe(400)
    }
    expect(targets(one)).toEqual([])
  })

  test.each(OTHERS)('%s is another path, and reaches the origin as it is', async (path) => {
    await using one = await testGateway({ routes: everywhere })
    await exchangeOctets(one.port, requestText(`GET ${path}?a=%41&a=%2e%2e%2f&b`))

    expect(targets(one)).toEqual([`${path}?a=%41&a=%2e%2e%2f&b`])
  })

  test.each(['/%72', '/%72%65ports%2D1', '/re%70orts%2d1', '/caf%c3%a9', '/%63af%C3%A9'])(
    '%s is found as what it spells, not below the path for everybody',
    async (path) => {
      const guarded = (origin: string) =>
        ['/r', '/reports-1', '/caf%C3%A9'].map((pattern) => route('GET', pattern, origin, ['api-key-inbound']))
      await using one = await testGateway({ routes: (origin) => [...guarded(origin), ...everywhere(origin)] })

      expect(statusIn(await exchangeOctets(one.port, requestText(`GET ${path}`)))).toBe(401)
      expect(targets(one)).toEqual([])
      const lines = [`Authorization: Bearer ${one.key}`]
      expect(statusIn(await exchangeOctets(one.port, requestText(`GET ${path}`, lines)))).toBe(200)
      expect(targets(one)).toEqual([path])
    },
  )

  test.each(['/__zuplo/other', '/%5F_zuplo/other', '/__zupl%6F/ping', '/__zuplo/issuer/.well-known/other'])(
    '%s belongs to the gateway',
    async (path) => {
      await using one = await testGateway({ routes: everywhere })

      expect(statusIn(await exchangeOctets(one.port, requestText(`GET ${path}`)))).toBe(
        path.endsWith('ping') ? 200 : 404,
      )
      expect(targets(one)).toEqual([])
    },
  )

  test('the absolute form is the same as the path, and its host counts for nothing', async () => {
    await using one = await testGateway()
    const lines = [`Authorization: Bearer ${one.key}`, 'Host: evil.example.com']
    const first = await exchangeOctets(one.port, requestText('GET http://evil.example.com/r?a=1', lines))

    expect(statusIn(first)).toBe(200)
    const [arrival] = one.origin.all()
    expect(arrival?.target).toBe('/r?a=1')
    expect(arrival?.header('host')).toEqual([new URL(one.origin.url).host])
    expect(statusIn(await exchangeOctets(one.port, requestText('GET http://evil.example.com/r')))).toBe(401)
    expect(statusIn(await exchangeOctets(one.port, requestText('GET http://evil.example.com')))).toBe(404)
    expect(statusIn(await exchangeOctets(one.port, requestText('GET ftp://evil.example.com/r')))).toBe(400)
    expect(statusIn(await exchangeOctets(one.port, requestText('GET evil.example.com/r')))).toBe(400)
  })
})

/** Everything is forwarded for everybody. */
const everywhere = (origin: string) => [matching(route('GET', '/*', origin, []))]

describe('several requests on one connection', () => {
  const keep = (lines: readonly string[]) => requestText('GET /r', ['Connection: keep-alive', ...lines])

  test('a key counts for one request, not for its connection', async () => {
    await using one = await testGateway()
    const key = `Authorization: Bearer ${one.key}`
    const octets = keep([key]) + keep([]) + keep([key]) + requestText('GET /r', ['Authorization: Bearer unknown'])

    expect(statusesIn(await exchangeOctets(one.port, octets))).toEqual([200, 401, 200, 401])
    expect(one.origin.all()).toHaveLength(2)
  })

  test('are begun one after the other, and answered in their order', async () => {
    await using one = await testGateway()
    using hold = one.origin.hold()
    await using caller = await dial(one.port)
    const paths = Array.from({ length: 40 }, (_, at) => `/public/${at}`)
    const texts = paths.map((path, at) =>
      requestText(`GET ${path}`, [`Connection: ${at < 39 ? 'keep-alive' : 'close'}`]),
    )
    caller.send(texts.join(''))
    await hold.reached(1, 2_000)
    hold.open()
    const { received } = await caller.closed

    expect(hold.most()).toBe(1)
    expect(targets(one)).toEqual(paths)
    expect(statusesIn(received)).toEqual(paths.map(() => 200))
  })

  test('are read on only while few of them wait', async () => {
    await using one = await testGateway()
    using hold = one.origin.hold()
    const caller = net.connect(one.port, '127.0.0.1')
    const lines = (at: number) => [`X-A: ${'x'.repeat(30_000)}`, `Connection: ${at < 599 ? 'keep-alive' : 'close'}`]
    for (let at = 0; at < 600; at += 1) caller.write(requestText(`GET /public/${at}`, lines(at)))
    await hold.reached(1, 2_000)
    // Once nothing more is taken, the rest is in the buffers of the sockets, and those are bounded.
    let seen = -1
    const standing = (): boolean => {
      const stands = caller.writableLength === seen
      seen = caller.writableLength
      return stands
    }
    await expect.poll(standing, { interval: 100, timeout: 10_000 }).toBe(true)
    expect(seen).toBeGreaterThan(4 * 1024 * 1024)
    hold.open()
    caller.resume()
    await once(caller, 'end')
    caller.destroy()

    expect(one.origin.all()).toHaveLength(600)
    expect(hold.most()).toBe(1)
  })

  test('what follows a request that closes the connection is not begun', async () => {
    await using one = await testGateway()
    const text = await exchangeOctets(one.port, requestText('GET /public/one') + requestText('GET /public/two'))

    expect(statusesIn(text)).toEqual([200])
    expect(targets(one)).toEqual(['/public/one'])
  })

  test('whose caller went away are not begun', async () => {
    await using one = await testGateway()
    using hold = one.origin.hold()
    await using caller = await dial(one.port)
    const texts = ['one', 'two'].map((name) => requestText(`GET /public/${name}`, ['Connection: keep-alive']))
    caller.send(texts.join(''))
    await hold.reached(1, 2_000)
    caller.reset()
    await expect.poll(() => one.log.length, { interval: 5 }).toBe(1)

    expect(targets(one)).toEqual(['/public/one'])
    expect(JSON.parse(one.log[0] ?? '')).toMatchObject({ status: 0, fault: 'ERR_CALLER_GONE' })
  })
})
