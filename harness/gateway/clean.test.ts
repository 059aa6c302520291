import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import type { Arrival } from '../model/capture.ts'
import { clean } from './clean.ts'
import { exchangeOctets, GUARDED, policy, requestText, statusIn, testGateway } from './gateway.testing.ts'
import type { TestGateway } from './gateway.testing.ts'
import { Headers } from './headers.ts'

const bearer = (key: string): string => `Authorization: Bearer ${key}`

const headOf = (arrival: Arrival | undefined): string => Buffer.from(arrival?.head ?? []).toString('latin1')

/** What arrives at the origin of a request with these lines. */
async function arrivalOf(one: TestGateway, first: string, lines: readonly string[], body = ''): Promise<Arrival> {
  const text = await exchangeOctets(one.port, requestText(first, lines, body))
  const [arrival] = one.origin.all()
  if (!arrival) throw new Error(`Nothing arrived: ${statusIn(text)}`)
  return arrival
}

describe('the token', () => {
  test('is the only one, verifies with an independent library, and nothing holds the key', async () => {
    await using one = await testGateway()
    const lines = [bearer(one.key), `X-Copy: ${one.key}`, `Cookie: a=1; k=${one.key}`]
    const arrival = await arrivalOf(one, `GET /r?k=${one.key}&a=%41&a=2`, lines)
    const [value = ''] = arrival.header('authorization')
    const keys = createRemoteJWKSet(new URL(`${one.gateway.url}/__zuplo/issuer/.well-known/jwks.json`))
    const verified = await jwtVerify(value.replace('Bearer ', ''), keys, {
      issuer: `${one.gateway.url}/__zuplo/issuer`,
      audience: 'https://orders.example.com',
      subject: 'acme',
    })

    expect(arrival.header('authorization')).toHaveLength(1)
    expect(verified.protectedHeader.alg).toBe('EdDSA')
    expect(arrival.target).toBe('/r?a=%41&a=2')
    expect(headOf(arrival)).not.toContain(one.key)
    expect(headOf(arrival).match(/eyJ/gu)).toHaveLength(2)
  })

  test.each([
    ['in one line with the key, which is then no key', (key: string) => [`${bearer(key)}, Bearer planted`], 401],
    [
      'in a second line, of which none is believed',
      (key: string) => [bearer(key), 'authorization: Bearer planted'],
      401,
    ],
    ['under an alias', (key: string) => [bearer(key), 'Authorization_: Bearer planted'], 200],
    ['named by Connection', (key: string) => [bearer(key), 'Connection: close, Authorization'], 200],
    [
      'named by several Connection lines',
      (key: string) => [bearer(key), 'Connection: close', 'connection: x, AUTHORIZATION'],
      200,
    ],
  ])('%s', async (_, lines, status) => {
    await using one = await testGateway()

    expect(statusIn(await exchangeOctets(one.port, requestText('GET /r', lines(one.key))))).toBe(status)
    expect(one.origin.all().map((arrival) => arrival.header('authorization').length)).toEqual(status === 200 ? [1] : [])
    expect(one.origin.all().map(headOf).join('')).not.toContain('planted')
  })

  test.each([
    'Authorization',
    'AUTHORIZATION',
    'X-Service-Token',
    'x-service-token',
    'X_Service_Token',
    'X.Service.Token',
  ])('of a caller, as %s, is dropped on a public route too', async (name) => {
    const service = policy('upstream-zuplo-jwt-auth-inbound', { headerName: 'X-Service-Token' }, 'service')
    await using one = await testGateway({ policies: [...GUARDED, service] })

    expect(headOf(await arrivalOf(one, 'GET /public/x', [`${name}: Bearer planted`]))).not.toContain('planted')
  })

  test('of a project without one: what a caller sends to a public route is its own affair', async () => {
    await using one = await testGateway({ policies: [] })
    const arrival = await arrivalOf(one, 'GET /public/x', ['Authorization: Basic planted'])

    expect(arrival.header('authorization')).toEqual(['Basic planted'])
  })
})

