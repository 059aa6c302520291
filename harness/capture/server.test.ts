import { request as fetchUrl } from 'undici'
import { describe, expect, test } from 'vitest'
import { movableClock } from '../clock/clock.ts'
import type { Arrival } from '../model/capture.ts'
import { TrustspecError } from '../model/errors.ts'
import { KEPT_OCTETS } from './arrival.ts'
import { MOST_HEAD_OCTETS } from './connection.ts'
import { dial, request } from './dial.testing.ts'
import { startCapture } from './server.ts'

const NONCE = 'f00dfeed0123456789ab'
const text = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1')

describe('records', () => {
  test('a request octet for octet, before anything is made of it', async () => {
    await using capture = await startCapture({ name: 'orders', marker: 'here' })
    await using client = await dial(capture.port)
    const octets =
      'POST /a//b/../c%2f?x=1&x=2&&#f HTTP/1.1\r\nhOsT: origin.example.com\r\nX-Twice: one\r\nAuthorization:Bearer  A \t\r\n' +
      'x-twice:\t two\r\nX-Empty:\r\nX-Latin: caf\u00e9\r\nContent-Length: 5\r\n\r\n'
    client.send(`${octets}hello`)

    const answer = await client.until(/here$/u)

    expect(answer).toBe('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nhere')
    const [arrival] = capture.all() as [Arrival]
    expect(text(arrival.head)).toBe(octets)
    expect(arrival).toMatchObject({
      origin: 'orders',
      sequence: 1,
      connection: 1,
      turn: 1,
      method: 'POST',
      target: '/a//b/../c%2f?x=1&x=2&&#f',
      version: 'HTTP/1.1',
      headers: [
        ['hOsT', 'origin.example.com'],
        ['X-Twice', 'one'],
        ['Authorization', 'Bearer  A'],
        ['x-twice', 'two'],
        ['X-Empty', ''],
        ['X-Latin', 'caf\u00e9'],
        ['Content-Length', '5'],
      ],
      anomalies: [],
      trailers: [],
      state: 'whole',
      status: 200,
    })
    expect(arrival.lines).toEqual(octets.trimEnd().split('\r\n').slice(1))
    expect(arrival.header('X-TWICE')).toEqual(['one', 'two'])
    expect(arrival.body).toMatchObject({ framing: 'content-length', total: 5 })
    expect(text(arrival.body.octets)).toBe('hello')
    expect(text(arrival.body.raw)).toBe('hello')
  })

  test('chunks with their framing, and trailers apart from headers', async () => {
    await using capture = await startCapture()
    await using client = await dial(capture.port)
    const body = '5;name="a;b";c=d\r\nhello\r\n006 ; e\r\n world\r\n0\r\nAuthorization: Bearer T\r\nx-last:1\r\n\r\n'
    client.send(request('POST / HTTP/1.1', ['Transfer-Encoding: chunked', 'Authorization: Bearer H'], body))
    await client.until(/trustspec$/u)

    const [arrival] = capture.all() as [Arrival]
    expect(arrival).toMatchObject({ state: 'whole', anomalies: [] })
    expect(text(arrival.body.octets)).toBe('hello world')
    expect(text(arrival.body.raw)).toBe(body)
    expect(arrival.body).toMatchObject({ framing: 'chunked', total: 11 })
    expect(arrival.trailers).toEqual([
      ['Authorization', 'Bearer T'],
      ['x-last', '1'],
    ])
    expect(arrival.header('authorization')).toEqual(['Bearer H'])
  })

  test.each(['strict', 'prefer-content-length', 'prefer-transfer-encoding'] as const)(
    'every octet split as the network may split it: %s',
    async (framing) => {
      await using capture = await startCapture({ framing })
      await using client = await dial(capture.port)
      const octets = request('POST /split HTTP/1.1', ['Transfer-Encoding: chunked'], '3\r\nabc\r\n0\r\nx: y\r\n\r\n')
      for (const octet of octets) {
        client.send(octet)
        await new Promise(setImmediate)
      }
      await client.until(/trustspec$/u)

      expect(capture.all()).toMatchObject([{ target: '/split', state: 'whole', trailers: [['x', 'y']], anomalies: [] }])
    },
  )

  test('pipelined requests, keep-alive and connections by number', async () => {
    await using capture = await startCapture({ marker: 'm' })
    await using one = await dial(capture.port)
    one.send(
      request('GET /1 HTTP/1.1') +
        request('POST /2 HTTP/1.1', ['Content-Length: 2'], 'ab') +
        request('GET /3 HTTP/1.1'),
    )
    await one.until(/(?:HTTP[^]*){3}m$/u)
    await using two = await dial(capture.port)
    two.send(request('GET /4 HTTP/1.1'))
    await two.until(/m$/u)
    one.send(`\r\n${request('GET /5 HTTP/1.1')}`)
    await one.until(/(?:HTTP[^]*){4}m$/u)

    const seen = capture.all().map((arrival) => [arrival.target, arrival.connection, arrival.turn, arrival.sequence])
    expect(seen).toEqual([
      ['/1', 1, 1, 1],
      ['/2', 1, 2, 2],
      ['/3', 1, 3, 3],
      ['/4', 2, 1, 4],
      ['/5', 1, 4, 5],
    ])
    expect(capture.all().at(-1)?.anomalies).toEqual(['leading-empty-line'])
  })

  test('HTTP/1.0 ends with the connection, unless the client asks to keep it', async () => {
    await using capture = await startCapture({ marker: 'm' })
    await using client = await dial(capture.port)
    client.send('GET /old HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n')
    expect(await client.until(/m$/u)).toContain('Connection: keep-alive\r\n')
    client.send('GET /old HTTP/1.0\r\n\r\n')

    const { how, received } = await client.closed
    expect(how).toBe('fin')
    expect(received).toContain('Connection: close\r\n\r\nm')
    expect(capture.all()).toMatchObject([{ version: 'HTTP/1.0', anomalies: [] }, { version: 'HTTP/1.0' }])
  })

  test('Connection: close is honoured', async () => {
    await using capture = await startCapture({ marker: 'm' })
    await using client = await dial(capture.port)
    client.send(request('GET / HTTP/1.1', ['Connection: x, Close']) + request('GET /behind HTTP/1.1'))

    expect((await client.closed).received.match(/HTTP\/1\.1 200/gu)).toHaveLength(1)
  })

  test('what is cut because we close is told from what breaks off', async () => {
    await using capture = await startCapture()
    await using client = await dial(capture.port)
    using hold = capture.hold({ times: 1 }, { close: true })
    client.send(request('GET /1 HTTP/1.1') + request(`POST /${NONCE} HTTP/1.1`, ['Content-Length: 9'], 'half'))
    await capture.waitFor(NONCE, 5_000)
    hold.release()
    await client.closed
    expect(await capture.settled(5_000)).toBe(true)

    expect(capture.requestsOf(NONCE)).toMatchObject([{ state: 'cut', anomalies: [], status: 0 }])
  })

  test('HEAD is answered without a body, CONNECT is refused, TRACE gives nothing back', async () => {
    await using capture = await startCapture({ marker: 'm' })
    await using client = await dial(capture.port)
    client.send(request('HEAD / HTTP/1.1') + request(`TRACE /${NONCE} HTTP/1.1`, [`X-Nonce: ${NONCE}`]))
    client.send(request('CONNECT inner.example.com:443 HTTP/1.1'))

    const { received } = await client.closed
    const statuses = received.split(/(?=HTTP\/1\.1)/u)
    expect(statuses[0]).toBe('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\n')
    expect(statuses[1]).toBe(`${statuses[0]}m`)
    expect(statuses[2]).toContain('405 Method Not Allowed')
    expect(received).not.toContain(NONCE)
    expect(capture.all().map(({ method, target }) => `${method} ${target}`)).toEqual([
      'HEAD /',
      `TRACE /${NONCE}`,
      'CONNECT inner.example.com:443',
    ])
  })

  test('a client that has ended its half is answered', async () => {
    await using capture = await startCapture({ marker: 'm' })
    await using client = await dial(capture.port)
    client.send(request('POST / HTTP/1.1', ['Content-Length: 1'], 'x'))
    client.end()

    expect(await client.closed).toMatchObject({ how: 'fin', received: expect.stringMatching(/m$/u) as string })
  })

  test('a message that breaks off, and one whose head never came', async () => {
    await using capture = await startCapture()
    await using body = await dial(capture.port)
    body.send(request('POST /cut HTTP/1.1', ['Content-Length: 10'], 'half'))
    body.end()
    await body.closed
    await using head = await dial(capture.port)
    head.send('GET /prefix HTTP/1.1\r\nX: ')
    head.end()
    await head.closed

    expect(capture.all()).toMatchObject([{ target: '/cut', state: 'cut', anomalies: ['early-end'], status: 0 }])
    expect(text(capture.all()[0]?.body.octets ?? new Uint8Array())).toBe('half')
    expect(capture.unfinished().map(({ connection, octets }) => [connection, text(octets)])).toEqual([
      [2, 'GET /prefix HTTP/1.1\r\nX: '],
    ])
    expect(await capture.settled(0)).toBe(true)
  })

  test('what waits on an open connection for the rest of its head', async () => {
    await using capture = await startCapture({ marker: 'm' })
    await using client = await dial(capture.port)
    client.send(`${request('GET /1 HTTP/1.1')}GPOST`)
    await client.until(/m$/u)

    expect(capture.unfinished().map(({ octets }) => text(octets))).toEqual(['GPOST'])
    client.send(` /2 HTTP/1.1\r\nHost: a\r\n\r\n`)
    await client.until(/(?:HTTP[^]*){2}m$/u)
    client.send('\r\n\r\n')
    client.end()
    await client.closed
    // Empty lines are the beginning of nothing.
    expect(capture.unfinished()).toEqual([])
    expect(capture.all()[1]).toMatchObject({ method: 'GPOST' })
  })

  test('of a body no more than its limit, counting the rest', async () => {
    await using capture = await startCapture()
    const size = KEPT_OCTETS + 70_000
    const { statusCode } = await fetchUrl(`${capture.url}/big`, { method: 'POST', body: Buffer.alloc(size, 'x') })

    expect(statusCode).toBe(200)
    const [{ body }] = capture.all() as [Arrival]
    expect(body.total).toBe(size)
    expect(body.octets.length).toBe(KEPT_OCTETS)
  })

  test('of a head no more than its limit, and answers 431', async () => {
    await using capture = await startCapture()
    await using client = await dial(capture.port)
    client.send(request(`GET /${NONCE} HTTP/1.1`, [`X-Big: ${'x'.repeat(MOST_HEAD_OCTETS)}`]))

    expect((await client.closed).received).toMatch(/^HTTP\/1\.1 431 /u)
    expect(capture.requestsOf(NONCE)).toMatchObject([{ anomalies: ['head-too-large'], status: 431 }])
    expect(capture.all()[0]?.head.length).toBe(MOST_HEAD_OCTETS)
  })

  test('a key of a megabyte whole', async () => {
    await using capture = await startCapture({ marker: 'm' })
    await using client = await dial(capture.port)
    client.send(request('GET / HTTP/1.1', [`X-Key: ${'k'.repeat(1_000_000)}`]))
    await client.until(/m$/u)

    expect(capture.all()[0]?.header('x-key')[0]).toHaveLength(1_000_000)
  })

  test('other protocols than HTTP/1.1', async () => {
    await using capture = await startCapture()
    await using h2 = await dial(capture.port)
    h2.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    await h2.closed
    await using old = await dial(capture.port)
    old.send('GET /0.9\r\n\r\n')
    await old.closed

    expect(capture.all()).toMatchObject([
      { method: 'PRI', version: 'HTTP/2.0', anomalies: ['host-missing'], status: 400 },
      { method: 'GET', target: '/0.9', version: '', anomalies: ['request-line', 'host-missing'], status: 400 },
    ])
  })

  test('the time by its clock and by one that nothing moves', async () => {
    const clock = movableClock()
    await using capture = await startCapture({ clock })
    const before = performance.now()
    await (await fetchUrl(capture.url)).body.dump()
    clock.advance(3_600)
    await (await fetchUrl(capture.url)).body.dump()

    const [first, second] = capture.all() as [Arrival, Arrival]
    expect(second.atMs - first.atMs).toBeGreaterThanOrEqual(3_600_000)
    expect(first.monotonicMs).toBeGreaterThanOrEqual(before)
    expect(second.monotonicMs).toBeLessThanOrEqual(performance.now())
  })
})

