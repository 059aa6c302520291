import { beforeEach, describe, expect, test } from 'vitest'
import { createMemoryLimits } from '../limits/memory-limits.ts'
import { stillClock } from '../limits/still-clock.testing.ts'
import { Headers } from '../headers.ts'
import { memoryLog } from '../keys/log.ts'
import { openKeyStore } from '../keys/store.ts'
import type { KeyStore } from '../keys/store.ts'
import type { KeyDirectory, LimitStore } from '../policy.ts'
import type { GatewayRequest } from '../request.ts'
import { apiKey } from './api-key-inbound.ts'
import { faultOf, testContext, testRequest } from './policies.testing.ts'
import { queryParamToHeader } from './query-param-to-header-inbound.ts'
import { searchWithout } from './without-key.ts'

const clock = stillClock()
let store: KeyStore
let key = ''
let id = ''

beforeEach(async () => {
  store = await openKeyStore(memoryLog, { prefix: 'tsk', clock })
  await store.createConsumer('default', 'acme', { metadata: { plan: 'team' } })
  const made = await store.createKey('default', 'acme')
  key = made.key
  id = made.stored.id
})

function policy(
  options: Readonly<Record<string, unknown>> = {},
  keys: KeyDirectory = store,
  limits: LimitStore = createMemoryLimits(clock),
) {
  const { context, events } = testContext({ clock, keys, limits })
  const inbound = apiKey.create(options, context)
  return {
    events,
    send: (lines: string[], search = '', clientAddress = '192.0.2.1') => {
      const request = testRequest({ headers: new Headers(lines), search, clientAddress })
      return { verdict: inbound(request), request }
    },
  }
}

const bearer = (value: string) => ['Authorization', `Bearer ${value}`]

test('a key tells who calls, and goes no further', () => {
  const { verdict, request } = policy().send([...bearer(key), 'Accept', '*/*'])

  expect(verdict).toBeUndefined()
  expect(request.user).toEqual({ sub: 'acme', data: { plan: 'team' } })
  expect(request.headers.lines).toEqual(['Accept', '*/*'])
})

test('the scheme compares without case, the key with it', () => {
  expect(policy().send(['authorization', `bEARER ${key}`]).verdict).toBeUndefined()
  for (const other of [
    key.toUpperCase(),
    key.toLowerCase(),
    key.slice(0, -1),
    `${key}a`,
    key + key,
    key.slice(0, 16),
  ]) {
    expect(policy().send(bearer(other)).verdict).toMatchObject({ problem: 401 })
  }
})

test('the same answer for every key that does not count, and a challenge with it', async () => {
  const { send } = policy()
  const expired = await store.createKey('default', 'acme', { expiresOn: new Date(clock.nowMs()).toISOString() })
  const disabled = await store.createKey('default', 'acme', { disabled: true })
  const leaked = await store.createKey('default', 'acme')
  await store.revokeLeaked([leaked.key])
  const deleted = await store.createKey('default', 'acme')
  await store.deleteKey('default', 'acme', deleted.stored.id)
  const verdicts = [expired, disabled, leaked, deleted].map((made) => send(bearer(made.key)).verdict)

  for (const verdict of [...verdicts, send([]).verdict]) {
    expect(verdict).toBe(verdicts[0])
    expect(verdict).toMatchObject({ problem: 401, headers: [['WWW-Authenticate', 'Bearer realm="api"']] })
  }
})

test.each([
  ['two lines', () => [...bearer(key), ...bearer(key)]],
  ['a list', () => ['Authorization', `Bearer ${key}, Bearer ${key}`]],
  ['a list without the scheme', () => ['Authorization', `Bearer ${key},${key}`]],
  ['another scheme', () => ['Authorization', `Basic ${key}`]],
  ['a scheme that begins alike', () => ['Authorization', `BearerX ${key}`]],
  ['no scheme', () => ['Authorization', key]],
  ['a tab', () => ['Authorization', `Bearer\t${key}`]],
  ['octets that no key has', () => ['Authorization', `Bearer ${key}\u00e4`]],
  ['a key too long', () => ['Authorization', `Bearer ${'x'.repeat(513)}`]],
  ['the scheme alone', () => ['Authorization', 'Bearer']],
  ['nothing behind the scheme', () => ['Authorization', 'Bearer ']],
])('%s is refused', (_, lines) => {
  expect(policy().send(lines()).verdict).toMatchObject({ problem: 401 })
})

test.each([
  "' OR 1=1",
  '";--',
  '{"$ne":""}',
  '*',
  '%',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'null',
  '${jndi:x}',
])('%j finds nothing and breaks nothing', (value) => {
  expect(policy().send(bearer(value)).verdict).toMatchObject({ problem: 401 })
})

