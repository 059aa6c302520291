import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { request } from 'undici'
import { describe, expect, test } from 'vitest'
import { dial } from '../capture/dial.testing.ts'
import { startCapture } from '../capture/server.ts'
import {
  doing,
  exchangeOctets,
  GUARDED,
  matching,
  metricsOf,
  requestText,
  route,
  statusesIn,
  statusIn,
  testGateway,
} from './gateway.testing.ts'
import type { TestGateway } from './gateway.testing.ts'
import { DEFAULT_LIMITS, listen, referenceSteps } from './server.ts'

const bearer = (key: string): string => `Authorization: Bearer ${key}`

const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/u

const jsonIn = (text: string): unknown => JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4))

const logOf = async (one: TestGateway, lines: number): Promise<readonly Record<string, unknown>[]> => {
  await expect.poll(() => one.log.length, { interval: 5 }).toBe(lines)
  return one.log.map((line) => JSON.parse(line) as Record<string, unknown>)
}

describe('refusals', () => {
  test('are problems that tell the request, by an id that the origin would have seen', async () => {
    await using one = await testGateway()
    const text = await exchangeOctets(one.port, requestText('GET /r?secret=1'))
    const [log] = await logOf(one, 1)
    const id = /^zp-rid: (\S+)\r$/mu.exec(text)?.[1]

    expect(jsonIn(text)).toEqual({
      type: 'https://httpproblems.com/http-status/401',
      title: 'Unauthorized',
      status: 401,
      detail: expect.any(String),
      instance: '/r',
      trace: { timestamp: expect.stringMatching(ISO_TIME), requestId: id },
    })
    expect(text).toMatch(/^cache-control: no-store\r$/imu)
    expect(text).toMatch(/^www-authenticate: Bearer/imu)
    expect(log).toMatchObject({ requestId: id, status: 401, by: 'gateway', path: '/r', route: 'GET /r' })
  })

  test.each([
    ['GET /nowhere', 404],
    ['DELETE /r', 404],
    ['GET /__zuplo/other', 404],
    ['POST /__zuplo/ping', 405],
    ['DELETE /__zuplo/issuer/.well-known/jwks.json', 405],
  ])('%s is %i', async (first, status) => {
    await using one = await testGateway({ routes: (origin) => [matching(route('GET', '/r*', origin, []))] })
    const text = await exchangeOctets(one.port, requestText(first))

    expect(statusesIn(text)).toEqual([status])
    expect(jsonIn(text)).toMatchObject({ status })
    expect(/^allow: /imu.test(text)).toBe(status === 405)
    expect(one.origin.all()).toEqual([])
  })

  test('to HEAD have the length of a body and none', async () => {
    await using one = await testGateway()
    const text = await exchangeOctets(
      one.port,
      requestText('HEAD /r', ['Connection: keep-alive']) + requestText('HEAD /r'),
    )

    expect(statusesIn(text)).toEqual([401, 401])
    expect(text).toMatch(/^content-length: [1-9]\d+\r$/imu)
    expect(text).not.toContain('{')
  })

  test('that a policy gives itself go out as they are', async () => {
    const teapot = doing(() => ({
      status: 299,
      headers: [
        ['X-Own', 'a'],
        ['X-Own', 'b'],
      ],
      body: 'café',
    }))
    await using one = await testGateway({ policies: [teapot] })
    const text = await exchangeOctets(one.port, requestText('GET /r'))

    expect(text).toMatch(/^HTTP\/1\.1 299 /u)
    expect(text).toContain('X-Own: a\r\nX-Own: b\r\n')
    expect(text).toContain('Content-Length: 5\r\n')
    expect(Buffer.from(text, 'latin1').toString()).toContain('café')
  })
})

