import net from 'node:net'
import { once } from 'node:events'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { request } from 'undici'
import { describe, expect, test } from 'vitest'
import { movableClock } from '../clock/clock.ts'
import { exchangeOctets, GUARDED, policy, requestText, route, statusIn, testGateway } from './gateway.testing.ts'
import type { Inbound } from './policy.ts'

const bearer = (key: string): string => `Authorization: Bearer ${key}`

describe('what the origin gets', () => {
  test('exactly one token that an independent library verifies, and never the key', async () => {
    await using one = await testGateway()
    const lines = [bearer(one.key), `X-Copy: ${one.key}`, `Cookie: a=1; k=${one.key}`]
    await exchangeOctets(one.port, requestText(`GET /r?k=${one.key}&a=%41&a=2`, lines))
    const [arrival] = one.origin.all()
    const [value = ''] = arrival?.header('authorization') ?? []
    const keys = createRemoteJWKSet(new URL(`${one.gateway.url}/__zuplo/issuer/.well-known/jwks.json`))
    const verified = await jwtVerify(value.replace('Bearer ', ''), keys, {
      issuer: `${one.gateway.url}/__zuplo/issuer`,
      audience: 'https://orders.example.com',
      subject: 'acme',
    })

    expect(arrival?.header('authorization')).toHaveLength(1)
    expect(verified.protectedHeader.alg).toBe('EdDSA')
    expect(arrival?.target).toBe('/r?a=%41&a=2')
    expect(Buffer.from(arrival?.head ?? []).toString('latin1')).not.toContain(one.key)
  })

  test('ordinary lines in their order, case and number, and a body octet for octet', async () => {
    await using one = await testGateway()
    const ordinary = [
      'accept: */*',
      'X-One: 1',
      'x-two: 2',
      'X-One: 1 again',
      'If-None-Match: "a", "b"',
      'Content-Type: application/octet-stream',
      'Cookie: a=1; b=2',
    ]
    const body = Array.from({ length: 5_000 }, (_, at) => String.fromCharCode(at % 256)).join('')
    const lines = [bearer(one.key), ...ordinary, `Content-Length: ${body.length}`]
    await exchangeOctets(one.port, requestText('POST /r/%C3%A4?x=1&x=2&y', lines, body))
    const [arrival] = one.origin.all()

    expect(arrival?.target).toBe('/r/%C3%A4?x=1&x=2&y')
    expect(arrival?.lines.filter((line) => ordinary.includes(line))).toEqual(ordinary)
    expect(Buffer.from(arrival?.body.octets ?? []).toString('latin1')).toBe(body)
    expect(arrival?.body.framing).toBe('content-length')
  })

  test('nothing that a caller says of its connection, its place, its identity or under an alias', async () => {
    await using one = await testGateway()
    const planted = [
      'X-Hop: planted',
      'X-Other-Hop: planted',
      'Keep-Alive: planted',
      'TE: planted',
      'Proxy-Authorization: planted',
      'Proxy-Connection: planted',
      'X-Forwarded-For: 192.0.2.66',
      'X-Forwarded-Host: planted.example.com',
      'Forwarded: for=192.0.2.66',
      'X-Real-IP: 192.0.2.66',
      'X-Original-URL: /planted',
      'X-HTTP-Method-Override: PLANTED',
      'X-Consumer-ID: planted',
      'X-User: planted',
      'x_consumer_id: planted',
      'X.Consumer.ID: planted',
      'zp-rid: planted',
    ]
    const connection = ['Connection: close, X-Hop', 'Connection: x-other-hop, Authorization']
    await exchangeOctets(one.port, requestText('GET /r', [bearer(one.key), ...planted, ...connection, 'X-Kept: stays']))
    const [arrival] = one.origin.all()
    const head = Buffer.from(arrival?.head ?? []).toString('latin1')

    expect(head).not.toMatch(/planted|192\.0\.2\.66/iu)
    expect(head).toContain('X-Kept: stays')
    expect(arrival?.header('authorization')).toHaveLength(1)
    expect(arrival?.header('x-forwarded-for')).toEqual(['127.0.0.1'])
  })

  test('the address that a trusted proxy wrote down, and no other', async () => {
    await using one = await testGateway({ trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] })
    const lines = [bearer(one.key), 'X-Forwarded-For: 192.0.2.66, 198.51.100.7', 'X-Forwarded-For: 10.1.1.1']
    await exchangeOctets(one.port, requestText('GET /r', lines))

    expect(one.origin.all()[0]?.header('true-client-ip')).toEqual(['198.51.100.7'])
  })

  test('on a public route no header that policies set', async () => {
    await using one = await testGateway()
    await exchangeOctets(one.port, requestText('GET /public/x', ['Authorization: Bearer planted']))

    expect(one.origin.all()[0]?.header('authorization')).toEqual([])
  })

  test('trailers go no further, in either direction', async () => {
    await using one = await testGateway()
    one.origin.answer({ chunked: true, trailers: [['X-Consumer-ID', 'planted']] })
    const lines = [bearer(one.key), 'Transfer-Encoding: chunked', 'Trailer: X-Consumer-ID']
    const text = await exchangeOctets(
      one.port,
      requestText('POST /r', lines, '3\r\nabc\r\n0\r\nX-Consumer-ID: planted\r\n\r\n'),
    )
    const [arrival] = one.origin.all()

    expect(Buffer.from(arrival?.body.octets ?? []).toString()).toBe('abc')
    expect([arrival?.trailers, arrival?.header('x-consumer-id')]).toEqual([[], []])
    expect(text).not.toContain('planted')
  })
})