describe('what the origin gets', () => {
  const ORDINARY = [
    'accept: */*',
    'X-One: 1',
    'x-two: 2',
    'X-One: 1 again',
    'User-Agent: a test',
    'X-User-Agent: a test',
    'If-None-Match: "a", "b"',
    'If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT',
    'Range: bytes=0-1',
    'Cache-Control: no-cache',
    'Content-Type: application/octet-stream',
    'Cookie: a=1; b=2',
    'Cookie: c=3',
    'Origin: https://app.example.com',
    'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    'X-Empty:',
    'X-Latin: caf\u00e9',
  ]

  test('are ordinary lines in their order, case and number, and a body octet for octet', async () => {
    await using one = await testGateway()
    const body = Array.from({ length: 100_000 }, (_, at) => String.fromCharCode(at % 256)).join('')
    const lines = [bearer(one.key), ...ORDINARY, `Content-Length: ${body.length}`]
    const arrival = await arrivalOf(one, 'POST /r/%C3%A4%2c?x=1&x=2&y&%20=%2f..%2F&z=', lines, body)
    const seen = arrival.lines.filter((line) => ORDINARY.map((each) => each.trimEnd()).includes(line.trimEnd()))

    expect(arrival.target).toBe('/r/%C3%A4%2c?x=1&x=2&y&%20=%2f..%2F&z=')
    expect(seen.map((line) => line.trimEnd())).toEqual(ORDINARY)
    expect(Buffer.from(arrival.body.octets).toString('latin1')).toBe(body)
    expect(arrival.body.framing).toBe('content-length')
    expect(arrival.anomalies).toEqual([])
  })

  test('is nothing that belongs to the connection, or that Connection names', async () => {
    await using one = await testGateway()
    const planted = [
      'X-Hop: planted',
      'X-Other-Hop: planted',
      'Keep-Alive: planted',
      'TE: planted',
      'Trailer: planted',
      'Upgrade: planted',
      'Proxy-Authorization: planted',
      'Proxy-Connection: planted',
    ]
    const connection = ['Connection: close, X-Hop', 'connection:,x-OTHER-hop ,, host,content-length']
    const arrival = await arrivalOf(
      one,
      'POST /r',
      [bearer(one.key), ...planted, ...connection, 'X-Kept: stays', 'Content-Length: 3'],
      'abc',
    )

    expect(headOf(arrival)).not.toContain('planted')
    expect(arrival.header('connection')).toEqual(['keep-alive'])
    expect(arrival.header('x-kept')).toEqual(['stays'])
    expect(arrival.header('host')).toEqual([new URL(one.origin.url).host])
    expect(arrival.body.total).toBe(3)
  })

  test('names a hop only where Connection does', async () => {
    await using one = await testGateway()

    expect((await arrivalOf(one, 'GET /r', [bearer(one.key), 'X-Hop: stays'])).header('x-hop')).toEqual(['stays'])
  })

  test('is nothing that a caller says of its place or its identity, in any spelling', async () => {
    await using one = await testGateway()
    const names = [
      'X-Forwarded-For',
      'X-Forwarded-Host',
      'X-Forwarded-Proto',
      'X-Forwarded-Prefix',
      'X-Forwarded-Tls-Client-Cert',
      'X-Forwarded-User',
      'X-Forwarded',
      'Forwarded',
      'Via',
      'X-Real-IP',
      'X-Client-IP',
      'True-Client-IP',
      'CF-Connecting-IP',
      'X-Original-URL',
      'X-Original-Forwarded-For',
      'X-Rewrite-URL',
      'X-HTTP-Method-Override',
      'X-Method-Override',
      'X-Host',
      'X-Consumer-ID',
      'X-Consumer-Username',
      'X-Consumer',
      'X-Credential-Identifier',
      'X-Anonymous-Consumer',
      'X-Authenticated-Userid',
      'X-Auth-Request-Email',
      'X-User',
      'X-User-Id',
      'X-UserInfo',
      'X-Gateway-Verified',
      'Remote-User',
      'X-Remote-User',
      'X-Goog-Authenticated-User-Email',
      'X-Goog-IAP-JWT-Assertion',
      'X-Pomerium-Jwt-Assertion',
      'Cf-Access-Jwt-Assertion',
      'X-Amzn-Oidc-Data',
      'X-MS-Client-Principal',
      'X-SSL-Client-Cert',
      'SSL-Client-Verify',
      'X-Client-Cert',
      'Client-Cert',
      'zp-rid',
    ]
    const spelled = names.flatMap((name) => [
      name,
      name.toUpperCase(),
      name.toLowerCase(),
      ...(name.includes('-') ? [name.replaceAll('-', '_'), name.replaceAll('-', '.')] : []),
    ])
    const lines = spelled.map((name) => `${name}: planted`)
    const heads: string[] = []
    for (const [first, given] of [
      ['GET /r', [bearer(one.key), ...lines]],
      ['GET /public/x', lines],
    ] as const) {
      const mark = one.origin.mark()
      expect(statusIn(await exchangeOctets(one.port, requestText(first, given)))).toBe(200)
      heads.push(...one.origin.since(mark).map(headOf))
    }

    expect(heads).toHaveLength(2)
    expect(heads.join('')).not.toContain('planted')
  })

  test('is the place of the caller and the id of the request, as the gateway knows them', async () => {
    await using one = await testGateway({ publicUrl: 'https://api.example.com' })
    const text = await exchangeOctets(one.port, requestText('GET /r', [bearer(one.key), 'Host: evil.example.com']))
    const [arrival] = one.origin.all()
    const [id = 'none'] = arrival?.header('zp-rid') ?? []

    expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/u)
    expect(text).toContain(`zp-rid: ${id}\r\n`)
    expect(arrival?.header('x-forwarded-for')).toEqual(['127.0.0.1'])
    expect(arrival?.header('true-client-ip')).toEqual(['127.0.0.1'])
    expect(arrival?.header('x-forwarded-proto')).toEqual(['https'])
    expect(arrival?.header('x-forwarded-host')).toEqual(['api.example.com'])
    expect(headOf(arrival)).not.toContain('evil')
  })

  test('are no trailers', async () => {
    await using one = await testGateway()
    const lines = [bearer(one.key), 'Transfer-Encoding: chunked', 'Trailer: X-Consumer-ID, Authorization']
    const body = '3\r\nabc\r\n0\r\nX-Consumer-ID: planted\r\nAuthorization: Bearer planted\r\n\r\n'
    const arrival = await arrivalOf(one, 'POST /r', lines, body)

    expect(Buffer.from(arrival.body.octets).toString()).toBe('abc')
    expect(arrival.trailers).toEqual([])
    expect(headOf(arrival) + Buffer.from(arrival.body.raw).toString()).not.toContain('planted')
  })

  test('is nothing new out of what was percent-encoded', async () => {
    await using one = await testGateway()
    const arrival = await arrivalOf(one, 'GET /r?x=%0d%0aX-Consumer-ID:%20planted', [
      bearer(one.key),
      'X-A: %0d%0aX-User: b',
    ])

    expect(arrival.lines.filter((line) => /^x-(?:consumer|user)/iu.test(line))).toEqual([])
    expect(arrival.target).toBe('/r?x=%0d%0aX-Consumer-ID:%20planted')
  })
})