describe('what the gateway answers itself', () => {
  test.each(['GET', 'HEAD'])('%s /__zuplo/ping', async (method) => {
    await using one = await testGateway()
    const text = await exchangeOctets(one.port, requestText(`${method} /__zuplo/ping`))

    expect(statusesIn(text)).toEqual([200])
    expect(text.endsWith('pong')).toBe(method === 'GET')
  })

  test.each([
    ['with a length', 'Content-Length: 5000000', 'x'],
    ['in chunks', 'Transfer-Encoding: chunked', `500000\r\n${'x'.repeat(0x500000)}\r\n0\r\n\r\n`],
  ])('an alert too large, %s, is told so', async (_, framing, body) => {
    const alerts = { path: '/alerts', keyListUrl: 'http://127.0.0.1:9/keys', type: 'test_key' }
    await using one = await testGateway({ alerts })
    await using caller = await dial(one.port)
    caller.send(requestText('POST /alerts', [framing], framing.endsWith('chunked') ? body : 'x'.repeat(4_500_000)))
    const { received } = await caller.closed

    expect(statusesIn(received)).toEqual([413])
  })

  test('an alert that breaks off harms nobody', async () => {
    const alerts = { path: '/alerts', keyListUrl: 'http://127.0.0.1:9/keys', type: 'test_key' }
    await using one = await testGateway({ alerts })
    await using caller = await dial(one.port)
    caller.send(requestText('POST /alerts', ['Content-Length: 10', 'Expect: 100-continue']))
    expect(await caller.until(/\r\n\r\n/u)).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    caller.send('abc')
    caller.reset()

    expect(await logOf(one, 1)).toMatchObject([{ path: '/alerts', status: 400 }])
    expect(one.events).toEqual([])
    expect(statusIn(await exchangeOctets(one.port, requestText('GET /alerts')))).toBe(405)
  })

  test('503 until it can answer, and a port that is taken', async () => {
    const { promise: prepared, resolve } = Promise.withResolvers<undefined>()
    let url = ''
    const listening = listen({
      limits: DEFAULT_LIMITS,
      steps: referenceSteps,
      host: '127.0.0.1',
      port: 0,
      prepare: async (at) => {
        url = at
        await prepared
        throw new Error('It cannot')
      },
    })
    const failed = expect(listening).rejects.toThrow('It cannot')
    await expect.poll(() => url).not.toBe('')
    const text = await exchangeOctets(Number(new URL(url).port), requestText('GET /__zuplo/ping'))
    const taken = testGateway({ port: Number(new URL(url).port) })
    await expect(taken).rejects.toMatchObject({ code: 'ERR_PORT_IN_USE' })
    resolve(undefined)
    await failed

    expect(statusesIn(text)).toEqual([503])
    expect(text).toMatch(/^retry-after: 1\r$/imu)
    expect(jsonIn(text)).toMatchObject({ status: 503 })
  })
})

describe('the access log', () => {
  test('has one line for each request, whoever answered, and no secret', async () => {
    await using one = await testGateway()
    await exchangeOctets(one.port, requestText(`GET /r?k=${one.key}`, [bearer(one.key), 'Cookie: secret-cookie']))
    await exchangeOctets(one.port, requestText(`GET /r/${one.key}`, [bearer(one.key)]))
    await exchangeOctets(one.port, requestText('GET /r', ['Authorization: Bearer secret-credential']))
    await exchangeOctets(one.port, requestText(`GET /nowhere/${'x'.repeat(1_000)}/eyJhbGciOiJFZERTQSJ9.e30.c2ln`))
    await exchangeOctets(one.port, requestText('POST /r', [bearer(one.key), 'Expect: magic', 'Content-Length: 0']))
    await exchangeOctets(one.port, requestText('GET /r%00'))
    await exchangeOctets(one.port, requestText('GET /__zuplo/ping'))
    const lines = await logOf(one, 7)
    const tokens = one.origin.all().map((arrival) => arrival.header('authorization')[0]?.split('.')[2] ?? '')

    expect(tokens).toHaveLength(2)
    for (const secret of [one.key, ...tokens, 'secret-', 'k=', 'eyJ']) expect(one.log.join('\n')).not.toContain(secret)
    expect(lines.map(({ status, by }) => [status, by])).toEqual([
      [200, 'origin'],
      [200, 'origin'],
      [401, 'gateway'],
      [404, 'gateway'],
      [417, 'gateway'],
      [400, 'gateway'],
      [200, 'gateway'],
    ])
    expect(lines[0]).toEqual({
      time: expect.stringMatching(ISO_TIME),
      requestId: one.origin.all()[0]?.header('zp-rid')[0],
      method: 'GET',
      path: '/r',
      route: 'GET /r',
      status: 200,
      ms: expect.any(Number),
      by: 'origin',
      consumer: 'acme',
      client: '127.0.0.1',
    })
    expect(lines[3]?.['path']).toHaveLength(256)
    expect(lines.every(({ ms }) => Number(ms) >= 0)).toBe(true)
  })
})

test('the metrics count requests by route, status and who answered, in the text format of Prometheus', async () => {
  await using one = await testGateway()
  for (const first of ['GET /r', 'GET /r', 'GET /nowhere']) await exchangeOctets(one.port, requestText(first))
  await exchangeOctets(one.port, requestText('GET /r', [bearer(one.key)]))
  one.origin.answer({ fault: 'reset-unanswered' })
  await exchangeOctets(one.port, requestText('POST /r', [bearer(one.key), 'Content-Length: 0']))
  await logOf(one, 5)
  const text = await metricsOf(one)
  const count = (labels: string) =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`gateway_request_duration_seconds_count{${labels}}`))
        ?.split(' ')
        .at(-1),
    )

  expect(count('route="GET /r",status="401",by="gateway"')).toBe(2)
  expect(count('route="none",status="404",by="gateway"')).toBe(1)
  expect(count('route="GET /r",status="200",by="origin"')).toBe(1)
  expect(count('route="POST /r",status="502",by="gateway"')).toBe(1)
  expect(text).toMatch(/^gateway_faults_total\{code="(?:ECONNRESET|UND_ERR_SOCKET)"\} 1$/mu)
  // Every line is a comment or a sample, every family has a type, and buckets only grow.
  const lines = text.trimEnd().split('\n')
  for (const line of lines) {
    expect(line).toMatch(
      /^(?:# (?:HELP|TYPE) gateway_\w+ .+|gateway_\w+(?:\{\w+="[^"]*"(?:,\w+="[^"]*")*\})? [\d.e+-]+)$/u,
    )
  }
  const buckets = lines
    .filter((line) => line.includes('_bucket{route="GET /r",status="401"'))
    .map((line) => Number(line.split(' ').at(-1)))
  expect(buckets).toEqual(buckets.toSorted((one_, other) => one_ - other))
  expect(buckets.at(-1)).toBe(2)
})