describe('streaming', () => {
  test('an event reaches the caller while the origin goes on', async () => {
    await using one = await testGateway()
    one.origin.answer({ events: ['first', 'second'], everyMs: 600_000 })
    const text = await exchangeOctets(one.port, requestText('GET /r', [bearer(one.key)]), (seen) =>
      seen.includes('first'),
    )

    expect(text).toContain('data: first')
    expect(text).not.toContain('second')
  })

  test('a part of an upload reaches the origin while the caller goes on', async () => {
    await using one = await testGateway()
    const socket = net.connect(one.port, '127.0.0.1')
    const head = requestText('POST /r?upload', [bearer(one.key), 'Content-Length: 10'])
    socket.write(`${head}01234`)
    await expect.poll(() => one.origin.arrivalsOf('upload')[0]?.body.total, { interval: 5 }).toBe(5)
    socket.write('56789')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()

    expect(statusIn(answer.toString())).toBe(200)
    expect(one.origin.all()).toHaveLength(1)
  })

  test('100 Continue comes once the policies let the request through, and not before', async () => {
    await using one = await testGateway()
    const lines = ['Content-Length: 3', 'Expect: 100-continue', 'Connection: close']
    const refused = await exchangeOctets(one.port, requestText('POST /r', lines))
    const socket = net.connect(one.port, '127.0.0.1')
    socket.write(requestText('POST /r', [bearer(one.key), ...lines]))
    const [interim] = (await once(socket, 'data')) as [Buffer]
    socket.write('abc')
    const [final] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()

    expect(statusIn(refused)).toBe(401)
    expect(interim.toString()).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    expect(statusIn(final.toString())).toBe(200)
    expect(Buffer.from(one.origin.all()[0]?.body.octets ?? []).toString()).toBe('abc')
  })

  test('a body beyond the limit is cut off, and the origin never has the whole of it', async () => {
    await using one = await testGateway({ limits: { bodyOctets: 1_000 } })
    const known = requestText('POST /r?known', [bearer(one.key), 'Content-Length: 1001'])
    const chunk = `3e8\r\n${'x'.repeat(1_000)}\r\n`
    const unknown = requestText('POST /r?unknown', [bearer(one.key), 'Transfer-Encoding: chunked'], chunk + chunk)

    expect(statusIn(await exchangeOctets(one.port, known))).toBe(413)
    expect(statusIn(await exchangeOctets(one.port, unknown))).toBe(413)
    await one.origin.settled(1_000)
    expect(one.origin.all().filter(({ state }) => state === 'whole')).toEqual([])
  })

  test('a caller that goes away takes the request at the origin along', async () => {
    await using one = await testGateway()
    using hold = one.origin.hold()
    const socket = net.connect(one.port, '127.0.0.1')
    socket.write(requestText('GET /r', [bearer(one.key)]))
    await hold.reached(1, 2_000)
    socket.destroy()

    await expect.poll(() => one.log.some((line) => line.includes('ERR_CALLER_GONE')), { interval: 5 }).toBe(true)
  })
})

