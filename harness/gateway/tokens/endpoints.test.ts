import { request } from 'undici'
import { expect, test } from 'vitest'
import { exchangeOctets, GUARDED, policy, requestText, statusIn, testGateway } from '../gateway.testing.ts'
import type { TestGateway } from '../gateway.testing.ts'

const PATH = '/__zuplo/issuer/.well-known'

const ask = async (one: TestGateway, name: string, headers: Readonly<Record<string, string>> = {}) => {
  const { statusCode, headers: lines, body } = await request(`${one.gateway.url}${PATH}/${name}`, { headers })
  return { status: statusCode, lines, text: await body.text() }
}

test.each(['jwks.json', 'openid-configuration'])('%s: what a cache and a client need', async (name) => {
  await using one = await testGateway()
  const { status, lines, text } = await ask(one, name)

  expect(status).toBe(200)
  expect(lines['content-type']).toBe('application/json')
  expect(lines['cache-control']).toBe('public, max-age=300')
  expect(lines['etag']).toMatch(/^"[\w-]{22}"$/u)
  expect(JSON.parse(text)).toMatchObject(
    name === 'jwks.json'
      ? { keys: [{ use: 'sig' }, { use: 'sig' }] }
      : { issuer: `${one.gateway.url}/__zuplo/issuer`, jwks_uri: `${one.gateway.url}${PATH}/jwks.json` },
  )
})

test.each<readonly [name: string, value: (etag: string) => string, status: number]>([
  ['the same', (etag) => etag, 304],
  ['a list with it', (etag) => `"x", ${etag}`, 304],
  ['a weak one', (etag) => `W/${etag}`, 304],
  ['any', () => '*', 304],
  ['another', () => '"x"', 200],
  ['one that is not quoted', (etag) => etag.replaceAll('"', ''), 200],
])('If-None-Match: %s', async (_, value, status) => {
  await using one = await testGateway()
  const { lines } = await ask(one, 'jwks.json')
  const etag = String(lines['etag'])
  const answer = await ask(one, 'jwks.json', { 'If-None-Match': value(etag) })

  expect(answer.status).toBe(status)
  expect(answer.lines).toMatchObject({ etag, 'cache-control': 'public, max-age=300' })
  expect(answer.text === '').toBe(status === 304)
})

test('another set of keys has another tag', async () => {
  await using one = await testGateway()
  const { lines } = await ask(one, 'jwks.json')
  await one.gateway.tokens?.rotate()
  const after = await ask(one, 'jwks.json', { 'If-None-Match': String(lines['etag']) })

  expect(after.status).toBe(200)
  expect((JSON.parse(after.text) as { keys: unknown[] }).keys).toHaveLength(3)
})

test('HEAD has the head alone, any other method is refused with those that are there', async () => {
  await using one = await testGateway()
  const head = await exchangeOctets(one.port, requestText(`HEAD ${PATH}/jwks.json`))
  expect(statusIn(head)).toBe(200)
  expect(head).toMatch(/\r\ncontent-length: [1-9]\d+\r\n/iu)
  expect(head).toMatch(/\r\n\r\n$/u)

  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const text = await exchangeOctets(one.port, requestText(`${method} ${PATH}/jwks.json`))
    expect([method, statusIn(text)]).toEqual([method, 405])
    expect(text).toMatch(/\r\nallow: GET, HEAD\r\n/iu)
  }
})

test.each([
  '',
  '/',
  '/.well-known',
  '/.well-known/',
  '/.well-known/jwks.json/',
  '/.well-known/jwks',
  'x/.well-known/jwks.json',
])('nothing is at the path of the issuer and %j', async (rest) => {
  await using one = await testGateway()
  const { statusCode } = await request(`${one.gateway.url}/__zuplo/issuer${rest}`)

  expect(statusCode).toBe(404)
})

test('the JWKS is there without a key, and when the limit of a key is used up', async () => {
  const limit = policy('rate-limit-inbound', { rateLimitBy: 'all', requestsAllowed: 1, timeWindowMinutes: 1 })
  await using one = await testGateway({ policies: [GUARDED[0] ?? limit, limit, GUARDED[1] ?? limit] })
  const send = () => exchangeOctets(one.port, requestText('GET /r', [`Authorization: Bearer ${one.key}`]))
  const first = await ask(one, 'jwks.json')
  expect([statusIn(await send()), statusIn(await send())]).toEqual([200, 429])

  expect(await ask(one, 'jwks.json')).toMatchObject({ status: 200, text: first.text })
})
