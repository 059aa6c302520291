import net from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { request } from 'undici'
import { memoryLog } from './log.ts'
import { startManagement } from './management.ts'
import type { Management } from './management.ts'
import { openKeyStore } from './store.ts'
import type { KeyStore } from './store.ts'

const CREDENTIAL = 'a-credential-of-a-test'
const CONSUMERS = '/key-buckets/default/consumers'

let store: KeyStore
let api: Management
let revoked: string[] = []

beforeEach(async () => {
  revoked = []
  const clock = { nowMs: Date.now }
  store = await openKeyStore(memoryLog, { prefix: 'tsk', clock })
  api = await startManagement({
    store,
    credential: CREDENTIAL,
    host: '127.0.0.1',
    port: 0,
    nowMs: clock.nowMs,
    metrics: () => 'gateway_requests_active 0\n',
    signing: {
      rotate: () => Promise.resolve({ kid: 'next', activeMs: Date.UTC(2030, 0, 1) }),
      revoke: (kid) => Promise.resolve(revoked.push(kid) > 0 && kid === 'known'),
    },
  })
})

afterEach(() => api[Symbol.asyncDispose]())

async function call(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT',
  at: string,
  body?: unknown,
  credential = CREDENTIAL,
  type = 'application/json',
) {
  const answer = await request(`${api.url}${at}`, {
    method,
    headers: {
      ...(credential === '' ? {} : { authorization: `Bearer ${credential}` }),
      ...(body === undefined ? {} : { 'content-type': type }),
    },
    body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
  })
  const octets = await answer.body.text()
  const isJson = String(answer.headers['content-type']).includes('json')
  const value: unknown = isJson ? JSON.parse(octets) : octets
  return { status: answer.statusCode, headers: answer.headers, value }
}

test('every call needs the credential', async () => {
  for (const credential of ['', 'other', CREDENTIAL.slice(0, -1), `${CREDENTIAL}x`]) {
    const { status, headers } = await call('GET', '/key-buckets', undefined, credential)
    expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer realm="management"'])
  }
})

test.each([
  ['GET', '/key-buckets'],
  ['GET', '/metrics'],
  ['GET', '/nothing'],
  ['POST', CONSUMERS],
  ['DELETE', `${CONSUMERS}/acme`],
  ['POST', `${CONSUMERS}/acme/roll-key`],
  ['POST', '/signing-keys/rotate'],
  ['POST', '/signing-keys/known/revoke'],
] as const)('without it nothing is done, and nobody learns what there is: %s %s', async (method, at) => {
  await store.createConsumer('default', 'acme', {})
  for (const authorization of [undefined, CREDENTIAL, `Basic ${CREDENTIAL}`, `Bearer ${CREDENTIAL} x`, 'Bearer ']) {
    const headers = authorization === undefined ? {} : { authorization }
    const { statusCode, body } = await request(`${api.url}${at}`, { method, headers })
    expect([statusCode, await body.json()]).toEqual([401, expect.objectContaining({ title: 'Unauthorized' })])
  }
  expect([store.consumers('default').length, revoked]).toEqual([1, []])
})

test('a gateway without a JWT service has no signing keys, and one without counters tells none', async () => {
  const options = { store, credential: CREDENTIAL, host: '127.0.0.1', port: 0, nowMs: Date.now }
  await using plain = await startManagement(options)
  const headers = { authorization: `bearer ${CREDENTIAL}` }
  const statuses = ['rotate', 'known/revoke'].map(async (what) => {
    const answer = await request(`${plain.url}/signing-keys/${what}`, { method: 'POST', headers })
    await answer.body.dump()
    return answer.statusCode
  })
  expect(await Promise.all(statuses)).toEqual([404, 404])
  const { statusCode, body } = await request(`${plain.url}/metrics`, { headers })
  expect([statusCode, await body.text()]).toEqual([200, ''])
})