describe('the address of the caller', () => {
  const CHAIN = 'X-Forwarded-For: 192.0.2.66, 198.51.100.7'

  test.each<readonly [name: string, trusted: readonly string[], lines: readonly string[], address: string]>([
    ['is that of the peer', [], [CHAIN], '127.0.0.1'],
    ['is that of the peer, whoever else is trusted', ['10.0.0.0/8'], [CHAIN], '127.0.0.1'],
    ['is the last that a trusted proxy wrote down', ['127.0.0.1'], [CHAIN], '198.51.100.7'],
    ['is the last that nobody trusted wrote down', ['127.0.0.0/8', '198.51.100.0/24'], [CHAIN], '192.0.2.66'],
    ['goes over several lines', ['127.0.0.0/8', '10.0.0.0/8'], [CHAIN, 'X-Forwarded-For: 10.1.1.1'], '198.51.100.7'],
    ['is the first where all are trusted', ['0.0.0.0/0'], [CHAIN], '192.0.2.66'],
    ['is the proxy where it wrote nothing', ['127.0.0.1'], [], '127.0.0.1'],
    ['is the proxy where it wrote no address', ['127.0.0.1'], ['X-Forwarded-For: 192.0.2.66, unknown'], '127.0.0.1'],
    ['is of version 6', ['127.0.0.1'], ['X-Forwarded-For: 2001:db8::7'], '2001:db8::7'],
    ['is in the form of version 4', ['127.0.0.1'], ['X-Forwarded-For: ::ffff:198.51.100.7'], '198.51.100.7'],
  ])('%s', async (_, trustedProxies, lines, address) => {
    await using one = await testGateway({ trustedProxies })
    const arrival = await arrivalOf(one, 'GET /public/x', [
      ...lines,
      'X-Real-IP: 192.0.2.1',
      'Forwarded: for=192.0.2.1',
    ])

    expect(arrival.header('true-client-ip')).toEqual([address])
    expect(arrival.header('x-forwarded-for')).toEqual([address])
  })

  test.each(['10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/', '10.0.0.0/8/8', 'example.com', '::1/129', ''])(
    'from a proxy "%s" stops the start',
    async (network) => {
      await expect(testGateway({ trustedProxies: [network] })).rejects.toMatchObject({ code: 'ERR_USAGE' })
    },
  )
})

test('names that callers make up take no room', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  const before = process.memoryUsage().heapUsed
  for (let at = 0; at < 4_000; at += 1) {
    clean(new Headers([`x-${at}-${'y'.repeat(30_000)}`, '1']), new Set(), new Set())
  }
  collect()

  expect(process.memoryUsage().heapUsed - before).toBeLessThan(32 * 1024 * 1024)
})
