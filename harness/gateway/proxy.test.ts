import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import net from 'node:net'
import { Readable } from 'node:stream'
import { Client, request } from 'undici'
import { describe, expect, test } from 'vitest'
import { dial } from '../capture/dial.testing.ts'
import { forwardTo } from './config/handlers.ts'
import {
  doing,
  exchangeOctets,
  GUARDED,
  metricsOf,
  policy,
  requestText,
  route,
  statusesIn,
  statusIn,
  testGateway,
} from './gateway.testing.ts'
import type { TestGateway } from './gateway.testing.ts'
import { bluntOrigin } from './origins.testing.ts'
import type { BluntOrigin } from './origins.testing.ts'

const CHUNKED = 'Transfer-Encoding: chunked'

const bearer = (key: string): string => `Authorization: Bearer ${key}`

const bodyOf = (text: string): string => text.slice(text.indexOf('\r\n\r\n') + 4)

/** A gateway whose public `/x` is at an origin that speaks in octets. */
const before = (origin: BluntOrigin, given: Parameters<typeof testGateway>[0] = {}) =>
  testGateway({
    routes: () => ['GET', 'HEAD', 'POST', 'PUT'].map((method) => route(method, '/x', origin.url, [])),
    ...given,
  })

/** The only line of the access log, once it is there. */
async function logged(one: TestGateway): Promise<Record<string, unknown>> {
  await expect.poll(() => one.log.length, { interval: 5 }).toBe(1)
  return JSON.parse(one.log[0] ?? '') as Record<string, unknown>
}

describe('streaming', () => {
  test('an event reaches the caller while the origin goes on', async () => {
    await using one = await testGateway()
    one.origin.answer({ events: ['first', 'second'], everyMs: 600_000 })
    await using caller = await dial(one.port)
    caller.send(requestText('GET /r', [bearer(one.key)]))
    const text = await caller.until(/data: first\n\n/u)

    expect(text).toMatch(/^content-type: text\/event-stream\r$/imu)
    expect(text).not.toContain('second')
  })

  test.each([
    ['with a length', 'Content-Length: 10', '01234', '56789'],
    ['in chunks', CHUNKED, '5\r\n01234\r\n', '5\r\n56789\r\n0\r\n\r\n'],
  ])('a part of an upload %s reaches the origin while the caller goes on', async (_, framing, first, second) => {
    await using one = await testGateway()
    await using caller = await dial(one.port)
    caller.send(`${requestText('POST /r?upload', [bearer(one.key), framing])}${first}`)
    await expect.poll(() => one.origin.arrivalsOf('upload')[0]?.body.total, { interval: 5 }).toBe(5)
    caller.send(second)

    expect(statusIn((await caller.closed).received)).toBe(200)
    expect(one.origin.all().map(({ body }) => Buffer.from(body.octets).toString())).toEqual(['0123456789'])
  })

  test('both ways at once', async () => {
    await using origin = await bluntOrigin((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n')
      socket.on('data', (chunk: Buffer) => {
        const end = chunk.includes('bye') ? '0\r\n\r\n' : ''
        socket.write(`${chunk.length.toString(16)}\r\n${chunk.toString('latin1')}\r\n${end}`)
      })
    })
    await using one = await before(origin)
    await using caller = await dial(one.port)
    caller.send(requestText('POST /x', ['Content-Length: 9'], 'one'))
    await caller.until(/hi/u)
    caller.send('two')
    await caller.until(/two/u)
    caller.send('bye')
    const { received } = await caller.closed

    expect(received.endsWith('bye\r\n0\r\n\r\n')).toBe(true)
  })

  test('64 MiB each way, octet for octet, with neither side held in memory', async () => {
    await using one = await testGateway()
    const piece = randomBytes(1024 * 1024)
    let sent = 0
    const body = Readable.from(
      (function* pieces() {
        for (let at = 0; at < 64; at += 1) {
          sent += piece.length
          yield piece
        }
      })(),
    )
    one.origin.answer({ body: Buffer.concat([piece, piece, piece, piece]), pieceOctets: 65_537 })
    const answer = await request(`${one.gateway.url}/r`, {
      method: 'POST',
      headers: { authorization: `Bearer ${one.key}` },
      body,
    })
    const received = Buffer.from(await answer.body.arrayBuffer())

    expect(answer.statusCode).toBe(200)
    expect(sent).toBe(64 * 1024 * 1024)
    expect(one.origin.all()[0]?.body.total).toBe(sent)
    expect(received.equals(Buffer.concat([piece, piece, piece, piece]))).toBe(true)
  })

  test('an origin that does not read holds the caller back', async () => {
    await using origin = await bluntOrigin((socket) => {
      socket.pause()
    })
    await using one = await before(origin)
    const client = new Client(one.gateway.url)
    const piece = Buffer.alloc(256 * 1024)
    let taken = 0
    const body = new Readable({
      read() {
        taken += piece.length
        this.push(piece)
      },
    })
    const asked = client.request({ path: '/x', method: 'POST', body }).catch(() => undefined)
    let seen = -1
    // Once nothing more is taken, what is under way is in the buffers of the sockets, and those are bounded.
    await expect
      .poll(
        () => {
          const stands = taken === seen
          seen = taken
          return stands && taken > 0
        },
        { interval: 100, timeout: 10_000 },
      )
      .toBe(true)
    await client.destroy()
    await asked

    expect(taken).toBeLessThan(64 * 1024 * 1024)
  })

  test('a caller that does not read holds the origin back, and loses its place in the end', async () => {
    let written = 0
    await using origin = await bluntOrigin((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
      const piece = `10000\r\n${'x'.repeat(0x10000)}\r\n`
      const more = (): void => {
        let takes = true
        while (takes && !socket.destroyed) {
          written += piece.length
          takes = socket.write(piece)
        }
      }
      socket.on('drain', more)
      more()
    })
    await using one = await before(origin, { limits: { idleMs: 200 } })
    const caller = net.connect(one.port, '127.0.0.1')
    caller.on('error', () => undefined)
    caller.write(requestText('GET /x'))

    expect(await logged(one)).toMatchObject({ status: 200, fault: 'ERR_CALLER_GONE' })
    await expect.poll(origin.open, { interval: 5 }).toBe(0)
    expect(written).toBeLessThan(64 * 1024 * 1024)
    caller.destroy()
  })
})