describe('answers', () => {
  test.each([
    ['HEAD', 'HEAD', {}, 200],
    ['204', 'GET', { status: 204, body: '' }, 204],
    ['304', 'GET', { status: 304, body: '' }, 304],
    ['a redirect, which is not followed', 'GET', { redirect: 'http://127.0.0.1:9/elsewhere' }, 302],
    ['401 of the origin', 'GET', { status: 401 }, 401],
    ['early hints, which are dropped', 'GET', { hints: [['Link', '</a>; rel=preload']] as const }, 200],
  ])('%s', async (_, method, answering, status) => {
    await using one = await testGateway()
    one.origin.answer(answering)
    const text = await exchangeOctets(one.port, requestText(`${method} /r`, [bearer(one.key)]))

    expect(statusIn(text)).toBe(status)
    expect(text).toMatch(/\r\nzp-rid: [\da-f-]{36}\r\n/u)
    expect(text).not.toContain('HTTP/1.1 103')
  })

  test('lines of the hop stay on the hop, others come in their order and number', async () => {
    await using one = await testGateway()
    const headers = [
      ['X-Hop', 'planted'],
      ['Connection', 'X-Hop'],
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
      ['Access-Control-Allow-Origin', 'planted'],
    ] as const
    one.origin.answer({ headers })
    const text = await exchangeOctets(one.port, requestText('GET /r', [bearer(one.key)]))

    expect(text).not.toContain('planted')
    expect(text).toContain('Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n')
  })

  test.each([
    ['reset-unanswered', 502],
    ['close-unanswered', 502],
    ['never', 504],
  ] as const)('%s is %i, and a POST is never sent twice', async (fault, status) => {
    await using one = await testGateway({ limits: { answerMs: 300 } })
    one.origin.answer({ fault })
    const lines = [bearer(one.key), 'Content-Length: 3']

    expect(statusIn(await exchangeOctets(one.port, requestText('POST /r', lines, 'abc')))).toBe(status)
    expect(one.origin.all()).toHaveLength(1)
  })

  test('a GET is sent once more when its connection broke', async () => {
    await using one = await testGateway()
    one.origin.answer({ fault: 'reset-unanswered' }, { times: 1 })

    expect(statusIn(await exchangeOctets(one.port, requestText('GET /r', [bearer(one.key)])))).toBe(200)
    expect(one.origin.all()).toHaveLength(2)
  })

  test.each(['reset-mid-body', 'close-mid-body', 'close-mid-chunk'] as const)(
    '%s: the caller sees that something is missing',
    async (fault) => {
      await using one = await testGateway()
      one.origin.answer({ fault, body: 'x'.repeat(2_000), ...(fault === 'close-mid-chunk' ? { chunked: true } : {}) })
      const answer = await request(`${one.gateway.url}/r`, { headers: { authorization: `Bearer ${one.key}` } })

      expect(answer.statusCode).toBe(200)
      await expect(answer.body.text()).rejects.toThrow()
    },
  )

  test('an origin that refuses connections is 502', async () => {
    await using one = await testGateway({
      routes: () => [
        route(
          'GET',
          '/r',
          'http://127.0.0.1:9',
          GUARDED.map(({ name }) => name),
        ),
      ],
    })
    const text = await exchangeOctets(one.port, requestText('GET /r', [bearer(one.key)]))

    expect(statusIn(text)).toBe(502)
    expect(text).toContain('application/problem+json')
  })
})

test('refusals are problems that tell the request', async () => {
  await using one = await testGateway()
  const text = await exchangeOctets(one.port, requestText('GET /r?secret=1'))
  const body = JSON.parse(text.split('\r\n\r\n')[1] ?? '') as Record<string, unknown>
  const rid = /zp-rid: (\S+)/u.exec(text)?.[1]

  expect(body).toMatchObject({ status: 401, title: 'Unauthorized', instance: '/r', trace: { requestId: rid } })
  expect(statusIn(await exchangeOctets(one.port, requestText('DELETE /r')))).toBe(404)
  expect(statusIn(await exchangeOctets(one.port, requestText('GET /__zuplo/ping')))).toBe(200)
  expect(statusIn(await exchangeOctets(one.port, requestText('GET /__zuplo/other')))).toBe(404)
})

test('a policy that throws is 500, is told, and nothing is forwarded', async () => {
  const [first, ...rest] = GUARDED
  const thrower: Inbound = () => {
    throw new Error('broken')
  }
  const broken = {
    ...policy('remove-headers-inbound', { headers: [] }),
    kind: { ...policy('remove-headers-inbound').kind, create: () => thrower },
  }
  await using one = await testGateway({ policies: first ? [first, broken, ...rest] : [] })

  expect(statusIn(await exchangeOctets(one.port, requestText('GET /r', [bearer(one.key)])))).toBe(500)
  expect(one.origin.all()).toEqual([])
  await expect.poll(() => one.events.some((line) => line.includes('request-failed'))).toBe(true)
})