describe('finds', () => {
  test('requests by nonce in target or header, and nonces anywhere', async () => {
    await using capture = await startCapture({ marker: 'm' })
    await using client = await dial(capture.port)
    client.send(request(`GET /p/${NONCE.toUpperCase()} HTTP/1.1`))
    client.send(request('GET / HTTP/1.1', [`X-Nonce: ${NONCE}`]))
    client.send(request('POST / HTTP/1.1', ['Content-Length: 20'], NONCE))
    client.send(request('POST / HTTP/1.1', ['Transfer-Encoding: chunked'], `0\r\nX: ${NONCE}\r\n\r\n`))
    client.send(request('GET /else HTTP/1.1', ['X-Nonce: f00dfeed0123456789ac']))
    await client.until(/(?:HTTP[^]*){5}m$/u)

    expect(capture.requestsOf(NONCE).map(({ sequence }) => sequence)).toEqual([1, 2])
    expect(capture.arrivalsOf(NONCE).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4])
    expect(capture.arrivalsOf(NONCE, 2).map(({ sequence }) => sequence)).toEqual([3, 4])
  })

  test('what came since a mark, and tells listeners until they are disposed', async () => {
    await using capture = await startCapture()
    const seen: string[] = []
    await (await fetchUrl(`${capture.url}/1`)).body.dump()
    const mark = capture.mark()
    {
      using _ = capture.onArrival(({ target }) => seen.push(target))
      await (await fetchUrl(`${capture.url}/2`)).body.dump()
    }
    await (await fetchUrl(`${capture.url}/3`)).body.dump()

    expect(seen).toEqual(['/2'])
    expect(capture.since(mark).map(({ target }) => target)).toEqual(['/2', '/3'])
  })

  test('waits for a request, at most until the deadline', async () => {
    await using capture = await startCapture()
    await using client = await dial(capture.port)
    const waiting = capture.waitFor(NONCE, 5_000)
    client.send(request(`POST /${NONCE} HTTP/1.1`, ['Content-Length: 1']))

    expect(await waiting).toMatchObject({ state: 'reading', target: `/${NONCE}` })
    expect(await capture.waitFor(NONCE, 0)).toBe(await waiting)
    expect(await capture.waitFor('0000000000', 0)).toBeUndefined()
    expect(await capture.settled(0)).toBe(false)
    const settled = capture.settled(5_000)
    client.send('x')
    expect(await settled).toBe(true)
    expect(await waiting).toMatchObject({ state: 'whole', status: 200 })
  })
})