test('a key of somebody else is not there, and a roll to a time that is over ends the others at once', async () => {
  await call('POST', CONSUMERS, { name: 'acme' })
  await call('POST', CONSUMERS, { name: 'other' })
  const { key, stored } = await store.createKey('default', 'acme')
  for (const method of ['PATCH', 'DELETE'] as const) {
    const body = method === 'PATCH' ? { disabled: true } : undefined
    expect((await call(method, `${CONSUMERS}/other/keys/${stored.id}`, body)).status).toBe(404)
  }
  expect(store.find('default', key)).toMatchObject({ disabled: false })
  const rolled = await call('POST', `${CONSUMERS}/acme/roll-key`, { expiresOn: '2020-01-01T00:00:00Z' })
  expect(rolled).toMatchObject({ status: 201, value: { expiresOn: null } })
  expect(store.find('default', key)?.expiresMs).toBe(Date.UTC(2020, 0, 1))
  const imported = await call('POST', `${CONSUMERS}/other/keys`, { key: 'an-old-key-of-24-letters' })
  expect(imported).toMatchObject({ status: 201, value: { key: '…ters' } })
  expect((await call('POST', `${CONSUMERS}/acme/keys`, { key: 'an-old-key-of-24-letters' })).status).toBe(409)
})

test('a consumer and its keys from the beginning to the end', async () => {
  const made = await call('POST', `${CONSUMERS}?with-api-key=true`, {
    name: 'acme',
    metadata: { plan: 'team' },
    tags: { org: '1' },
  })
  expect(made.status).toBe(201)
  const [first] = (made.value as { apiKeys: { id: string; key: string }[] }).apiKeys
  expect(store.find('default', first?.key ?? '')?.metadata).toEqual({ plan: 'team' })

  expect((await call('PATCH', `${CONSUMERS}/acme`, { description: 'changed' })).value).toMatchObject({
    description: 'changed',
  })
  expect((await call('POST', `${CONSUMERS}/acme/keys`, { description: 'second' })).status).toBe(201)
  const listed = (await call('GET', `${CONSUMERS}/acme/keys`)).value as { data: { id: string; key: string }[] }
  expect(listed.data).toHaveLength(2)
  expect(JSON.stringify(listed)).not.toContain(first?.key)
  expect((await call('GET', `${CONSUMERS}/acme/keys?key-format=none`)).value).not.toMatchObject({
    data: [{ key: expect.anything() as unknown }],
  })
  expect((await call('GET', `${CONSUMERS}/acme/keys?key-format=visible`)).status).toBe(400)

  const rolled = await call('POST', `${CONSUMERS}/acme/roll-key`, { expiresOn: '2031-01-01T00:00:00Z' })
  expect(rolled.status).toBe(201)
  expect((await call('PATCH', `${CONSUMERS}/acme/keys/${first?.id}`, { disabled: true })).value).toMatchObject({
    disabled: true,
    expiresOn: '2031-01-01T00:00:00.000Z',
  })
  expect((await call('DELETE', `${CONSUMERS}/acme/keys/${first?.id}`)).status).toBe(204)
  expect((await call('GET', `${CONSUMERS}?include-api-keys=true`)).value).toMatchObject({
    total: 1,
    data: [{ name: 'acme', apiKeys: [{}, {}] }],
  })
  expect((await call('DELETE', `${CONSUMERS}/acme`)).status).toBe(204)
  expect((await call('GET', `${CONSUMERS}/acme`)).status).toBe(404)
})

test('a tag guards: an object without it is as if it were not there', async () => {
  await call('POST', CONSUMERS, { name: 'acme', tags: { org: '1' } })
  await call('POST', CONSUMERS, { name: 'other', tags: { org: '2' } })

  expect((await call('GET', `${CONSUMERS}?tag.org=2`)).value).toMatchObject({ total: 1, data: [{ name: 'other' }] })
  expect((await call('DELETE', `${CONSUMERS}/acme?tag.org=2`)).status).toBe(404)
  const { key, stored } = await store.createKey('default', 'acme')
  for (const method of ['PATCH', 'DELETE'] as const) {
    const at = `${CONSUMERS}/acme/keys/${stored.id}?tag.org=2`
    expect((await call(method, at, method === 'PATCH' ? { disabled: true } : undefined)).status).toBe(404)
  }
  for (const at of ['keys', 'roll-key']) {
    const body = at === 'keys' ? {} : { expiresOn: '2020-01-01' }
    expect((await call('POST', `${CONSUMERS}/acme/${at}?tag.org=2`, body)).status).toBe(404)
  }
  expect((await call('PATCH', `${CONSUMERS}/acme?tag.org=2`, { disabled: true })).status).toBe(404)
  expect((await call('GET', `${CONSUMERS}/acme/keys?tag.__proto__=x`)).status).toBe(404)
  expect(store.find('default', key)).toMatchObject({ disabled: false })
  expect(store.keys('default', 'acme')).toEqual([stored])
  expect((await call('GET', `${CONSUMERS}/acme?tag.org=1`)).status).toBe(200)
  expect((await call('GET', `${CONSUMERS}?offset=1&limit=1`)).value).toMatchObject({
    offset: 1,
    data: [{ name: 'other' }],
  })
})

