import { generateKeyPairSync, hash, sign } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Headers } from '../headers.ts'
import { stillClock } from '../limits/still-clock.testing.ts'
import type { OperatorEvent } from '../policy.ts'
import type { Reply, Verdict } from '../reply.ts'
import { createLeakReceiver } from './leaks.ts'
import type { LeakReceiver } from './leaks.ts'
import { memoryLog } from './log.ts'
import { openKeyStore } from './store.ts'
import type { KeyStore } from './store.ts'

const TYPE = 'example_api_key'
const scanner = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const clock = stillClock()

let store: KeyStore
let receive: LeakReceiver
let events: OperatorEvent[]
let server: http.Server
let fetches = 0
let listed: readonly string[] = []
let others: readonly object[] = []
let status = 200
let key = ''

beforeEach(async () => {
  fetches = 0
  listed = ['one']
  others = []
  status = 200
  server = http.createServer((_, response) => {
    fetches += 1
    const pem = scanner.publicKey.export({ type: 'spki', format: 'pem' })
    const keys = listed.map((name) => ({ key_identifier: name, key: pem, is_current: true }))
    response.writeHead(status).end(JSON.stringify({ public_keys: [...others, ...keys] }))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  store = await openKeyStore(memoryLog, { prefix: 'tsk', clock })
  await store.createConsumer('default', 'acme', {})
  key = (await store.createKey('default', 'acme')).key
  events = []
  const { port } = server.address() as AddressInfo
  const keyListUrl = `http://127.0.0.1:${port}/keys`
  receive = createLeakReceiver({ keyListUrl, type: TYPE, store, clock, report: (event) => events.push(event) })
})

afterEach(() => {
  server.closeAllConnections()
  server.close()
})

const match = (token: string, more: object = {}) => ({
  token,
  type: TYPE,
  url: 'https://example.com/a.txt',
  source: 'content',
  ...more,
})

const signed = (body: string, by = scanner.privateKey) => sign('sha256', Buffer.from(body), by).toString('base64')

function send(
  body: string,
  lines: readonly string[] = ['Github-Public-Key-Identifier', 'one', 'Github-Public-Key-Signature', signed(body)],
) {
  return receive(new Headers([...lines]), Buffer.from(body))
}

const isLive = (text = key): boolean => store.find('default', text)?.disabled === false

const feedback = (verdict: Verdict) => JSON.parse((verdict as Reply).body) as unknown

test('a signed alert ends the key at once, and the operator learns of it once', async () => {
  const body = JSON.stringify([match(key)])
  const first = await send(body)

  expect(first).toMatchObject({ status: 200 })
  expect(feedback(first)).toEqual([
    { token_hash: hash('sha256', key, 'hex'), token_type: TYPE, label: 'true_positive' },
  ])
  expect(isLive()).toBe(false)
  expect(feedback(await send(body))).toMatchObject([{ label: 'true_positive' }])
  expect(events).toEqual([
    expect.objectContaining({ event: 'leaked-key-revoked', consumer: 'acme', url: 'https://example.com/a.txt' }),
  ])
  expect(JSON.stringify(events)).not.toContain(key)
})

test('what was signed are the octets as they came', async () => {
  const [escaped, ...rest] = Array.from(key)
  const odd = `[\n  {"source": "content", "type": "${TYPE}",\n "token": "\\u${escaped?.charCodeAt(0).toString(16).padStart(4, '0')}${rest.join('')}"}\n]\n`

  expect(await send(odd)).toMatchObject({ status: 200 })
  expect(isLive()).toBe(false)
})

test('an alert that is not signed as it should be changes nothing, and tells nothing of its tokens', async () => {
  const body = JSON.stringify([match(key)])
  const other = JSON.stringify([match('tsk_random')])
  const name = ['Github-Public-Key-Identifier', 'one']
  const zero = Buffer.from('3006020100020100', 'hex').toString('base64')
  const forged: readonly (readonly string[])[] = [
    [],
    name,
    [...name, 'Github-Public-Key-Signature', ''],
    [...name, 'Github-Public-Key-Signature', 'garbage'],
    [...name, 'Github-Public-Key-Signature', '!!!'],
    [...name, 'Github-Public-Key-Signature', signed(body, stranger.privateKey)],
    [...name, 'Github-Public-Key-Signature', signed(other)],
    [...name, 'Github-Public-Key-Signature', signed(`${body} `)],
    [...name, 'Github-Public-Key-Signature', signed(body).slice(0, 40)],
    [...name, 'Github-Public-Key-Signature', zero],
    [...name, 'Github-Public-Key-Signature', signed(body), 'Github-Public-Key-Signature', signed(body)],
    ['Github-Public-Key-Identifier', 'unknown', 'Github-Public-Key-Signature', signed(body)],
  ]
  const verdicts = await Promise.all(forged.map((lines) => send(body, lines)))
  verdicts.push(await send(other, [...name, 'Github-Public-Key-Signature', signed(other, stranger.privateKey)]))

  expect(new Set(verdicts).size).toBe(1)
  expect(verdicts[0]).toMatchObject({ problem: 401 })
  expect(isLive()).toBe(true)
  expect(events).toEqual([])
})

test('without the list nothing is processed; with it again, everything is', async () => {
  const body = JSON.stringify([match(key)])
  status = 500
  expect(await send(body)).toMatchObject({ problem: 503 })
  for (let alert = 0; alert < 20; alert += 1) expect(await send(body)).toMatchObject({ problem: 503 })
  expect(fetches).toBe(1)
  expect(isLive()).toBe(true)
  expect(events).toEqual([{ event: 'leak-alert-not-checked' }])
  status = 200
  clock.move(1_000)
  expect(await send(body)).toMatchObject({ status: 200 })
  expect(isLive()).toBe(false)
})

test.each<[string, (response: http.ServerResponse) => unknown]>([
  ['never answered', () => undefined],
  ['begun and never ended', (response) => response.write('{"public_keys": [')],
  ['broken off', (response) => response.write('{', () => response.destroy())],
  ['longer than any list', (response) => response.end(`{"public_keys": []}${' '.repeat(300_000)}`)],
  ['somewhere else', (response) => response.writeHead(302, { Location: 'http://127.0.0.1:9/keys' }).end()],
  ['no JSON', (response) => response.end('<html>')],
])('a list that is %s is none: nothing is processed', async (_, answer) => {
  const slow = http.createServer((_request, response) => answer(response))
  await new Promise<void>((resolve) => {
    slow.listen(0, '127.0.0.1', resolve)
  })
  const { port } = slow.address() as AddressInfo
  const keyListUrl = `http://127.0.0.1:${port}/keys`
  const waiting = createLeakReceiver({ keyListUrl, type: TYPE, store, clock, report: (event) => events.push(event) })
  const body = JSON.stringify([match(key)])
  const lines = ['Github-Public-Key-Identifier', 'one', 'Github-Public-Key-Signature', signed(body)]
  const verdict = await waiting(new Headers(lines), Buffer.from(body))
  slow.closeAllConnections()
  slow.close()

  expect(verdict).toMatchObject({ problem: 503, headers: [['Retry-After', '5']] })
  expect(isLive()).toBe(true)
  expect(events).toEqual([{ event: 'leak-alert-not-checked' }])
})

test('a new identifier is found once it is listed, and the list is not fetched for every alert', async () => {
  const body = JSON.stringify([match(key)])
  const lines = ['Github-Public-Key-Identifier', 'two', 'Github-Public-Key-Signature', signed(body)]
  await send('[]')
  expect(await send(body, lines)).toMatchObject({ problem: 401 })
  expect(fetches).toBe(1)
  listed = ['one', 'two']
  clock.move(1_000)
  expect(await send(body, lines)).toMatchObject({ status: 200 })
  for (let alert = 0; alert < 20; alert += 1) await send('[]')
  expect(fetches).toBe(2)
})

test('a list that is old is not believed where no new one can be had', async () => {
  const body = JSON.stringify([match(key)])
  await send('[]')
  status = 500
  clock.move(3_600_000)

  expect(await send(body)).toMatchObject({ problem: 503 })
  expect(isLive()).toBe(true)
})

test('keys of other kinds in the list are passed over, and count for nothing', async () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const pem = ({ publicKey }: Pick<typeof rsa, 'publicKey'>) => publicKey.export({ type: 'spki', format: 'pem' })
  others = [
    { key_identifier: 'rsa', key: pem(rsa), is_current: true },
    { key_identifier: 'p384', key: pem(p384), is_current: true },
    { key_identifier: 'broken', key: 'no key', is_current: true },
    { key_identifier: 7, key: null },
  ]
  const body = JSON.stringify([match(key)])
  for (const [name, { privateKey }] of [
    ['rsa', rsa],
    ['p384', p384],
  ] as const) {
    const lines = ['Github-Public-Key-Identifier', name, 'Github-Public-Key-Signature', signed(body, privateKey)]
    expect(await send(body, lines)).toMatchObject({ problem: 401 })
  }
  expect(isLive()).toBe(true)
  expect(await send(body)).toMatchObject({ status: 200 })
  expect(isLive()).toBe(false)
})

test('a key that is in one alert twice, or in two at the same time, is one event', async () => {
  const body = JSON.stringify([match(key), match(key, { source: 'commit' })])
  const [answer] = await Promise.all([send(body), send(body)])

  expect(feedback(answer)).toMatchObject([{ label: 'true_positive' }, { label: 'true_positive' }])
  expect(events).toHaveLength(1)
})

test('an event holds no key, not even in its URL', async () => {
  await send(JSON.stringify([match(key, { url: `https://example.com/${key}` })]))

  expect(events).toMatchObject([{ event: 'leaked-key-revoked' }])
  expect(JSON.stringify(events)).not.toContain(key)
})

test('where the store fails nothing is answered as done', async () => {
  const failing = { ...store, revokeLeaked: () => Promise.reject(new Error('The store is away')) }
  const { port } = server.address() as AddressInfo
  const keyListUrl = `http://127.0.0.1:${port}/keys`
  receive = createLeakReceiver({ keyListUrl, type: TYPE, store: failing, clock, report: (event) => events.push(event) })

  expect(await send(JSON.stringify([match(key)]))).toMatchObject({ problem: 503 })
  expect(events).toEqual([{ event: 'leak-alert-not-processed' }])
})

test('of 500 matches exactly the ones that are ours end', async () => {
  const second = await store.createKey('default', 'acme')
  const third = await store.createKey('default', 'acme')
  const random = Array.from({ length: 498 }, (_, at) => match(`tsk_${at}_random`))
  const body = JSON.stringify([...random, match(key), match(second.key)])
  const answer = feedback(await send(body)) as readonly { readonly label: string }[]

  expect(answer).toHaveLength(500)
  expect(answer.filter(({ label }) => label === 'true_positive')).toHaveLength(2)
  expect([isLive(), isLive(second.key), isLive(third.key)]).toEqual([false, false, true])
})

test('what is well-formed is tolerated, what is not is refused, and neither changes anything', async () => {
  expect(await send('[]')).toMatchObject({ status: 200, body: '[]' })
  expect(await send(JSON.stringify([match(key, { type: 'other_key' })]))).toMatchObject({ status: 200, body: '[]' })
  expect(feedback(await send(JSON.stringify([{ token: 'never issued', type: TYPE }])))).toMatchObject([
    { label: 'false_positive' },
  ])
  for (const body of ['nothing', '{}', '[1]', '[{"token":1,"type":"x"}]', 'null', '\u00ff']) {
    expect(await send(body)).toMatchObject({ problem: 400 })
  }
  expect(isLive()).toBe(true)
})