describe('steps and stores from outside', () => {
  test('take the place of those of the gateway', async () => {
    const told: number[] = []
    await using one = await testGateway({
      steps: {
        clientAddress: () => '192.0.2.99',
        record: (_request, _route, { status }) => told.push(status),
      },
      adapt: (services) => ({ ...services, keys: { find: () => undefined, silentMs: () => 0 } }),
    })
    expect(statusIn(await exchangeOctets(one.port, requestText('GET /r', [bearer(one.key)])))).toBe(401)
    expect(statusIn(await exchangeOctets(one.port, requestText('GET /public/x')))).toBe(200)
    expect(one.origin.all()[0]?.header('true-client-ip')).toEqual(['192.0.2.99'])
    await expect.poll(() => told, { interval: 5 }).toEqual([401, 200])
  })

  test('that fail fail closed', async () => {
    const broken = () => {
      throw new Error('broken')
    }
    for (const step of ['admit', 'clientAddress', 'clean', 'route', 'inbound', 'outgoing', 'exchange'] as const) {
      await using one = await testGateway({ steps: { [step]: broken } })
      expect(statusesIn(await exchangeOctets(one.port, requestText('GET /r', [bearer(one.key)])))).toEqual([500])
      expect(one.origin.all()).toEqual([])
    }
  })
})

test('a record that fails is asked for once', async () => {
  let asked = 0
  const record = () => {
    asked += 1
    throw new Error('broken')
  }
  await using one = await testGateway({ steps: { record } })
  await exchangeOctets(one.port, requestText('GET /nowhere'))
  await expect.poll(() => one.events.length, { interval: 5 }).toBe(1)

  expect(asked).toBe(1)
})

describe('a public URL', () => {
  test.each(['https://api.example.com', 'https://api.example.com/'])(
    '%s is the issuer of tokens',
    async (publicUrl) => {
      await using one = await testGateway({ publicUrl })
      await exchangeOctets(one.port, requestText('GET /r', [bearer(one.key), 'Host: evil.example.com']))
      const [token = ''] = one.origin.all()[0]?.header('authorization') ?? []
      const keys = createRemoteJWKSet(new URL(`${one.gateway.url}/__zuplo/issuer/.well-known/jwks.json`))
      const { payload } = await jwtVerify(token.replace('Bearer ', ''), keys)

      expect(payload.iss).toBe('https://api.example.com/__zuplo/issuer')
    },
  )
})

test('keys and signing keys are there again after a restart', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-state-'))
  const jwks = async (url: string) => await (await request(`${url}/__zuplo/issuer/.well-known/jwks.json`)).body.text()
  const first = await testGateway({ state: { folder } })
  const before = await jwks(first.gateway.url)
  const { key, stored } = await first.gateway.keys.createKey('default', 'acme')
  await first.gateway.keys.deleteKey('default', 'acme', stored.id)
  await first.gateway.stop()
  await first[Symbol.asyncDispose]()
  await using second = await testGateway({ state: { folder } })

  expect(await jwks(second.gateway.url)).toBe(before)
  expect(statusIn(await exchangeOctets(second.port, requestText('GET /r', [bearer(first.key)])))).toBe(200)
  expect(statusIn(await exchangeOctets(second.port, requestText('GET /r', [bearer(key)])))).toBe(401)
  await rm(folder, { recursive: true })
})

test('two origins behind one gateway get what is theirs', async () => {
  await using other = await startCapture({ name: 'other' })
  const names = GUARDED.map(({ name }) => name)
  await using one = await testGateway({
    routes: (origin) => [route('GET', '/a', origin, names), route('GET', '/b', other.url, names)],
  })
  for (const target of ['/a', '/b', '/a'])
    await exchangeOctets(one.port, requestText(`GET ${target}`, [bearer(one.key)]))

  expect(one.origin.all().map(({ target }) => target)).toEqual(['/a', '/a'])
  expect(other.all().map((arrival) => [arrival.target, ...arrival.header('host')])).toEqual([
    ['/b', new URL(other.url).host],
  ])
})