test.each([
  ['POST', CONSUMERS, {}, 400],
  ['POST', CONSUMERS, { name: 'a', surprise: 1 }, 400],
  ['POST', CONSUMERS, '[', 400],
  ['POST', CONSUMERS, '[]', 400],
  ['POST', CONSUMERS, '{"name":"a","name":"b\u{0}"}', 400],
  ['POST', CONSUMERS, { name: 'a', tags: { org: 1 } }, 400],
  ['PATCH', `${CONSUMERS}/acme`, { name: 'b' }, 400],
  ['POST', `${CONSUMERS}/acme/keys`, { expiresOn: 'tomorrow' }, 400],
  ['POST', `${CONSUMERS}/acme/roll-key`, {}, 400],
  ['GET', `${CONSUMERS}?limit=x`, undefined, 400],
  ['GET', `${CONSUMERS}/%zz`, undefined, 400],
  ['GET', '/nothing', undefined, 404],
  ['GET', `${CONSUMERS}/nobody`, undefined, 404],
  ['PUT', CONSUMERS, {}, 405],
  ['POST', CONSUMERS, { name: 'acme' }, 409],
  ['POST', '/key-buckets', { name: 'a b' }, 400],
] as const)('%s %s with %j is %i', async (method, at, body, status) => {
  await store.createConsumer('default', 'acme', {})
  const answer = await call(method, at, body)

  expect(answer.status).toBe(status)
  expect(answer.value).toMatchObject({ status })
})

test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/json-patch', ''])(
  'a body of type %j is 415, and nothing is made',
  async (type) => {
    const { status, value } = await call('POST', CONSUMERS, { name: 'acme' }, CREDENTIAL, type)

    expect([status, value]).toEqual([415, expect.objectContaining({ status: 415 })])
    expect(store.consumers('default')).toEqual([])
  },
)

test('parameters of the type do not matter, nor does its case', async () => {
  const type = 'Application/JSON; charset=utf-8'

  expect((await call('POST', CONSUMERS, { name: 'acme' }, CREDENTIAL, type)).status).toBe(201)
})

test('a body that is too large is 413', async () => {
  const { status, value } = await call('POST', CONSUMERS, { name: 'a', description: 'x'.repeat(70_000) })

  expect([status, value]).toEqual([413, expect.objectContaining({ status: 413 })])
})

test('a body that is too large is answered while it still comes, and the connection ends', async () => {
  const { hostname, port, pathname } = new URL(api.url)
  const socket = net.connect(Number(port), hostname)
  const head = [
    `POST ${pathname}${CONSUMERS} HTTP/1.1`,
    'Host: x',
    `Authorization: Bearer ${CREDENTIAL}`,
    'Content-Type: application/json',
    'Content-Length: 10000000',
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n${'x'.repeat(100_000)}`)
  const answer = await text(socket)

  expect(answer).toMatch(/^HTTP\/1\.1 413 /u)
  expect(answer.toLowerCase()).toContain('connection: close')
})

test('a store that is away is 503, and what is wrong is not told', async () => {
  await using broken = await startManagement({
    store: {
      ...store,
      buckets: () => {
        throw new Error('redis://secret')
      },
    },
    credential: CREDENTIAL,
    host: '127.0.0.1',
    port: 0,
    nowMs: Date.now,
  })
  const answer = await request(`${broken.url}/key-buckets`, { headers: { authorization: `Bearer ${CREDENTIAL}` } })

  expect(answer.statusCode).toBe(503)
  expect(await answer.body.text()).not.toContain('secret')
})

test('buckets, signing keys and metrics', async () => {
  expect((await call('POST', '/key-buckets', { name: 'preview' })).status).toBe(201)
  expect((await call('POST', '/key-buckets', { name: 'preview' })).status).toBe(409)
  expect((await call('GET', '/key-buckets')).value).toMatchObject({ data: [{ name: 'preview' }] })
  expect((await call('POST', '/signing-keys/rotate')).value).toEqual({
    kid: 'next',
    activeFrom: '2030-01-01T00:00:00.000Z',
  })
  expect((await call('POST', '/signing-keys/known/revoke')).status).toBe(204)
  expect((await call('POST', '/signing-keys/other/revoke')).status).toBe(404)
  expect(revoked).toEqual(['known', 'other'])
  expect((await call('GET', '/metrics')).value).toBe('gateway_requests_active 0\n')
})
