import { request as send } from 'undici'
import { expect, test } from 'vitest'
import { startCapture } from '../capture/server.ts'
import { startJwksProxy } from './jwks-proxy.ts'

const JWKS = '{"keys":[]}'

async function setUp(stack: AsyncDisposableStack) {
  const gateway = stack.use(await startCapture())
  const proxy = stack.use(await startJwksProxy())
  gateway.answer({
    body: JWKS,
    headers: [
      ['ETag', '"1"'],
      ['Cache-Control', 'max-age=60'],
      ['X-Other', 'x'],
    ],
  })
  return { gateway, proxy }
}

test('passes path for path, with what is said about the document', async () => {
  await using stack = new AsyncDisposableStack()
  const { gateway, proxy } = await setUp(stack)
  proxy.from(`${gateway.url}/issuer/.well-known/jwks.json`)
  const { statusCode, headers, body } = await send(`${proxy.url}/issuer/.well-known/jwks.json?x=1`, {
    headers: { 'if-none-match': '"0"', accept: 'application/json' },
  })

  expect([statusCode, await body.text()]).toEqual([200, JWKS])
  expect(headers).toMatchObject({ etag: '"1"', 'cache-control': 'max-age=60' })
  expect(headers).not.toHaveProperty('x-other')
  const [arrival] = gateway.all()
  expect(arrival?.target).toBe('/issuer/.well-known/jwks.json?x=1')
  expect(arrival?.header('if-none-match')).toEqual(['"0"'])
  expect(proxy.fetches()).toEqual([
    {
      target: '/issuer/.well-known/jwks.json?x=1',
      at: gateway.url,
      what: 'passed',
      status: 200,
      atMs: expect.any(Number),
    },
  ])
})

test('passes a status that is none of success', async () => {
  await using stack = new AsyncDisposableStack()
  const { gateway, proxy } = await setUp(stack)
  gateway.answer({ status: 304 })
  proxy.from(gateway.url)
  const { statusCode, body } = await send(`${proxy.url}/jwks`)
  await body.dump()

  expect(statusCode).toBe(304)
})

test('drops everything while it is cut, and counts; then it passes again', async () => {
  await using stack = new AsyncDisposableStack()
  const { gateway, proxy } = await setUp(stack)
  proxy.from(gateway.url)
  const cut = proxy.cut()
  expect(cut.served()).toBe(0)
  await expect(send(`${proxy.url}/jwks`)).rejects.toThrow(/other side closed|ECONNRESET/u)
  await expect(send(`${proxy.url}/jwks`)).rejects.toThrow(/other side closed|ECONNRESET/u)

  expect(cut.served()).toBe(2)
  expect(gateway.all()).toEqual([])
  cut[Symbol.dispose]()
  const { statusCode, body } = await send(`${proxy.url}/jwks`)
  await body.dump()
  expect(statusCode).toBe(200)
  expect(cut.served()).toBe(2)
})

test('drops what it cannot pass: before it is aimed, and where nothing listens', async () => {
  await using stack = new AsyncDisposableStack()
  const { gateway, proxy } = await setUp(stack)
  await expect(send(`${proxy.url}/jwks`)).rejects.toThrow(/other side closed|ECONNRESET/u)
  proxy.from(gateway.url)
  await using _ = await gateway.down()
  await expect(send(`${proxy.url}/jwks`)).rejects.toThrow(/other side closed|ECONNRESET/u)

  expect(proxy.fetches().map(({ what }) => what)).toEqual(['dropped', 'failed'])
})
