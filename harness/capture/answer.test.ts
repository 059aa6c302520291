import { request as fetchUrl } from 'undici'
import { describe, expect, test } from 'vitest'
import type { AnswerFault, Answering } from '../model/capture.ts'
import { dial, request } from './dial.testing.ts'
import { startCapture } from './server.ts'

const NONCE = 'f00dfeed0123456789ab'
const GET = request('GET / HTTP/1.1')
const POST = request('POST / HTTP/1.1', ['Content-Length: 5'], 'hello')

/** What a client receives whose request is answered like this, and how the connection ends. */
async function exchange(answering: Answering, octets: string) {
  await using capture = await startCapture({ marker: 'marker' })
  await using client = await dial(capture.port)
  using programme = capture.answer({ close: true, ...answering })
  client.send(octets)
  const closed = await client.closed
  return { ...closed, served: programme.served(), arrivals: capture.all() }
}

describe('answers', () => {
  test('with status, header lines as they are, and a body', async () => {
    const answering = {
      status: 404,
      headers: [
        ['x-A', '1'],
        ['X-a', '2'],
        ['Content-Type', 'a/b'],
      ],
      body: 'gone',
    } as const
    const { received, served } = await exchange(answering, GET)

    expect(received).toBe(
      'HTTP/1.1 404 Not Found\r\nx-A: 1\r\nX-a: 2\r\nContent-Type: a/b\r\nContent-Length: 4\r\nConnection: close\r\n\r\ngone',
    )
    expect(served).toBe(1)
  })

  test('with a redirect', async () => {
    const { received } = await exchange({ redirect: 'http://other.example.com/x', status: 307, body: '' }, GET)

    expect(received).toMatch(/^HTTP\/1\.1 307 .*\r\nLocation: http:\/\/other\.example\.com\/x\r\n/u)
    expect((await exchange({ redirect: '/x' }, GET)).received).toMatch(/^HTTP\/1\.1 302 /u)
  })

  test('204 and 304 without a body', async () => {
    expect((await exchange({ status: 204 }, GET)).received).not.toMatch(/Content-Length|marker/u)
    expect((await exchange({ status: 304 }, GET)).received).not.toMatch(/marker/u)
  })

  test('in chunks, with trailers', async () => {
    const { received } = await exchange({ pieceOctets: 4, everyMs: 1, trailers: [['X-Sum', 'a']] }, GET)

    expect(received).toBe(
      'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n' +
        '4\r\nmark\r\n2\r\ner\r\n0\r\nX-Sum: a\r\n\r\n',
    )
  })

  test('in pieces of a known length', async () => {
    const { received } = await exchange({ pieceOctets: 1, everyMs: 1 }, GET)

    expect(received).toMatch(/Content-Length: 6\r\n[^]*\r\n\r\nmarker$/u)
  })

  test('with server-sent events; to a client of HTTP/1.0 until the connection ends', async () => {
    const events = { events: ['one', 'two'], everyMs: 1 }

    expect((await exchange(events, GET)).received).toMatch(
      /Content-Type: text\/event-stream\r\nTransfer-Encoding: chunked\r\n[^]*b\r\ndata: one\n\n\r\nb\r\ndata: two\n\n\r\n0\r\n\r\n$/u,
    )
    const old = await exchange(events, 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
    expect(old.received).toMatch(/text\/event-stream\r\nConnection: close\r\n\r\ndata: one\n\ndata: two\n\n$/u)
    expect(old.how).toBe('fin')
  })

  test('103 before the answer', async () => {
    const { received } = await exchange({ hints: [['Link', '</a.css>; rel=preload']], delayMs: 1 }, GET)

    const old = await exchange({ hints: [['Link', '</a.css>; rel=preload']] }, 'GET / HTTP/1.0\r\n\r\n')
    expect(old.received).toMatch(/^HTTP\/1\.1 200 /u)
    expect(received).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 /u)
  })

  test('what undici understands', async () => {
    await using capture = await startCapture()
    using programme = capture.answer({ pieceOctets: 3, chunked: true, headers: [['X-A', 'b']] })
    const { statusCode, headers, body } = await fetchUrl(capture.url)

    expect(await body.text()).toBe(capture.marker)
    expect({ statusCode, headers }).toMatchObject({ statusCode: 200, headers: { 'x-a': 'b' } })
    expect(programme.served()).toBe(1)
  })
})