describe('Expect: 100-continue', () => {
  test('comes once the policies let the request through, and not before', async () => {
    await using one = await testGateway()
    await using caller = await dial(one.port)
    caller.send(requestText('POST /r', [bearer(one.key), 'Content-Length: 3', 'Expect: 100-continue']))
    expect(await caller.until(/\r\n\r\n/u)).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    caller.send('abc')
    const { received } = await caller.closed

    expect(statusesIn(received)).toEqual([100, 200])
    expect(one.origin.all().map(({ body }) => Buffer.from(body.octets).toString())).toEqual(['abc'])
    expect(one.origin.all()[0]?.header('expect')).toEqual([])
  })

  test.each([
    ['a key that is missing', 401, 'POST /r', 3],
    ['a body that is too large', 413, 'POST /public/x', 1_001],
    ['a route that is not there', 404, 'POST /nowhere', 3],
  ])('%s is refused without the body, and the connection closed', async (_, status, first, length) => {
    await using one = await testGateway({ limits: { bodyOctets: 1_000 } })
    const lines = [`Content-Length: ${length}`, 'Expect: 100-continue', 'Connection: keep-alive']

    const text = await exchangeOctets(one.port, requestText(first, lines))

    expect(statusesIn(text)).toEqual([status])
    expect(text).toMatch(/^connection: close\r$/imu)
    expect(one.origin.all()).toEqual([])
  })

  test('of a caller of version 1.0 means nothing', async () => {
    await using one = await testGateway()
    const lines = ['Content-Length: 3', 'Expect: 100-continue']
    const octets = requestText('POST /public/x', lines, 'abc').replace('HTTP/1.1', 'HTTP/1.0')

    expect(statusesIn(await exchangeOctets(one.port, octets))).toEqual([200])
  })
})