test('a port that is taken is told by code', async () => {
  await using capture = await startCapture()

  const failure = await startCapture({ port: capture.port }).catch((error: unknown) => error)

  expect(failure).toBeInstanceOf(TrustspecError)
  expect(failure).toMatchObject({ code: 'ERR_PORT_IN_USE', fields: { port: capture.port } })
})

test('two capture origins record apart, each with its name', async () => {
  await using orders = await startCapture({ name: 'orders' })
  await using stock = await startCapture({ name: 'stock' })
  const body = await (await fetchUrl(`${stock.url}/s`)).body.text()

  expect(body).toBe(stock.marker)
  expect(stock.marker).not.toBe(orders.marker)
  expect(orders.all()).toEqual([])
  expect(stock.all()).toMatchObject([{ origin: 'stock', target: '/s' }])
})

test('ends with connections open, requests held and answers owed', async () => {
  const capture = await startCapture()
  await using idle = await dial(capture.port)
  await using client = await dial(capture.port)
  const hold = capture.hold()
  client.send(request('GET / HTTP/1.1'))
  expect(await hold.reached(1, 5_000)).toBe(true)

  await capture[Symbol.asyncDispose]()

  await Promise.all([idle.closed, client.closed])
  expect(hold.waiting()).toBe(0)
  expect(await capture.settled(0)).toBe(true)
})