describe('100-continue', () => {
  const head = request('POST / HTTP/1.1', ['Expect: 100-continue', 'Content-Length: 5'])

  test('is sent to a client that waits for it, and not to one that does not', async () => {
    await using capture = await startCapture({ marker: 'm' })
    await using client = await dial(capture.port)
    client.send(head)
    await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/u)
    expect(capture.all()).toMatchObject([{ state: 'reading', status: 0 }])
    client.send('hello')
    await client.until(/200 OK[^]*m$/u)
    await using other = await dial(capture.port)
    other.send(`${head}hello`)
    expect(await other.until(/m$/u)).toMatch(/^HTTP\/1\.1 200 /u)
  })

  test('is refused without the body', async () => {
    const { received, served, arrivals } = await exchange({ expectation: 'refuse' }, head)

    expect(received).toMatch(/^HTTP\/1\.1 417 /u)
    expect(served).toBe(1)
    expect(arrivals).toMatchObject([{ state: 'cut', status: 417, body: { total: 0 } }])
  })

  test('is not sent by an origin that ignores it', async () => {
    await using capture = await startCapture({ marker: 'm' })
    using programme = capture.answer({ expectation: 'ignore' })
    await using client = await dial(capture.port)
    client.send(head)
    expect(await capture.waitFor('100-continue', 5_000)).toMatchObject({ state: 'reading' })
    client.send('hello')

    expect(await client.until(/m$/u)).toMatch(/^HTTP\/1\.1 200 /u)
    expect(programme.served()).toBe(1)
  })
})

describe('fails', () => {
  const FAULTS: readonly (readonly [AnswerFault, 'fin' | 'reset', RegExp])[] = [
    ['reset-unread', 'reset', /^$/u],
    ['reset-unanswered', 'reset', /^$/u],
    ['close-unanswered', 'fin', /^$/u],
    ['reset-after-head', 'reset', /^HTTP\/1\.1 200 [^]*Content-Length: 70\r\n[^]*\r\n\r\n$/u],
    ['reset-mid-body', 'reset', /^HTTP\/1\.1 200 [^]*Content-Length: 70\r\n[^]*\r\n\r\nmarker$/u],
    ['close-mid-body', 'fin', /^HTTP\/1\.1 200 [^]*Content-Length: 70\r\n[^]*\r\n\r\nmarker$/u],
    ['close-mid-chunk', 'fin', /^HTTP\/1\.1 200 [^]*Transfer-Encoding: chunked\r\n[^]*\r\n\r\n46\r\nmarker$/u],
  ]

  test.each(FAULTS)('%s', async (fault, how, received) => {
    const result = await exchange({ fault }, POST)

    expect(result.how).toBe(how)
    expect(result.received).toMatch(received)
    expect(result.served).toBe(1)
    expect(result.arrivals).toHaveLength(1)
  })

  test('before the body is read, or behind it', async () => {
    const head = request('POST / HTTP/1.1', ['Content-Length: 5'])

    expect((await exchange({ fault: 'reset-unread' }, head)).arrivals[0]).toMatchObject({ state: 'cut', status: 0 })
    expect((await exchange({ fault: 'reset-unanswered' }, POST)).arrivals[0]).toMatchObject({
      state: 'whole',
      status: 0,
    })
  })

  test('in the middle of a body only where there is one', async () => {
    const result = await exchange({ fault: 'close-mid-body' }, request('HEAD / HTTP/1.1'))

    expect(result.served).toBe(0)
    expect(result.received).toMatch(/Content-Length: 6\r\n[^]*\r\n\r\n$/u)
  })

  test('by never answering, until the client or the programme ends', async () => {
    await using capture = await startCapture()
    await using patient = await dial(capture.port)
    await using hasty = await dial(capture.port)
    const programme = capture.answer({ fault: 'never' })
    patient.send(request('GET /patient HTTP/1.1'))
    await capture.waitFor('patient', 5_000)
    hasty.send(request('GET /hasty HTTP/1.1', [`X-Nonce: ${NONCE}`]))
    await capture.waitFor(NONCE, 5_000)
    hasty.end()
    await hasty.closed
    expect(await capture.settled(0)).toBe(false)
    expect(programme.served()).toBe(2)

    programme[Symbol.dispose]()

    expect((await patient.closed).received).toBe('')
    expect(await capture.settled(5_000)).toBe(true)
  })

  test('counts nothing for a client that has gone', async () => {
    await using capture = await startCapture()
    await using client = await dial(capture.port)
    using programme = capture.answer({ delayMs: 60_000, fault: 'reset-unanswered' })
    client.send(GET)
    client.send(request('GET / HTTP/1.1', [`X-Nonce: ${NONCE}`]))
    await capture.waitFor(NONCE, 5_000)
    client.reset()

    expect(await capture.settled(5_000)).toBe(true)
    expect(programme.served()).toBe(0)
  })

  test('by refusing connections, and comes back on the same port', async () => {
    await using capture = await startCapture({ marker: 'm' })
    await using open = await dial(capture.port)
    {
      await using _ = await capture.down()
      await open.closed
      await expect(dial(capture.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    }
    await using client = await dial(capture.port)
    client.send(GET)

    expect(await client.until(/m$/u)).toMatch(/^HTTP\/1\.1 200 /u)
  })
})

describe('a programme', () => {
  test('is for a nonce, for the next requests, or for all; the newest goes first', async () => {
    await using capture = await startCapture()
    const status = async (path: string, headers: Record<string, string> = {}): Promise<number> => {
      const { statusCode, body } = await fetchUrl(`${capture.url}${path}`, { headers })
      await body.dump()
      return statusCode
    }
    const mine = capture.answer({ status: 201 }, { nonce: NONCE, times: 2 })
    const all = capture.answer({ status: 202 })
    const next = capture.answer({ status: 203 }, { times: 1 })

    expect(await status(`/${NONCE}`)).toBe(201)
    expect(await status('/', { 'x-nonce': NONCE })).toBe(201)
    expect(await status(`/${NONCE}`)).toBe(203)
    expect(await status(`/${NONCE}`)).toBe(202)
    all[Symbol.dispose]()
    all[Symbol.dispose]()
    expect(await status('/')).toBe(200)
    expect([mine.served(), next.served(), all.served()]).toEqual([2, 1, 1])
  })

  test('holds requests until they are released, oldest first', async () => {
    await using capture = await startCapture({ marker: 'm' })
    using hold = capture.hold({ nonce: NONCE }, { status: 202 })
    const clients = await Promise.all(Array.from({ length: 3 }, () => dial(capture.port)))
    const [first, second, third] = clients as [(typeof clients)[0], (typeof clients)[0], (typeof clients)[0]]
    for (const [at, client] of clients.entries()) {
      client.send(request(`GET /${NONCE} HTTP/1.1`))
      expect(await hold.reached(at + 1, 5_000)).toBe(true)
    }
    expect(await hold.reached(4, 0)).toBe(false)
    hold.release()
    expect(await first.until(/m$/u)).toMatch(/^HTTP\/1\.1 202 /u)
    expect([hold.waiting(), hold.most(), hold.served()]).toEqual([2, 3, 1])
    third.reset()
    await expect.poll(hold.waiting).toBe(1)
    hold.open()
    await second.until(/m$/u)
    first.send(request(`GET /${NONCE} HTTP/1.1`))
    await first.until(/(?:202[^]*){2}m$/u)

    expect([hold.waiting(), hold.most(), hold.served()]).toEqual([0, 3, 3])
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()))
  })

  test('that ends lets go what it holds', async () => {
    await using capture = await startCapture({ marker: 'm' })
    await using client = await dial(capture.port)
    {
      using hold = capture.hold()
      client.send(GET + GET)
      expect(await hold.reached(1, 5_000)).toBe(true)
    }
    await client.until(/(?:HTTP[^]*){2}m$/u)
    expect(await capture.settled(5_000)).toBe(true)
  })
})

