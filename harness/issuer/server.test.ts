import { once } from 'node:events'
import net from 'node:net'
import { request } from 'undici'
import { describe, expect, test } from 'vitest'
import { embeddedKeys } from '../../fixtures/keys/keys.ts'
import { startIssuer } from './server.ts'
import type { IssuerResponse } from '../model/jwks.ts'

const keys = embeddedKeys()
const start = () => startIssuer({ keys, port: 0 })

async function get(url: string, options: { method?: 'HEAD' | 'POST'; headers?: Record<string, string> } = {}) {
  const { statusCode, headers, body } = await request(url, {
    method: options.method ?? 'GET',
    headers: options.headers ?? {},
  })
  return { status: statusCode, headers, text: await body.text() }
}

test('serves the JWKS and discovery, and answers 404 and 405 elsewhere', async () => {
  await using issuer = await start()

  const jwks = await get(issuer.jwksUrl)
  const discovery = await get(issuer.discoveryUrl)

  expect(JSON.parse(jwks.text)).toEqual({ keys: keys.published() })
  expect(jwks.headers).toMatchObject({ 'content-type': 'application/json' })
  expect(JSON.parse(discovery.text)).toMatchObject({ issuer: issuer.issuer, jwks_uri: issuer.jwksUrl })
  expect((await get(`${issuer.url}/.well-known/oauth-authorization-server/__zuplo/issuer`)).text).toBe(discovery.text)
  expect((await get(`${issuer.url}/else`)).status).toBe(404)
  expect((await get(issuer.jwksUrl, { method: 'POST' })).status).toBe(405)
  expect(await get(issuer.jwksUrl, { method: 'HEAD' })).toMatchObject({ status: 200, text: '' })
})

test('answers 304 to whoever has the document, until other keys are published', async () => {
  await using issuer = await start()
  const { headers } = await get(issuer.jwksUrl)
  const known = { 'if-none-match': String(headers['etag']) }

  expect((await get(issuer.jwksUrl, { headers: known })).status).toBe(304)
  issuer.publish([{ kty: 'OKP', kid: 'new' }])
  const renewed = await get(issuer.jwksUrl, { headers: known })
  expect(renewed).toMatchObject({ status: 200 })
  expect(renewed.text).toContain(',{"kty":"OKP","kid":"new"}]}')
  issuer.publish([])
  expect((await get(issuer.jwksUrl, { headers: known })).status).toBe(304)
  expect(issuer.journal.entries.map(({ served }) => served)).toEqual([
    'document',
    'not-modified',
    'document',
    'not-modified',
  ])
})

test('scripted answers are served one each, in order, and then the ordinary one', async () => {
  await using issuer = await start()
  const script = issuer.respond('jwks', { status: 500 }, { document: { keys: [] }, headers: { 'x-a': 'b' } })

  expect((await get(issuer.jwksUrl)).status).toBe(500)
  expect(await get(issuer.jwksUrl)).toMatchObject({ text: '{"keys":[]}', headers: { 'x-a': 'b' } })
  expect((await get(issuer.jwksUrl)).status).toBe(200)
  expect(script.served()).toBe(2)
})

test('a fault is served until it is disposed, and counts', async () => {
  await using issuer = await start()
  {
    using fault = issuer.fault('jwks-503')
    expect((await get(issuer.jwksUrl)).status).toBe(503)
    expect((await get(issuer.jwksUrl)).status).toBe(503)
    expect(fault.served()).toBe(2)
  }
  expect((await get(issuer.jwksUrl)).status).toBe(200)
  expect(issuer.journal.entries.map(({ served }) => served)).toEqual(['jwks-503', 'jwks-503', 'document'])
})

