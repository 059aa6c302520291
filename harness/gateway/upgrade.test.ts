import { once } from 'node:events'
import net from 'node:net'
import type { AddressInfo } from 'node:net'
import { Duplex } from 'node:stream'
import { WebSocket } from 'undici'
import { describe, expect, test } from 'vitest'
import { dial } from '../capture/dial.testing.ts'
import {
  doing,
  exchangeOctets,
  GUARDED,
  metricsOf,
  policy,
  requestText,
  route,
  statusesIn,
  testGateway,
} from './gateway.testing.ts'
import type { TestGateway } from './gateway.testing.ts'
import { bluntOrigin, clientFrame, echoOrigin } from './origins.testing.ts'
import type { BluntOrigin } from './origins.testing.ts'
import { join } from './upgrade.ts'

const HANDSHAKE = [
  'Connection: keep-alive, Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

const bearer = (key: string): string => `Authorization: Bearer ${key}`

/** A gateway whose guarded `/ws` and public `/public` are at the origin. */
const before = (origin: BluntOrigin, given: Parameters<typeof testGateway>[0] = {}) =>
  testGateway({
    routes: () => [
      route(
        'GET',
        '/ws',
        origin.url,
        (given.policies ?? GUARDED).map(({ name }) => name),
      ),
      ...['GET', 'POST'].map((method) => route(method, '/public', origin.url, [])),
    ],
    ...given,
  })

const tunnelled = async (one: TestGateway) => /^gateway_tunnels (\d+)$/mu.exec(await metricsOf(one))?.[1]

describe('a WebSocket', () => {
  test('of an independent client is joined with the origin, which gets the token and never the key', async () => {
    await using origin = await echoOrigin(['Sec-WebSocket-Protocol: chat', 'X-Own: origin'])
    await using one = await before(origin)
    const headers = { authorization: `Bearer ${one.key}` }
    const socket = new WebSocket(`${one.gateway.url.replace('http', 'ws')}/ws?a=%41`, {
      protocols: ['chat', 'other'],
      headers,
    })
    const messages: unknown[] = []
    socket.addEventListener('message', ({ data }) => messages.push(data))
    await once(socket, 'open')
    for (const text of ['one', 'two', 'three']) socket.send(text)
    await expect.poll(() => messages, { interval: 5 }).toEqual(['one', 'two', 'three'])
    socket.close(1_000, 'enough')
    const [closed] = (await once(socket, 'close')) as [{ code: number; reason: string; wasClean: boolean }]
    const [head = ''] = (origin.received[0] ?? '').split('\r\n\r\n')

    expect(socket.protocol).toBe('chat')
    expect([closed.code, closed.reason, closed.wasClean]).toEqual([1_000, 'enough', true])
    expect(head).toMatch(/^GET \/ws\?a=%41 HTTP\/1\.1\r$/mu)
    expect(head).toMatch(/^authorization: Bearer eyJ/imu)
    expect(head).toMatch(/^sec-websocket-protocol: chat, other\r$/imu)
    expect(head.match(/^upgrade: websocket\r$/gimu)).toHaveLength(1)
    expect(head.match(/^connection: upgrade\r$/gimu)).toHaveLength(1)
    expect(origin.received.join('')).not.toContain(one.key)
    await expect.poll(origin.open, { interval: 5 }).toBe(0)
    await expect.poll(() => tunnelled(one), { interval: 5 }).toBe('0')
  })

  test('may send with its handshake; its answer has the lines of the gateway and none of the hop', async () => {
    await using origin = await echoOrigin(['X-Hop: planted', 'Connection: x-hop', 'zp-rid: planted', 'X-Own: origin'])
    const telling = doing((request) => {
      request.answerLines.push('RateLimit', '"test";r=9')
    })
    await using one = await before(origin, { policies: [...GUARDED, telling] })
    await using caller = await dial(one.port)
    caller.send(requestText('GET /ws', [bearer(one.key), ...HANDSHAKE]) + clientFrame('early').toString('latin1'))
    const text = await caller.until(/early/u)
    const [head = ''] = text.split('\r\n\r\n')

    expect(head).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r$/mu)
    expect(head).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
    expect(head).toContain('RateLimit: "test";r=9')
    expect(head).toContain('X-Own: origin')
    expect(head).toMatch(/^zp-rid: [\da-f-]{36}\r$/mu)
    expect(head.match(/^(?:connection|upgrade): upgrade\r?$/gimu)).toHaveLength(1)
    expect(head).not.toContain('planted')
  })

  test.each([
    ['no key', () => [], 401],
    ['an unknown key', () => ['Authorization: Bearer unknown'], 401],
    ['a key once the limit is used up', (key: string) => [bearer(key)], 429],
  ])('with %s is refused like any request, and its connection ends', async (_, credential, status) => {
    await using origin = await echoOrigin()
    const limit = policy('rate-limit-inbound', {
      rateLimitBy: 'user',
      requestsAllowed: 1,
      timeWindowMinutes: 1,
      headerMode: 'ratelimit',
    })
    const [key, token] = GUARDED
    await using one = await before(origin, { policies: key && token ? [key, limit, token] : [] })
    const ask = (lines: readonly string[]) =>
      exchangeOctets(one.port, requestText('GET /ws', [...lines, ...HANDSHAKE], 'frame'))
    if (status === 429)
      await exchangeOctets(one.port, requestText('GET /ws', [bearer(one.key), ...HANDSHAKE]), (text) =>
        text.includes('101'),
      )
    const text = await ask(credential(one.key))

    expect(statusesIn(text)).toEqual([status])
    expect(text).toMatch(/^connection: close\r$/imu)
    expect(text).toMatch(/^zp-rid: [\da-f-]{36}\r$/mu)
    if (status === 429) expect(text).toMatch(/^RateLimit: /mu)
    expect(origin.received).toHaveLength(status === 429 ? 1 : 0)
  })

  test.each([
    ['a length', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nX-Own: origin\r\n\r\nno', 'no'],
    [
      'chunks',
      'HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n',
      '2\r\nno\r\n0\r\n\r\n',
    ],
    ['nothing', 'HTTP/1.1 304 Not Modified\r\n\r\n', ''],
  ])('that the origin does not want gets its answer, with %s, and nothing goes through', async (_, answer, body) => {
    await using origin = await bluntOrigin((socket) => socket.write(answer))
    await using one = await before(origin)
    const octets = requestText('GET /ws', [bearer(one.key), ...HANDSHAKE]) + requestText('GET /public')
    const text = await exchangeOctets(one.port, octets)

    expect(statusesIn(text)).toEqual([Number(answer.slice(9, 12))])
    expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe(body)
    expect(text).toMatch(/^connection: close\r$/imu)
    expect(origin.received).toHaveLength(1)
    expect(origin.received[0]).not.toContain('GET /public')
  })

  test('that the origin refuses at length gets all of it', async () => {
    await using one = await testGateway()
    const body = 'x'.repeat(4 * 1024 * 1024)
    one.origin.answer({ status: 503, body, pieceOctets: 65_536 })
    const text = await exchangeOctets(one.port, requestText('GET /r', [bearer(one.key), ...HANDSHAKE]))

    expect(statusesIn(text)).toEqual([503])
    expect(text.endsWith(`\r\n\r\n${body}`)).toBe(true)
  })

  test.each([
    ['resets', 'reset-unanswered', 502],
    ['says nothing', 'never', 504],
  ] as const)('where the origin %s is %s', async (_, fault, status) => {
    await using one = await testGateway({ limits: { answerMs: 100 } })
    one.origin.answer({ fault })

    expect(statusesIn(await exchangeOctets(one.port, requestText('GET /r', [bearer(one.key), ...HANDSHAKE])))).toEqual([
      status,
    ])
  })

  test('where the origin refuses connections is 502', async () => {
    await using one = await testGateway()
    await using _ = await one.origin.down()

    expect(statusesIn(await exchangeOctets(one.port, requestText('GET /r', [bearer(one.key), ...HANDSHAKE])))).toEqual([
      502,
    ])
  })

  test('where the origin breaks off its answer breaks off', async () => {
    await using one = await testGateway()
    one.origin.answer({ status: 403, fault: 'close-mid-chunk', body: 'x' })
    const text = await exchangeOctets(one.port, requestText('GET /r', [bearer(one.key), ...HANDSHAKE]))

    expect(statusesIn(text)).toEqual([403])
    expect(text).not.toContain('0\r\n\r\n')
  })

  test('where the origin changes to something else is 502', async () => {
    await using origin = await bluntOrigin((socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'),
    )
    await using one = await before(origin)

    expect(statusesIn(await exchangeOctets(one.port, requestText('GET /ws', [bearer(one.key), ...HANDSHAKE])))).toEqual(
      [502],
    )
    await expect.poll(origin.open, { interval: 5 }).toBe(0)
  })

  test('whose caller goes away before the answer takes its request along', async () => {
    await using origin = await bluntOrigin(() => undefined)
    await using one = await before(origin)
    await using caller = await dial(one.port)
    caller.send(requestText('GET /ws', [bearer(one.key), ...HANDSHAKE]))
    await expect.poll(origin.open, { interval: 5 }).toBe(1)
    caller.reset()

    await expect.poll(origin.open, { interval: 5 }).toBe(0)
    expect(JSON.parse(one.log[0] ?? '')).toMatchObject({ status: 0, fault: 'ERR_CALLER_GONE' })
  })
})

describe('a tunnel', () => {
  const open = async (one: TestGateway) => {
    const caller = await dial(one.port)
    caller.send(requestText('GET /ws', [bearer(one.key), ...HANDSHAKE]))
    await caller.until(/\r\n\r\n/u)
    return caller
  }

  test.each(['caller', 'origin'] as const)('that the %s resets is gone on both sides', async (side) => {
    const sockets: net.Socket[] = []
    await using origin = await bluntOrigin((socket) => {
      sockets.push(socket)
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    })
    await using one = await before(origin)
    await using caller = await open(one)
    expect(await tunnelled(one)).toBe('1')
    if (side === 'caller') caller.reset()
    else sockets[0]?.resetAndDestroy()

    await expect.poll(origin.open, { interval: 5 }).toBe(0)
    if (side === 'origin') expect(['fin', 'reset']).toContain((await caller.closed).how)
    await expect.poll(() => tunnelled(one), { interval: 5 }).toBe('0')
  })

  test('whose caller has said all gets what the origin has still to say', async () => {
    await using origin = await bluntOrigin((socket) => {
      socket.allowHalfOpen = true
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
      socket.on('end', () => socket.end('the last word'))
    })
    await using one = await before(origin)
    await using caller = await open(one)
    caller.end()

    expect(await caller.closed).toMatchObject({ how: 'fin', received: expect.stringMatching(/the last word$/u) })
  })

  test('that the origin closes gets all that was under way to a caller that did not read yet', async () => {
    await using server = net.createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const caller = net.connect((server.address() as AddressInfo).port, '127.0.0.1')
    const [socket] = (await once(server, 'connection')) as [net.Socket]
    const said = Buffer.alloc(32 * 1024 * 1024, 'x')
    const origin = new Duplex({
      read() {
        this.push(said)
        this.push(null)
      },
      write: (_chunk, _encoding, done) => done(),
    })
    caller.pause()
    join({ socket, first: Buffer.alloc(0) }, origin, { lingerMs: 1, idleMs: 60_000 })
    origin.end()
    await once(origin, 'close')
    let octets = 0
    for await (const chunk of caller as AsyncIterable<Buffer>) octets += chunk.length

    expect(octets).toBe(said.length)
  })

  test('takes no place from requests once it is joined, and there are only so many', async () => {
    await using origin = await echoOrigin()
    await using one = await before(origin, { limits: { concurrency: 1, queue: 0, tunnels: 2 } })
    const ask = () =>
      exchangeOctets(one.port, requestText('GET /ws', [bearer(one.key), ...HANDSHAKE]), (text) =>
        text.includes('\r\n\r\n'),
      )
    await using first = await open(one)
    await using second = await open(one)
    const third = await ask()
    expect(statusesIn(third)).toEqual([503])
    expect(third).toMatch(/^retry-after: 1\r$/imu)
    first.reset()
    await expect.poll(() => tunnelled(one), { interval: 5 }).toBe('1')
    expect(statusesIn(await ask())).toEqual([101])
    second.send(clientFrame('still').toString('latin1'))
    await second.until(/still/u)
  })

  test('has its place before the origin agrees to it, and gives it back where it does not', async () => {
    const answers: ((octets: string) => void)[] = []
    await using origin = await bluntOrigin((socket) => answers.push((octets) => socket.write(octets)))
    await using one = await before(origin, { limits: { tunnels: 1 } })
    const ask = () =>
      exchangeOctets(one.port, requestText('GET /ws', [bearer(one.key), ...HANDSHAKE]), (text) =>
        text.includes('\r\n\r\n'),
      )
    const first = ask()
    await expect.poll(() => answers.length, { interval: 5 }).toBe(1)
    expect(statusesIn(await ask())).toEqual([503])
    answers[0]?.('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
    expect(statusesIn(await first)).toEqual([403])
    const second = ask()
    await expect.poll(() => answers.length, { interval: 5 }).toBe(2)
    answers[1]?.('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    expect(statusesIn(await second)).toEqual([101])
  })

  test('whose caller has said all, and whose origin says no more, ends in time', async () => {
    await using origin = await bluntOrigin((socket) => {
      socket.allowHalfOpen = true
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    })
    await using one = await before(origin, { limits: { idleMs: 100 } })
    await using caller = await open(one)
    caller.end()

    expect(['fin', 'reset']).toContain((await caller.closed).how)
    await expect.poll(() => tunnelled(one), { interval: 5 }).toBe('0')
  })

  test('takes a place until it is joined', async () => {
    await using origin = await bluntOrigin(() => undefined)
    await using one = await before(origin, { limits: { concurrency: 1, queue: 0 } })
    await using caller = await dial(one.port)
    caller.send(requestText('GET /ws', [bearer(one.key), ...HANDSHAKE]))
    await expect.poll(origin.open, { interval: 5 }).toBe(1)

    expect(statusesIn(await exchangeOctets(one.port, requestText('GET /public')))).toEqual([503])
  })

  test('does not keep a gateway from stopping', async () => {
    await using origin = await echoOrigin()
    await using one = await before(origin, { limits: { stopMs: 50 } })
    await using caller = await open(one)
    await one.gateway.stop()

    expect(['fin', 'reset']).toContain((await caller.closed).how)
    await expect.poll(origin.open, { interval: 5 }).toBe(0)
  })
})

describe('anything else that asks for an upgrade is an ordinary request', () => {
  test.each([
    [
      'h2c',
      'GET /public',
      ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'],
      '',
    ],
    ['two protocols', 'GET /public', ['Connection: Upgrade', 'Upgrade: websocket, h2c'], ''],
    ['WebSocket without Connection', 'GET /public', ['Connection: keep-alive', 'Upgrade: websocket'], ''],
    ['WebSocket by POST', 'POST /public', ['Connection: Upgrade', 'Upgrade: websocket', 'Content-Length: 3'], 'abc'],
    ['WebSocket with a body', 'GET /public', ['Connection: Upgrade', 'Upgrade: websocket', 'Content-Length: 3'], 'abc'],
  ])('%s: and the last of its connection', async (_, first, lines, body) => {
    await using origin = await bluntOrigin((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
    await using one = await before(origin)
    const text = await exchangeOctets(one.port, requestText(first, lines, body) + requestText('GET /public?next'))

    expect(statusesIn(text)).toEqual([first === 'GET /public' && body !== '' ? 400 : 200])
    expect(text).toMatch(/^connection: close\r$/imu)
    expect(origin.received.join('')).not.toMatch(/^(?:upgrade|http2-settings):/imu)
    expect(origin.received.join('')).not.toContain('next')
  })

  test('what comes behind it in two parts is not taken apart', async () => {
    await using one = await testGateway()
    using hold = one.origin.hold()
    await using caller = await dial(one.port)
    const behind = requestText('POST /public/outer', ['Content-Length: 60'])
    caller.send(requestText('GET /public/first', ['Connection: Upgrade', 'Upgrade: h2c']) + behind)
    await hold.reached(1, 2_000)
    caller.send(requestText('GET /public/inner'))
    hold.open()
    const { received } = await caller.closed

    expect(statusesIn(received)).toEqual([200])
    expect(one.origin.all().map(({ target }) => target)).toEqual(['/public/first'])
  })

  test('WebSocket behind a request that is still being answered', async () => {
    await using one = await testGateway()
    using hold = one.origin.hold()
    await using caller = await dial(one.port)
    const first = requestText('GET /public/first', ['Connection: keep-alive'])
    caller.send(first + requestText('GET /public/second', HANDSHAKE))
    await hold.reached(1, 2_000)
    hold.open()
    const { received } = await caller.closed

    expect(statusesIn(received)).toEqual([200, 200])
    expect(one.origin.all().map((arrival) => arrival.header('upgrade').length)).toEqual([0, 0])
  })

  test('WebSocket of a caller of version 1.0', async () => {
    await using one = await testGateway()
    const octets = requestText('GET /public/x', HANDSHAKE).replace('HTTP/1.1', 'HTTP/1.0')
    const text = await exchangeOctets(one.port, octets, (seen) => seen.includes(one.origin.marker))

    expect(statusesIn(text)).toEqual([200])
    expect(one.origin.all().map((arrival) => arrival.header('upgrade'))).toEqual([[]])
  })

  test('CONNECT is refused, and a caller that resets harms nobody', async () => {
    await using one = await testGateway()
    await using caller = await dial(one.port)
    caller.send('CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n')
    caller.reset()
    const text = await exchangeOctets(
      one.port,
      'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n\0tunnel',
    )

    expect(statusesIn(text)).toEqual([501])
  })
})