describe('upgrades', () => {
  const headers = ['Connection: keep-alive, Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
  const handshake = request('GET /ws HTTP/1.1', [...headers, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='])

  test('to WebSocket when told to, and keeps what comes through', async () => {
    await using capture = await startCapture({ marker: 'm' })
    await using client = await dial(capture.port)
    using programme = capture.answer({ upgrade: 'websocket' })
    client.send(handshake)
    const answer = await client.until(/\r\n\r\n[^]{3}$/u)
    client.send('frame')
    client.end()
    await client.closed

    // The worked example of RFC 6455 section 1.3.
    expect(answer).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\u0081\u0001m',
    )
    expect(programme.served()).toBe(1)
    expect(capture.all()).toMatchObject([{ status: 101, state: 'whole', tunnelled: Buffer.from('frame') }])
    expect(capture.arrivalsOf('frame')).toHaveLength(1)
  })

  test('to nothing when not told to, or asked for something else', async () => {
    expect((await exchange({}, handshake)).received).toMatch(/^HTTP\/1\.1 200 /u)
    expect((await exchange({ upgrade: 'h2c' }, handshake)).received).toMatch(/^HTTP\/1\.1 200 /u)
    const h2c = request('GET / HTTP/1.1', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: A'])
    await using capture = await startCapture()
    await using client = await dial(capture.port)
    using _ = capture.answer({ upgrade: 'h2c' })
    client.send(h2c)
    expect(await client.until(/\r\n\r\n$/u)).toMatch(/^HTTP\/1\.1 101 [^]*Upgrade: h2c\r\n/u)
  })
})
