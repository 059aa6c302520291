import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { request } from 'undici'
import { describe, expect, test } from 'vitest'
import { movableClock } from '../clock/clock.ts'
import { exchangeOctets, GUARDED, policy, requestText, route, statusIn, testGateway } from './gateway.testing.ts'
import { clientFrame, echoOrigin } from './origins.testing.ts'
import type { Inbound } from './policy.ts'

const bearer = (key: string): string => `Authorization: Bearer ${key}`

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

  test('frames travel both ways', async () => {
    await using echo = await echoOrigin()
    const names = GUARDED.map(({ name }) => name)
    await using one = await testGateway({ routes: () => [route('GET', '/r', echo.url, names)] })
    const octets = Buffer.concat([
      Buffer.from(requestText('GET /r', [bearer(one.key), ...handshake])),
      clientFrame('hello'),
    ])
    const text = await exchangeOctets(one.port, octets, (seen) => seen.includes('hello'))

    expect(statusIn(text)).toBe(101)
    expect(text.endsWith('\x81\x05hello')).toBe(true)
    expect(echo.received.join('')).not.toContain(one.key)
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
  const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-state-'))
  const first = await testGateway({ state: { folder } })
  const jwks = async (url: string) => await (await request(`${url}/__zuplo/issuer/.well-known/jwks.json`)).body.text()
  const before = await jwks(first.gateway.url)
  await first[Symbol.asyncDispose]()
  await using second = await testGateway({ state: { folder }, clock: movableClock() })

  expect(await jwks(second.gateway.url)).toBe(before)
  expect(statusIn(await exchangeOctets(second.port, requestText('GET /r', [bearer(first.key)])))).toBe(200)
  await rm(folder, { recursive: true })
})