test('the access log and the events hold neither key nor token', async () => {
  await using one = await testGateway()
  await exchangeOctets(one.port, requestText(`GET /r?k=${one.key}`, [bearer(one.key)]))
  await exchangeOctets(one.port, requestText(`GET /r/${one.key}`, [bearer(one.key)]))
  await expect.poll(() => one.log.length).toBe(2)
  const tokens = one.origin.all().map((arrival) => arrival.header('authorization')[0]?.split('.')[2] ?? '')

  for (const secret of [one.key, ...tokens]) expect(one.log.join('\n')).not.toContain(secret)
  expect(JSON.parse(one.log[0] ?? '')).toMatchObject({ status: 200, consumer: 'acme', by: 'origin', route: 'GET /r' })
})

describe('overload', () => {
  test('so many are at the origin at once, so many wait, the rest is told to come back', async () => {
    await using one = await testGateway({ limits: { concurrency: 2, queue: 1, queueMs: 60_000 } })
    using hold = one.origin.hold()
    const send = () => exchangeOctets(one.port, requestText('GET /r', [bearer(one.key)]))
    const first = [send(), send()]
    await hold.reached(2, 2_000)
    const waiting = send()
    await expect.poll(async () => statusIn(await send()), { interval: 5 }).toBe(503)
    expect(await send()).toContain('Retry-After: 1')
    hold.open()

    expect((await Promise.all([...first, waiting])).map(statusIn)).toEqual([200, 200, 200])
    expect(statusIn(await send())).toBe(200)
    expect(hold.most()).toBe(2)
  })

  test('who waits too long is told so', async () => {
    await using one = await testGateway({ limits: { concurrency: 1, queue: 5, queueMs: 50 } })
    using hold = one.origin.hold()
    const first = exchangeOctets(one.port, requestText('GET /r', [bearer(one.key)]))
    await hold.reached(1, 2_000)

    expect(statusIn(await exchangeOctets(one.port, requestText('GET /r', [bearer(one.key)])))).toBe(503)
    hold.open()
    expect(statusIn(await first)).toBe(200)
  })

  test('a gateway that is told to stop answers what is open', async () => {
    await using one = await testGateway()
    using hold = one.origin.hold()
    const first = exchangeOctets(one.port, requestText('GET /r', [bearer(one.key)]))
    await hold.reached(1, 2_000)
    const stopped = one.gateway.stop()
    await expect(exchangeOctets(one.port, requestText('GET /r'))).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    hold.open()

    expect(statusIn(await first)).toBe(200)
    await stopped
  })
})

describe('upgrades', () => {
  const handshake = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ]

  test('a handshake without a key is refused like any request', async () => {
    await using one = await testGateway()
    one.origin.answer({ upgrade: 'websocket' })
    const text = await exchangeOctets(one.port, requestText('GET /r', handshake))

    expect(statusIn(text)).toBe(401)
    expect(one.origin.all()).toEqual([])
  })

  test('with a key the connections are joined, and the token is there', async () => {
    await using one = await testGateway()
    one.origin.answer({ upgrade: 'websocket' })
    const octets = `${requestText('GET /r', [bearer(one.key), ...handshake])}frame`
    const text = await exchangeOctets(one.port, octets, (seen) => seen.includes('\r\n\r\n'))
    const [arrival] = one.origin.all()

    expect(statusIn(text)).toBe(101)
    expect(arrival?.header('authorization')[0]).toMatch(/^Bearer eyJ/u)
    await expect.poll(() => Buffer.from(arrival?.tunnelled ?? []).toString()).toBe('frame')
  })

  test('an origin that does not join answers as it likes', async () => {
    await using one = await testGateway()
    one.origin.answer({ status: 403 })

    expect(statusIn(await exchangeOctets(one.port, requestText('GET /r', [bearer(one.key), ...handshake])))).toBe(403)
  })

  test('any other upgrade is ignored', async () => {
    await using one = await testGateway()
    const lines = [
      bearer(one.key),
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAAQAAP__',
    ]
    const text = await exchangeOctets(one.port, requestText('GET /r', lines), (seen) => seen.includes('\r\n\r\n'))

    expect(statusIn(text)).toBe(200)
    expect(one.origin.all()[0]?.header('upgrade')).toEqual([])
  })
})

test('keys and signing keys are there again after a restart', async () => {
  const { mkdtemp, rm } = await import('node:fs/promises')
  const folder = await mkdtemp('/tmp/trustspec-state-')
  const first = await testGateway({ state: { folder } })
  const jwks = async (url: string) => await (await request(`${url}/__zuplo/issuer/.well-known/jwks.json`)).body.text()
  const before = await jwks(first.gateway.url)
  await first[Symbol.asyncDispose]()
  await using second = await testGateway({ state: { folder }, clock: movableClock() })

  expect(await jwks(second.gateway.url)).toBe(before)
  expect(statusIn(await exchangeOctets(second.port, requestText('GET /r', [bearer(first.key)])))).toBe(200)
  await rm(folder, { recursive: true })
})