describe('a body that nobody reads', () => {
  test('does not keep a refusal from a caller that goes on sending', async () => {
    await using one = await testGateway()
    const client = new Client(one.gateway.url)
    const body = Readable.from(Array.from({ length: 64 }, () => Buffer.alloc(256 * 1024)))
    const answer = await client.request({ path: '/r', method: 'POST', body })
    const refusal = (await answer.body.json()) as { status: number }
    await client.destroy()

    expect(refusal.status).toBe(401)
    expect(one.origin.all()).toEqual([])
  })

  test.each([
    ['a refusal', 'POST /r', 'Content-Length: 16777216'],
    ['the refusal of a handshake', 'GET /r', 'Connection: Upgrade\r\nUpgrade: websocket'],
    ['the refusal of a method', 'CONNECT example.com:443', 'X-No: length'],
    ['the refusal of a broken body', 'POST /r', CHUNKED],
    ['the refusal of what is no request', 'FOO /r', 'X-No: length'],
  ])('does not keep %s from a caller that reads once it has sent all', async (_, first, line) => {
    await using one = await testGateway({ limits: { lingerMs: 10_000 } })
    const caller = net.connect(one.port, '127.0.0.1')
    caller.pause()
    caller.write(requestText(first, [line]))
    await new Promise<void>((resolve, reject) => {
      caller.once('error', reject)
      caller.write(Buffer.alloc(16 * 1024 * 1024), () => {
        resolve()
      })
    })
    caller.resume()
    const [answer] = (await once(caller, 'data')) as [Buffer]
    caller.destroy()

    expect([401, 501]).toContain(statusIn(answer.toString()))
  })

  test('does not keep a refusal from a caller whose body is broken', async () => {
    await using one = await testGateway()
    const text = await exchangeOctets(one.port, requestText('POST /r', [CHUNKED], 'nonsense\r\n'))

    expect(statusesIn(text)).toEqual([401])
    expect(text.endsWith('}')).toBe(true)
  })

  test('keeps its connection where it is short', async () => {
    await using one = await testGateway()
    const first = requestText('POST /r', ['Content-Length: 3', 'Connection: keep-alive'], 'abc')

    expect(statusesIn(await exchangeOctets(one.port, first + requestText('GET /public/x')))).toEqual([401, 200])
    expect(one.origin.all().map(({ target }) => target)).toEqual(['/public/x'])
  })

  test.each([
    ['is long', 'Content-Length: 70000', 'GET /public/inner HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['has no length', CHUNKED, 'a\r\nGET /public'],
  ])('costs its connection where it %s', async (_, framing, body) => {
    await using one = await testGateway()
    const text = await exchangeOctets(one.port, requestText('POST /r', [framing, 'Connection: keep-alive'], body))

    expect(statusesIn(text)).toEqual([401])
    expect(text).toMatch(/^connection: close\r$/imu)
    expect(one.origin.all()).toEqual([])
  })

  test('that is announced and does not come costs its connection in time', async () => {
    await using one = await testGateway()
    const lines = ['Content-Length: 3', 'Connection: keep-alive']

    expect(statusesIn(await exchangeOctets(one.port, requestText('POST /nowhere', lines, 'ab')))).toEqual([404])
  })
})

describe('a body beyond the limit', () => {
  const chunk = `3e8\r\n${'x'.repeat(1_000)}\r\n`

  test.each([
    ['that is announced', '/r?body', 'Content-Length: 1001', 'x'],
    ['that is not announced', '/r?body', CHUNKED, chunk + chunk],
    ['that a policy sets', '/limited?body', CHUNKED, chunk.repeat(3)],
  ])('%s is cut off, and the origin never has the whole of it', async (_, target, framing, body) => {
    const limit = policy('request-size-limit-inbound', { maxSizeInBytes: 1_500 })
    await using one = await testGateway({
      limits: { bodyOctets: target.startsWith('/r') ? 1_000 : 1_000_000 },
      policies: [...GUARDED, limit],
      routes: (origin) => [
        route('POST', '/r', origin, ['api-key-inbound', 'upstream-zuplo-jwt-auth-inbound']),
        route('POST', '/limited', origin, ['api-key-inbound', 'request-size-limit-inbound']),
      ],
    })
    const text = await exchangeOctets(one.port, requestText(`POST ${target}`, [bearer(one.key), framing], body))
    await one.origin.settled(2_000)

    expect(statusesIn(text)).toEqual([413])
    expect(one.origin.all().filter(({ state }) => state === 'whole')).toEqual([])
  })

  test('exactly at it goes through', async () => {
    await using one = await testGateway({ limits: { bodyOctets: 1_000 } })
    const known = requestText('POST /public/x', ['Content-Length: 1000'], 'x'.repeat(1_000))
    const unknown = requestText('POST /public/x', [CHUNKED], `${chunk}0\r\n\r\n`)

    expect(statusIn(await exchangeOctets(one.port, known))).toBe(200)
    expect(statusIn(await exchangeOctets(one.port, unknown))).toBe(200)
    expect(one.origin.all().map(({ body }) => body.total)).toEqual([1_000, 1_000])
  })
})

describe('a caller that goes away', () => {
  test('while the origin is at work takes its request along', async () => {
    await using origin = await bluntOrigin(() => undefined)
    await using one = await before(origin)
    await using caller = await dial(one.port)
    caller.send(requestText('GET /x'))
    await expect.poll(origin.open, { interval: 5 }).toBe(1)
    caller.reset()

    expect(await logged(one)).toMatchObject({ status: 0, by: 'origin', fault: 'ERR_CALLER_GONE' })
    await expect.poll(origin.open, { interval: 5 }).toBe(0)
    expect(origin.received).toHaveLength(1)
  })

  test('while it sends takes its request along, and that is never whole', async () => {
    await using one = await testGateway()
    await using caller = await dial(one.port)
    caller.send(requestText('POST /public/upload', ['Content-Length: 10'], '01234'))
    await one.origin.waitFor('upload', 2_000)
    caller.reset()
    await one.origin.settled(2_000)

    expect(await logged(one)).toMatchObject({ status: 0, fault: 'ERR_CALLER_GONE' })
    expect(one.origin.all().map(({ state }) => state)).toEqual(['cut'])
  })

  test('while it is answered takes its request along', async () => {
    await using origin = await bluntOrigin((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfirst'),
    )
    await using one = await before(origin)
    await using caller = await dial(one.port)
    caller.send(requestText('GET /x'))
    await caller.until(/first/u)
    caller.reset()

    expect(await logged(one)).toMatchObject({ status: 200, fault: 'ERR_CALLER_GONE' })
    await expect.poll(origin.open, { interval: 5 }).toBe(0)
  })

  test('after an early answer harms nobody', async () => {
    await using origin = await bluntOrigin((socket) => {
      socket.end('HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nearly')
    })
    await using one = await before(origin)
    await using caller = await dial(one.port)
    caller.send(requestText('POST /x', ['Content-Length: 10', 'Connection: keep-alive'], '012'))
    await caller.until(/early/u)
    caller.reset()

    expect(await logged(one)).toMatchObject({ status: 413, by: 'origin' })
    await using other = await dial(one.port)
    other.send(requestText('POST /x', ['Content-Length: 3'], 'abc'))
    expect(statusIn((await other.closed).received)).toBe(413)
  })
})

describe('an early answer of the origin', () => {
  const early = (lines = 'Connection: close\r\n') =>
    bluntOrigin((socket) => {
      socket.write(`HTTP/1.1 409 Conflict\r\nContent-Length: 5\r\n${lines}\r\nearly`)
    })

  test('reaches a caller that goes on sending', async () => {
    await using origin = await early('')
    await using one = await before(origin)
    const client = new Client(one.gateway.url)
    const body = Readable.from(Array.from({ length: 64 }, () => Buffer.alloc(256 * 1024)))
    const answer = await client.request({ path: '/x', method: 'POST', body })
    const text = await answer.body.text()
    await client.destroy()

    expect([answer.statusCode, text]).toEqual([409, 'early'])
  })

  test('costs the connection where the body does not end, so that nothing of it is taken for a request', async () => {
    await using origin = await early()
    await using one = await before(origin)
    const body = 'GET /x HTTP/1.1\r\nHost: x\r\n\r\n'
    const lines = ['Content-Length: 1000', 'Connection: keep-alive']

    expect(statusesIn(await exchangeOctets(one.port, requestText('POST /x', lines, body)))).toEqual([409])
    expect(origin.received).toHaveLength(1)
  })

  test('keeps the connection where the body ends', async () => {
    await using origin = await early()
    await using one = await before(origin)
    await using caller = await dial(one.port)
    caller.send(requestText('POST /x', ['Content-Length: 6', 'Connection: keep-alive'], 'abc'))
    await caller.until(/early/u)
    caller.send(`def${requestText('GET /x')}`)

    expect(statusesIn((await caller.closed).received)).toEqual([409, 409])
  })

  test('does not lift the limit of the body', async () => {
    await using origin = await early('')
    await using one = await before(origin, { limits: { bodyOctets: 1_000, lingerMs: 50 } })
    const body = `3e8\r\n${'x'.repeat(1_000)}\r\n`.repeat(3)

    expect([409, 413]).toContain(statusIn(await exchangeOctets(one.port, requestText('POST /x', [CHUNKED], body))))
    expect(statusIn(await exchangeOctets(one.port, requestText('GET /x')))).toBe(409)
  })
})

describe('answers', () => {
  test.each([
    ['HEAD', 'HEAD', {}, 200],
    ['204', 'GET', { status: 204, body: '' }, 204],
    ['304', 'GET', { status: 304, body: '', headers: [['ETag', '"a"']] as const }, 304],
    ['205', 'GET', { status: 205, body: '' }, 205],
    ['a status that nobody knows', 'GET', { status: 299 }, 299],
    ['a redirect, which is not followed', 'GET', { redirect: 'http://127.0.0.1:9/elsewhere' }, 302],
    ['401 of the origin', 'GET', { status: 401 }, 401],
    ['500 of the origin', 'GET', { status: 500 }, 500],
    ['early hints, which are dropped', 'GET', { hints: [['Link', '</a>; rel=preload']] as const }, 200],
    ['chunks', 'GET', { chunked: true, body: 'abc', pieceOctets: 1 }, 200],
  ])('%s', async (_, method, answering, status) => {
    await using one = await testGateway()
    one.origin.answer(answering)
    const first = requestText(`${method} /r`, [bearer(one.key), 'Connection: keep-alive'])
    const text = await exchangeOctets(one.port, first + requestText(`${method} /r`, [bearer(one.key)]))

    expect(statusesIn(text)).toEqual([status, status])
    expect(text.match(/^zp-rid: [\da-f-]{36}\r$/gmu)).toHaveLength(2)
  })

  test('without a body have none, and those with one have all of it', async () => {
    await using one = await testGateway()
    const ask = (method: string) => exchangeOctets(one.port, requestText(`${method} /r`, [bearer(one.key)]))
    const head = await ask('HEAD')
    const get = await ask('GET')
    one.origin.answer({ status: 304, body: '' })
    const unchanged = await ask('GET')

    expect([head, get, unchanged].map(bodyOf)).toEqual(['', one.origin.marker, ''])
    expect(head).toContain(`Content-Length: ${one.origin.marker.length}\r\n`)
    expect(get).toContain(`Content-Length: ${one.origin.marker.length}\r\n`)
  })

  test('lines of the hop stay on the hop, others come in their order and number, trailers not at all', async () => {
    await using one = await testGateway()
    const ordinary = [
      'ETag: "a"',
      'Set-Cookie: a=1',
      'set-cookie: b=2',
      'Vary: Accept',
      'X-Latin: caf\u00e9',
      'Date: then',
    ]
    const planted = [
      'X-Hop: planted',
      'x-other-hop: planted',
      'Connection: X-Hop',
      'connection: close , X-OTHER-HOP',
      'Keep-Alive: planted=1',
      'Proxy-Connection: planted',
      'Proxy-Authenticate: planted',
      'Trailer: X-Planted',
      'Upgrade: planted',
      'TE: planted',
      'zp-rid: planted',
    ]
    const split = (line: string) => [line.split(': ')[0] ?? '', line.split(': ')[1] ?? ''] as const
    one.origin.answer({
      headers: [...ordinary, ...planted].map(split),
      chunked: true,
      trailers: [['X-Planted', 'planted']],
    })
    const text = await exchangeOctets(one.port, requestText('GET /r', [bearer(one.key)]))
    const lines = text.split('\r\n')

    expect(text).not.toContain('planted')
    expect(lines.filter((line) => ordinary.includes(line))).toEqual(ordinary)
    expect(text.endsWith('\r\n0\r\n\r\n')).toBe(true)
  })

  test.each([
    ['a length', {}],
    ['chunks, which it cannot read', { chunked: true }],
  ])('of an origin with %s reach a caller of version 1.0', async (_, answering) => {
    await using one = await testGateway()
    one.origin.answer(answering)
    const text = await exchangeOctets(one.port, `GET /r HTTP/1.0\r\n${bearer(one.key)}\r\n\r\n`)

    expect(statusIn(text)).toBe(200)
    expect(bodyOf(text)).toBe(one.origin.marker)
    expect(text).toMatch(/^connection: close\r$/imu)
  })

  test('a caller of version 1.0 may keep its connection', async () => {
    await using one = await testGateway()
    const keep = 'GET /public/x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'

    expect(statusesIn(await exchangeOctets(one.port, `${keep}GET /public/x HTTP/1.0\r\n\r\n`))).toEqual([200, 200])
  })
})

describe('an origin that fails', () => {
  test.each([
    ['reset-unanswered', 502],
    ['close-unanswered', 502],
    ['reset-unread', 502],
    ['never', 504],
  ] as const)('%s is %i, and a POST is never sent twice', async (fault, status) => {
    await using one = await testGateway({ limits: { answerMs: 200 } })
    one.origin.answer({ fault })
    const text = await exchangeOctets(one.port, requestText('POST /r', [bearer(one.key), 'Content-Length: 3'], 'abc'))

    expect(statusesIn(text)).toEqual([status])
    expect(text).toContain('application/problem+json')
    expect(one.origin.all()).toHaveLength(1)
  })

  test.each(['GET', 'HEAD'])('%s is sent once more when its connection broke, and not more often', async (method) => {
    await using one = await testGateway()
    using broken = one.origin.answer({ fault: 'reset-unanswered' })
    expect(statusIn(await exchangeOctets(one.port, requestText(`${method} /r`, [bearer(one.key)])))).toBe(502)
    expect(one.origin.all()).toHaveLength(2)
    broken[Symbol.dispose]()
    one.origin.answer({ fault: 'close-unanswered' }, { times: 1 })
    expect(statusIn(await exchangeOctets(one.port, requestText(`${method} /r`, [bearer(one.key)])))).toBe(200)
    expect(one.origin.all()).toHaveLength(4)
  })

  test('a connection that the origin closed while it was idle costs no request', async () => {
    await using one = await testGateway()
    const ask = () => exchangeOctets(one.port, requestText('POST /r', [bearer(one.key), 'Content-Length: 3'], 'abc'))
    one.origin.answer({ close: true }, { times: 1 })
    expect(statusIn(await ask())).toBe(200)
    expect(statusIn(await ask())).toBe(200)
    expect(new Set(one.origin.all().map(({ connection }) => connection)).size).toBe(2)
  })

  test('that refuses connections is 502, with a body and without', async () => {
    await using one = await testGateway()
    await using _ = await one.origin.down()
    const post = requestText('POST /r', [bearer(one.key), CHUNKED], '3\r\nabc\r\n')

    expect(statusesIn(await exchangeOctets(one.port, requestText('GET /r', [bearer(one.key)])))).toEqual([502])
    expect(statusesIn(await exchangeOctets(one.port, post))).toEqual([502])
    expect(statusesIn(await exchangeOctets(one.port, `${post}0\r\n\r\n`))).toEqual([502])
  })

  test('whose name nobody knows is 502', async () => {
    await using one = await testGateway({ routes: () => [route('GET', '/x', 'http://nobody.invalid', [])] })

    expect(statusesIn(await exchangeOctets(one.port, requestText('GET /x')))).toEqual([502])
  })

  test.each(['reset-mid-body', 'close-mid-body', 'close-mid-chunk', 'reset-after-head'] as const)(
    '%s: the caller sees that something is missing',
    async (fault) => {
      await using one = await testGateway()
      one.origin.answer({ fault, body: 'x'.repeat(2_000), ...(fault === 'close-mid-chunk' ? { chunked: true } : {}) })
      const asked = request(`${one.gateway.url}/r`, { headers: { authorization: `Bearer ${one.key}` } })

      await expect(asked.then(({ body }) => body.text())).rejects.toThrow()
      expect(one.origin.all()).toHaveLength(1)
    },
  )

  test.each([
    ['a length', 'Content-Length: 9'],
    ['chunks', 'Transfer-Encoding: chunked'],
  ])('in the middle of %s: a caller of version 1.0 sees it by the reset alone', async (_, framing) => {
    await using origin = await bluntOrigin((socket) => {
      socket.end(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n3\r\nabc\r\n`)
    })
    await using one = await before(origin)
    await using caller = await dial(one.port)
    caller.send('GET /x HTTP/1.0\r\n\r\n')

    expect((await caller.closed).how).toBe('reset')
  })

  test.each([
    ['stalls in its head', 'HTTP/1.1 200 OK\r\nX: y\r\n'],
    ['stalls behind interim answers', 'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'],
  ])('%s: 504', async (_, octets) => {
    await using origin = await bluntOrigin((socket) => socket.write(octets))
    await using one = await before(origin, { limits: { answerMs: 100 } })

    expect(statusesIn(await exchangeOctets(one.port, requestText('GET /x')))).toEqual([504])
  })

  test('stalls in its body: the answer breaks off', async () => {
    await using origin = await bluntOrigin((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc'))
    await using one = await before(origin, { limits: { idleMs: 100 } })
    const text = await exchangeOctets(one.port, requestText('GET /x'))

    expect([statusesIn(text), bodyOf(text)]).toEqual([[200], 'abc'])
    expect(await logged(one)).toMatchObject({ status: 200, fault: 'UND_ERR_BODY_TIMEOUT' })
  })

  test('is not late while the caller is still sending', async () => {
    await using origin = await bluntOrigin((socket) => {
      socket.on('data', (chunk: Buffer) => {
        if (chunk.includes('last')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      })
    })
    await using one = await before(origin, { limits: { answerMs: 100 } })
    await using caller = await dial(one.port)
    caller.send(requestText('POST /x', ['Content-Length: 9'], 'first'))
    // Another request is late in the meantime, by the same measure.
    expect(statusIn(await exchangeOctets(one.port, requestText('GET /x')))).toBe(504)
    caller.send('last')

    expect(statusesIn((await caller.closed).received)).toEqual([200])
  })

  test.each([
    ['garbage', '\0\u0001\u0002 garbage \r\n\r\n'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n'],
    ['a status below those that there are', 'HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n'],
    ['a line without a colon', 'HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 0\r\n\r\n'],
    ['a control octet in a line', 'HTTP/1.1 200 OK\r\nX: a\u0001b\r\nContent-Length: 0\r\n\r\n'],
    ['a control octet in its reason', 'HTTP/1.1 200 O\u0001K\r\nContent-Length: 0\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc'],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n'],
    ['another transfer coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'],
    ['a transfer coding without chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc'],
    [
      'another protocol that nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
    ],
    ['a head too large', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}\r\nContent-Length: 0\r\n\r\n`],
  ])('talks nonsense, with %s: 502', async (_, octets) => {
    await using origin = await bluntOrigin((socket) => socket.end(octets, 'latin1'))
    await using one = await before(origin)
    const text = await exchangeOctets(one.port, requestText('POST /x', ['Content-Length: 0']))

    expect(statusesIn(text)).toEqual([502])
    expect(JSON.parse(bodyOf(text))).toMatchObject({ status: 502, title: 'Bad Gateway' })
    expect(origin.received).toHaveLength(1)
  })

  test('sends more than it said: the caller gets what was said', async () => {
    await using origin = await bluntOrigin((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond'),
    )
    await using one = await before(origin)
    const keep = requestText('GET /x', ['Connection: keep-alive'])
    const text = await exchangeOctets(one.port, keep + requestText('GET /x'))

    expect(statusesIn(text)).toEqual([200, 200])
    expect(text).not.toContain('second')
    expect(origin.received).toHaveLength(2)
  })
})

describe('redirects', () => {
  const follows = (origin: string, names: readonly string[]) => ({
    ...route('GET', '/r', origin, names),
    handler: { ...forwardTo(origin, ''), followRedirects: true },
  })
  const names = GUARDED.map(({ name }) => name)

  test('that a handler follows carry no credential to another origin, also on the way back', async () => {
    await using other = await testGateway()
    await using one = await testGateway({ routes: (origin) => [follows(origin, names)] })
    one.origin.answer({ redirect: `${other.origin.url}/away` }, { times: 1 })
    other.origin.answer({ redirect: `${one.origin.url}/back` }, { times: 1 })
    const lines = [bearer(one.key), 'Cookie: a=1', 'X-Kept: stays']
    const text = await exchangeOctets(one.port, requestText('GET /r', lines))
    const arrivals = [...one.origin.all(), ...other.origin.all()]

    expect(statusesIn(text)).toEqual([200])
    expect(arrivals.map(({ target }) => target)).toEqual(['/r', '/back', '/away'])
    expect(arrivals.map((arrival) => arrival.header('authorization').length)).toEqual([1, 0, 0])
    expect(arrivals.map((arrival) => arrival.header('cookie').length)).toEqual([1, 0, 0])
    expect(arrivals.map((arrival) => arrival.header('x-kept').length)).toEqual([1, 1, 1])
    expect(other.origin.all()[0]?.header('host')).toEqual([new URL(other.origin.url).host])
  })

  test('within an origin keep it, and end after five', async () => {
    await using one = await testGateway({ routes: (origin) => [follows(origin, names)] })
    one.origin.answer({ redirect: '/again?x=1' })
    const text = await exchangeOctets(one.port, requestText('GET /r', [bearer(one.key)]))

    expect(statusesIn(text)).toEqual([302])
    expect(one.origin.all()).toHaveLength(6)
    expect(one.origin.all().every((arrival) => arrival.header('authorization').length === 1)).toBe(true)
    expect(one.origin.all().at(-1)?.target).toBe('/again?x=1')
  })

  test.each(['ftp://127.0.0.1/x', 'http://[', 'javascript:alert(1)'])(
    'to %s are given to the caller',
    async (redirect) => {
      await using one = await testGateway({ routes: (origin) => [follows(origin, names)] })
      one.origin.answer({ redirect })
      const text = await exchangeOctets(one.port, requestText('GET /r', [bearer(one.key)]))

      expect(statusesIn(text)).toEqual([302])
      expect(text).toContain(`Location: ${redirect}`)
    },
  )
})

describe('whoever counts answers', () => {
  /** A gateway that keeps the statuses that a policy is told. */
  async function counting(given: Parameters<typeof testGateway>[0] = {}) {
    const told: number[] = []
    const counter = doing((request) => {
      request.onStatus.push((status) => told.push(status))
    }, 'counter')
    const refusing = doing((request) => (request.search === '?refuse' ? { problem: 418 } : undefined), 'refusing')
    const one = await testGateway({ policies: [counter, refusing], ...given })
    return { one, told, [Symbol.asyncDispose]: () => one[Symbol.asyncDispose]() }
  }

  test.each([
    ['200 of the origin', 'GET /r', {}, 200],
    ['500 of the origin', 'GET /r', { status: 500 }, 500],
    ['early hints in front', 'GET /r', { hints: [['Link', '</a>']] as const }, 200],
    ['a refusal', 'GET /r?refuse', {}, 418],
    ['an origin that resets', 'POST /r', { fault: 'reset-unanswered' }, 502],
    ['an origin that resets twice', 'GET /r', { fault: 'reset-unanswered' }, 502],
    ['an origin that is late', 'GET /r', { fault: 'never' }, 504],
    ['an answer that breaks off', 'GET /r', { fault: 'reset-mid-body' }, 200],
  ] as const)('is told once of %s', async (_, first, answering, status) => {
    await using counted = await counting({ limits: { answerMs: 100 } })
    counted.one.origin.answer(answering)
    await exchangeOctets(counted.one.port, requestText(first, first.startsWith('POST') ? ['Content-Length: 0'] : []))
    await logged(counted.one)

    expect(counted.told).toEqual([status])
  })

  test('is told nothing where the caller left the origin alone with its work', async () => {
    await using counted = await counting()
    using hold = counted.one.origin.hold()
    await using caller = await dial(counted.one.port)
    caller.send(requestText('GET /r'))
    await hold.reached(1, 2_000)
    caller.reset()
    await logged(counted.one)

    expect(counted.told).toEqual([])
  })

  test('is told of a refusal where the caller left before the origin had anything to do', async () => {
    await using counted = await counting({ limits: { concurrency: 1, queue: 1 } })
    using hold = counted.one.origin.hold()
    await using first = await dial(counted.one.port)
    first.send(requestText('GET /r'))
    await hold.reached(1, 2_000)
    await using second = await dial(counted.one.port)
    second.send(requestText('GET /r'))
    await expect.poll(() => metricsOf(counted.one), { interval: 5 }).toContain('gateway_requests_waiting 1')
    second.reset()

    expect(await logged(counted.one)).toMatchObject({ status: 0, fault: 'ERR_CALLER_GONE' })
    expect(counted.told).toEqual([503])
    expect(counted.one.origin.all()).toHaveLength(1)
  })
})