test('another header, with a scheme or without, and another bucket', async () => {
  expect(policy({ authHeader: 'X-Api-Key', authScheme: '' }).send(['x-api-key', key]).verdict).toBeUndefined()
  expect(policy({ authHeader: 'X-Api-Key', authScheme: '' }).send(bearer(key)).verdict).toMatchObject({
    headers: [['WWW-Authenticate', 'ApiKey realm="api"']],
  })
  expect(policy({ authScheme: 'Token' }).send(['Authorization', `Token ${key}`]).verdict).toBeUndefined()
  expect(policy({ bucketName: 'other' }).send(bearer(key)).verdict).toMatchObject({ problem: 401 })
  expect(apiKey.headers?.({ authHeader: 'X-Api-Key' }).reads).toEqual(['X-Api-Key'])
})

const SCHEME = 'a scheme such as "Bearer", or "" for none'
const BUCKET = 'the name of a bucket such as "default"'

test.each([
  [{ authScheme: '' }, undefined],
  [{ authScheme: 'Token', bucketName: 'my.bucket-1', bucketId: 'bckt_1', cacheTtlSeconds: 0 }, undefined],
  [{ authScheme: 'Bearer ' }, `authScheme: ${SCHEME}`],
  [{ authScheme: 'My Key' }, `authScheme: ${SCHEME}`],
  [{ authScheme: 'Bearer\r\nX-Injected: 1' }, `authScheme: ${SCHEME}`],
  [{ authScheme: null }, `authScheme: ${SCHEME}`],
  [{ authHeader: 'X Key' }, 'authHeader: a header name such as "X-Api-Key"'],
  [{ bucketName: '' }, `bucketName: ${BUCKET}`],
  [{ bucketId: 'a/b' }, `bucketId: ${BUCKET}`],
  [{ cacheTtlSeconds: -1 }, 'cacheTtlSeconds: a whole number from 0'],
  [{ allowUnauthenticatedRequests: 'no' }, 'allowUnauthenticatedRequests: true or false'],
])('of the options %j: %j', (options, due) => {
  expect(faultOf(apiKey, options)).toBe(due)
})

test('unauthenticated requests, where they are allowed: without a key nobody, with a wrong one refused', () => {
  const { send } = policy({ allowUnauthenticatedRequests: true })
  const { verdict, request } = send([])

  expect([verdict, request.user]).toEqual([undefined, undefined])
  expect(send(bearer('wrong')).verdict).toMatchObject({ problem: 401 })
})

test('a key counts from the moment at which it changes', async () => {
  const { send } = policy()
  expect(send(bearer(key)).verdict).toBeUndefined()
  await store.updateKey('default', 'acme', id, { expiresOn: new Date(clock.nowMs() + 1_000).toISOString() })
  expect(send(bearer(key)).verdict).toBeUndefined()
  clock.move(1_000)
  expect(send(bearer(key)).verdict).toMatchObject({ problem: 401 })
})

test('while the store is silent, what is known counts for cacheTtlSeconds and then nobody is let in', () => {
  let silentMs = 60_000
  const { send, events } = policy({}, { find: store.find, silentMs: () => silentMs })

  expect(send(bearer(key)).verdict).toBeUndefined()
  expect(send(bearer('unknown')).verdict).toMatchObject({ problem: 401 })
  silentMs = 60_001
  expect(send(bearer(key)).verdict).toMatchObject({ problem: 503 })
  expect(send(bearer('unknown')).verdict).toMatchObject({ problem: 503 })
  silentMs = 0
  expect(send(bearer(key)).verdict).toBeUndefined()
  expect(events.map(({ event }) => event)).toEqual(['key-store-down', 'key-store-up'])
  expect(
    policy({ cacheTtlSeconds: 0 }, { find: store.find, silentMs: () => 1 }).send(bearer(key)).verdict,
  ).toMatchObject({
    problem: 503,
  })
})

