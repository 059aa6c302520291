import { once } from 'node:events'
import http from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { request } from 'undici'
import { expect, test } from 'vitest'
import { startGateway } from '../gateway.ts'
import { DEFAULT_BUCKET } from '../keys/store.ts'
import { loadProject } from './project.ts'

/** What an origin was sent. */
interface Arrival {
  readonly line: string
  readonly headers: IncomingHttpHeaders
}

/** What a request has besides its target and key. */
interface Asked {
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** An origin that remembers the requests, and answers them all. */
async function startOrigin() {
  const arrivals: Arrival[] = []
  const server = http.createServer((incoming, response) => {
    arrivals.push({ line: `${incoming.method} ${incoming.url}`, headers: incoming.headers })
    incoming.resume().on('end', () => response.end('{}'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrivals,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Starts a project of the fixtures as it is, with the origins in its environment, and a key for each plan. */
async function start(name: string, environment: Readonly<Record<string, string>>) {
  const folder = fileURLToPath(new URL(`../../../fixtures/gateway-projects/${name}`, import.meta.url))
  const events: string[] = []
  const gateway = await startGateway({
    project: await loadProject(folder, environment),
    state: { kind: 'memory' },
    clock: { nowMs: Date.now },
    host: '127.0.0.1',
    port: 0,
    keyPrefix: 'tsk',
    trustedProxies: [],
    events: { write: (line: string) => events.push(line) > 0 },
  })
  const keyOf = async (plan: string): Promise<string> => {
    await gateway.keys.createConsumer(DEFAULT_BUCKET, `consumer-${plan}`, { metadata: { plan } })
    return (await gateway.keys.createKey(DEFAULT_BUCKET, `consumer-${plan}`)).key
  }
  const ask = async (target: string, key?: string, given: Asked = {}) => {
    const headers = { ...given.headers, ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) }
    const { statusCode, headers: answered, body } = await request(`${gateway.url}${target}`, { ...given, headers })
    return { status: statusCode, headers: answered, text: await body.text() }
  }
  return { gateway, keyOf, ask, events, [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() }
}

test('the project as the documentation has it: forwarded with one token for the origin, and without the key', async () => {
  await using origin = await startOrigin()
  await using running = await start('documented', { ORIGIN_URL: origin.url })
  const key = await running.keyOf('business')
  const headers = { cookie: 'a=1', 'x-debug': '1', 'x-kept': '2', origin: 'https://shop.example.org' }
  const answer = await running.ask('/orders?from=%7e&a=1&a=2', key, { headers })

  expect(answer).toMatchObject({ status: 200, headers: { 'access-control-allow-origin': 'https://shop.example.org' } })
  const [arrival] = origin.arrivals
  expect(origin.arrivals.map(({ line }) => line)).toEqual(['GET /orders?from=%7e&a=1&a=2'])
  expect(JSON.stringify(arrival)).not.toContain(key)
  expect(arrival?.headers).toMatchObject({ 'x-kept': '2' })
  expect([arrival?.headers['cookie'], arrival?.headers['x-debug']]).toEqual([undefined, undefined])

  const issuer = `${running.gateway.url}/__zuplo/issuer`
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`))
  const token = arrival?.headers.authorization?.replace(/^Bearer /u, '') ?? ''
  const { payload } = await jwtVerify(token, keys, { issuer, audience: 'https://orders.example.com' })
  expect(payload).toMatchObject({ sub: 'consumer-business', environment: 'fixture' })
  expect(Number(payload.exp) - Number(payload.iat)).toBe(300)
})

test('the project as the documentation has it: a body that is too large, and no query where none is forwarded', async () => {
  await using origin = await startOrigin()
  await using running = await start('documented', { ORIGIN_URL: origin.url })
  const key = await running.keyOf('free')
  const post = (body: string) => running.ask('/orders?a=1', key, { method: 'POST', body })
  expect([(await post('{}')).status, (await post('x'.repeat(65_537))).status]).toEqual([200, 413])
  expect(origin.arrivals.map(({ line, headers }) => [line, headers['x-api-version']])).toEqual([['POST /orders', '2']])
})

test('the project as the documentation has it: its own code enforces a plan', async () => {
  await using origin = await startOrigin()
  await using running = await start('documented', { BILLING_URL: `${origin.url}/billing` })
  const [free, business] = [await running.keyOf('free'), await running.keyOf('business')]
  const refused = await running.ask('/invoices/2026-05?currency=EUR', free)
  expect([refused.status, refused.headers['content-type']]).toEqual([403, 'application/problem+json'])
  expect(JSON.parse(refused.text)).toMatchObject({
    title: 'Forbidden',
    detail: 'The plan free has no invoices',
    instance: '/invoices/2026-05',
    trace: { requestId: refused.headers['zp-rid'] },
  })
  expect(running.events.join('')).toContain('enforce-plan refuses the plan free at /invoices/{month}')

  expect((await running.ask('/invoices/2026%2D05?currency=E%26R', business)).status).toBe(200)
  expect(origin.arrivals.map(({ line, headers }) => [line, headers['x-plan'], headers['x-billing-key']])).toEqual([
    ['GET /billing/v2/consumer-business/invoices/2026-05?currency=E%26R', 'business', 'made-up-key-of-a-fixture'],
  ])
})

test('the project as the documentation has it: its own code tells how much a plan may', async () => {
  await using origin = await startOrigin()
  await using running = await start('documented', { ORIGIN_URL: origin.url })
  const key = await running.keyOf('free')
  const statuses: number[] = []
  for (let round = 0; round < 12; round += 1) statuses.push((await running.ask('/orders', key)).status)
  expect(statuses).toEqual([...Array.from({ length: 10 }, () => 200), 429, 429])
  expect(origin.arrivals).toHaveLength(10)
})

test('the project as the documentation has it: a public route, and nobody without a key elsewhere', async () => {
  await using origin = await startOrigin()
  await using running = await start('documented', { ORIGIN_URL: origin.url })
  const targets = ['/files/a/b.txt?v=1', '/files/', '/orders', '/invoices/2026-05', '/none']
  const answers = await Promise.all(targets.map((target) => running.ask(target)))
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 401, 401, 404])
  expect(origin.arrivals.map(({ line }) => line).toSorted()).toEqual([
    'GET /static/files/',
    'GET /static/files/a/b.txt?v=1',
  ])
  expect(origin.arrivals.some(({ headers }) => 'authorization' in headers)).toBe(false)
})

test('the project of the tutorial: the issuer is there, but no token reaches the origin', async () => {
  await using origin = await startOrigin()
  await using running = await start('tutorial', { ORIGIN_URL: origin.url })
  const answer = await running.ask('/protected', await running.keyOf('free'))
  expect(answer.status).toBe(200)
  expect(origin.arrivals.map(({ line, headers }) => [line, headers.authorization])).toEqual([
    ['GET /protected', undefined],
  ])
  const jwks = await running.ask('/__zuplo/issuer/.well-known/jwks.json')
  expect((JSON.parse(jwks.text) as { keys: unknown[] }).keys.length).toBeGreaterThan(0)
})

test('the project of the tutorial, repaired: the origin gets a token that its library can read', async () => {
  await using origin = await startOrigin()
  await using running = await start('tutorial-repaired', { ORIGIN_URL: origin.url })
  const key = await running.keyOf('free')
  expect([(await running.ask('/protected', key)).status, (await running.ask('/protected')).status]).toEqual([200, 401])

  expect(origin.arrivals.map(({ line }) => line)).toEqual(['GET /protected'])
  const [scheme, token = ''] = origin.arrivals[0]?.headers.authorization?.split(' ') ?? []
  const issuer = `${running.gateway.url}/__zuplo/issuer`
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`))
  expect([scheme, decodeProtectedHeader(token)]).toMatchObject(['Bearer', { alg: 'RS256' }])
  const { payload } = await jwtVerify(token, keys, { issuer, audience: 'https://orders.example.com' })
  expect(payload.sub).toBe('consumer-free')
})