describe('what goes wrong below a whole answer', () => {
  test.each<readonly [string, IssuerResponse]>([
    ['reset', { reset: true }],
    ['refuse', { refuse: true }],
    ['truncate', { truncate: true }],
  ])('%s', async (_, response) => {
    await using issuer = await start()
    issuer.respond('jwks', response)

    await expect(get(issuer.jwksUrl)).rejects.toThrow()
    expect((await get(issuer.jwksUrl)).status).toBe(200)
  })

  test('hang, and closing does not wait for it', async () => {
    await using issuer = await start()
    issuer.fault('jwks-hang')

    await expect(request(issuer.jwksUrl, { signal: AbortSignal.timeout(50) })).rejects.toThrow('aborted')
    const pending = get(issuer.jwksUrl).then(
      () => 'answered',
      () => 'closed',
    )
    while (issuer.journal.count() < 2) await new Promise(setImmediate)
    await issuer[Symbol.asyncDispose]()
    expect(await pending).toBe('closed')
  })

  test('an endless body goes on until the client has enough', async () => {
    await using issuer = await start()
    issuer.respond('jwks', { endless: true })
    const { body } = await request(issuer.jwksUrl)
    let size = 0
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      size += chunk.length
      if (size > 1_000_000) break
    }
    expect(size).toBeGreaterThan(1_000_000)
  })

  test('a gzip bomb is small on the wire', async () => {
    await using issuer = await start()
    issuer.respond('jwks', { padding: 4 * 1024 * 1024, gzip: true })
    const { headers, body } = await request(issuer.jwksUrl)
    const octets = await body.arrayBuffer()

    expect(headers['content-encoding']).toBe('gzip')
    expect(octets.byteLength).toBeLessThan(64 * 1024)
    const inflated = await new Response(new Blob([octets]).stream().pipeThrough(new DecompressionStream('gzip'))).text()
    expect(inflated.length).toBeGreaterThan(4 * 1024 * 1024)
  })

  test('a drip arrives octet by octet, a redirect leads to the canary', async () => {
    await using issuer = await start()
    issuer.respond('jwks', { document: {}, dripMs: 1 }, { redirect: 'canary' })

    expect((await get(issuer.jwksUrl)).text).toBe('{}')
    const { status, headers } = await get(issuer.jwksUrl)
    expect(status).toBe(302)
    expect(String(headers['location'])).toContain(issuer.canary.url)
  })
})

test('the journal tells target, header lines, connection and phase of every request', async () => {
  await using issuer = await start()
  await get(`${issuer.jwksUrl}?kid=a`)
  expect(issuer.journal.phase('second')).toBe('start')
  await get(issuer.jwksUrl, { headers: { 'X-Mixed': 'Case' } })

  const [first, second] = issuer.journal.entries
  expect(first?.target).toBe('/__zuplo/issuer/.well-known/jwks.json?kid=a')
  expect(second?.headers).toContainEqual(['X-Mixed', 'Case'])
  expect([first?.phase, second?.phase]).toEqual(['start', 'second'])
  expect(first?.connection).toBeGreaterThan(0)
  expect(issuer.journal.count({ phase: 'second', endpoint: 'jwks' })).toBe(1)
  expect(issuer.journal.count({ endpoint: 'discovery' })).toBe(0)
})

test('the journal knows how many requests were open at once', async () => {
  await using issuer = await start()
  issuer.respond('jwks', { delayMs: 50 }, { delayMs: 50 }, { delayMs: 50 })
  await Promise.all([get(issuer.jwksUrl), get(issuer.jwksUrl), get(issuer.jwksUrl)])

  expect(issuer.journal.highWater()).toBe(3)
  issuer.journal.resetHighWater()
  await get(issuer.jwksUrl)
  expect(issuer.journal.highWater()).toBe(1)
})

test('the canary keeps the hits of scopes apart, and offers the keys of an attacker', async () => {
  await using issuer = await start()
  const jwks = JSON.parse((await get(issuer.canary.urlFor('one', 'jwks.json'))).text) as { keys: { kid: string }[] }
  const url = issuer.canary.urlFor('one-more', 'iss')
  const discovery = JSON.parse((await get(`${url}/.well-known/openid-configuration`)).text) as object

  expect(jwks.keys.map(({ kid }) => kid)).toContain(keys.get('attacker-rsa').kid)
  expect(discovery).toEqual({ issuer: url, jwks_uri: `${url}/jwks.json` })
  expect(issuer.canary.hits('one').map(({ path }) => path)).toEqual(['/one/jwks.json'])
  expect(issuer.canary.hits('one-more')).toHaveLength(1)
  expect(issuer.canary.hits('other')).toEqual([])
})

test('a port that is taken is an error that names it', async () => {
  const taken = net.createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as net.AddressInfo

  await expect(startIssuer({ keys, port })).rejects.toMatchObject({ code: 'ERR_PORT_IN_USE', fields: { port } })
  taken.close()
})