describe('the key goes no further, wherever it was sent', () => {
  test('in other headers and in cookies, all else as it was', () => {
    const lines = [
      ...bearer(key),
      'X-Copy',
      `a${key}b`,
      'Cookie',
      `a=1; key=${key}; b=2`,
      'X-Other',
      'stays',
      'cookie',
      `k=${key}`,
    ]
    const { request } = policy().send(lines)

    expect(request.headers.lines).toEqual(['Cookie', 'a=1; b=2', 'X-Other', 'stays'])
  })

  test.each([
    ['a=1;key=KEY;b=2', 'a=1;b=2'],
    ['key=KEY; b=2;c', 'b=2;c'],
    ['a=1 ;  b="2"; k="KEY"', 'a=1 ;  b="2"'],
    ['KEY', undefined],
  ])('in the cookie %s', (given, left) => {
    const { request } = policy().send([...bearer(key), 'Cookie', given.replace('KEY', key)])

    expect(request.headers.get('cookie')).toBe(left)
  })

  test('in the query, where it holds a plus sign that forms would read as a space', async () => {
    const old = 'an+old+key+of+24+letters'
    await store.importKey('default', 'acme', old)
    const given = `?a=1&k=${old}&l=${old.replaceAll('+', '%2b')}&m=an+%6fld+key+of+24+letters&b=1+2`

    expect(policy().send(bearer(old), given).request.search).toBe('?a=1&b=1+2')
  })

  test.each([
    ['?a=1&key=KEY&b=%20&a=2', '?a=1&b=%20&a=2'],
    ['?key=KEY', ''],
    ['?a=%41&k=ENCODED&b', '?a=%41&b'],
    ['?KEY', ''],
    ['?a=1&&b=+', '?a=1&&b=+'],
    ['', ''],
  ])('in the query: %s', (search, left) => {
    const encoded = Array.from(key)
      .map((character) => `%${character.charCodeAt(0).toString(16)}`)
      .join('')
    const given = search.replaceAll('KEY', key).replaceAll('ENCODED', encoded)

    expect(searchWithout(given, key)).toBe(left)
    expect(policy().send(bearer(key), given).request.search).toBe(left)
  })
})

describe('a key in the query', () => {
  const options = { queryParam: 'apiKey', headerName: 'Authorization', headerValue: 'Bearer {value}' }
  const send = (search: string, lines: string[] = [], more: object = {}) => {
    const request: GatewayRequest = testRequest({ search, headers: new Headers(lines) })
    return { verdict: queryParamToHeader.create({ ...options, ...more }, testContext().context)(request), request }
  }

  test('is moved into the header, all else as it was', () => {
    const { verdict, request } = send('?a=1&api%4Bey=x%20%24%26&b=%2F')

    expect(verdict).toBeUndefined()
    expect(request.search).toBe('?a=1&b=%2F')
    expect(request.headers.get('authorization')).toBe('Bearer x $&')
  })

  test('stays where that is asked for, and does nothing where it is not there', () => {
    expect(send('?apiKey=x', [], { removeFromUrl: false }).request.search).toBe('?apiKey=x')
    expect(send('?apikey=x').request.headers.lines).toEqual([])
  })

  test.each([
    ['twice', '?apiKey=a&apiKey=b', []],
    ['beside the header', '?apiKey=a', ['authorization', 'Bearer b']],
    ['with a line end', '?apiKey=a%0d%0aX-Admin:%201', []],
    ['that is no text', '?apiKey=%ff', []],
  ])('%s is refused', (_, search, lines) => {
    expect(send(search, lines).verdict).toMatchObject({ problem: 400 })
  })
  test.each(['Host', 'Transfer-Encoding', 'Content-Length', 'Connection', 'X-Forwarded-For', 'zp-rid'])(
    'is not moved into %s',
    (headerName) => {
      expect(faultOf(queryParamToHeader, { ...options, headerName })).toMatch(/^headerName: the name of a header /u)
    },
  )
})

describe('keys that fail', () => {
  const options = { failedKeysAllowed: 3, failedKeysWindowMinutes: 2 }

  test('are throttled by address once there are too many, and no key that works', () => {
    const { send } = policy(options)
    const guess = (address?: string) => send(bearer('tsk_guess'), '', address).verdict

    for (let turn = 0; turn < 3; turn += 1) expect(guess()).toMatchObject({ problem: 401 })
    expect(guess()).toMatchObject({ problem: 429, headers: [['Retry-After', '120']] })
    expect(send(['Authorization', 'Basic eA==']).verdict).toMatchObject({ problem: 429 })
    expect(guess('192.0.2.2')).toMatchObject({ problem: 401 })
    expect(send([]).verdict).toMatchObject({ problem: 401 })
    expect(send(bearer(key)).verdict).toBeUndefined()
  })

  test('count again once the window has passed', () => {
    const { send } = policy(options)
    for (let turn = 0; turn < 4; turn += 1) send(bearer('tsk_guess'))

    clock.move(120_000)

    expect(send(bearer('tsk_guess')).verdict).toMatchObject({ problem: 401 })
  })

  test('are not throttled unless the project says so', () => {
    const { send } = policy()
    for (let turn = 0; turn < 500; turn += 1) expect(send(bearer('tsk_guess')).verdict).toMatchObject({ problem: 401 })
  })

  test('are refused where they cannot be counted, and the operator is told', async () => {
    const { send, events } = policy(options, store, { take: () => Promise.reject(new Error('away')) })

    expect(await send(bearer('tsk_guess')).verdict).toMatchObject({ problem: 401 })
    expect(await send(bearer(key)).verdict).toBeUndefined()
    expect(events.map(({ event }) => event)).toEqual(['limit-store-down'])
  })
})
