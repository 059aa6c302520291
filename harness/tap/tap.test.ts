import http from 'node:http'
import net from 'node:net'
import type { AddressInfo } from 'node:net'
import { request as send } from 'undici'
import { expect, test } from 'vitest'
import { dial } from '../capture/dial.testing.ts'
import { startCapture } from '../capture/server.ts'
import { startTap } from './tap.ts'

/** How a connection ends, which may be before it is known to be open. */
async function howItEnds(port: number): Promise<string> {
  try {
    await using dialogue = await dial(port)
    return (await dialogue.closed).how
  } catch {
    return 'reset'
  }
}

test('what passes is recorded and reaches the origin octet by octet, and so does the answer', async () => {
  await using origin = await startCapture()
  await using tap = await startTap({ clock: { nowMs: () => 1_000 } })
  tap.to(origin.url)
  await using dialogue = await dial(tap.port)
  const head = 'POST /orders?n=1 HTTP/1.1\r\nhOsT: a\r\nX-Two:  b \r\nTransfer-Encoding: chunked\r\n\r\n'
  dialogue.send(`${head}3;x=1\r\nabc\r\n0\r\nX-Trailer: t\r\n\r\n`)
  const answer = await dialogue.until(/captured by origin of trustspec/u)

  const [passed] = tap.all()
  const [arrived] = origin.all()
  expect(answer).toMatch(/^HTTP\/1\.1 200 /u)
  expect(passed).toMatchObject({ method: 'POST', target: '/orders?n=1', state: 'whole', atMs: 1_000, turn: 1 })
  expect(passed?.head).toEqual(arrived?.head)
  expect(Buffer.from(passed?.body.raw ?? []).toString()).toBe('3;x=1\r\nabc\r\n0\r\nX-Trailer: t\r\n\r\n')
  expect(passed?.trailers).toEqual([['X-Trailer', 't']])
  expect(passed?.header('x-two')).toEqual(['b'])
})

test('the requests of one connection are told apart, pipelined ones too, and found by their nonce', async () => {
  await using origin = await startCapture()
  await using tap = await startTap()
  tap.to(origin.url)
  await using dialogue = await dial(tap.port)
  dialogue.send(
    'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbodyGET /b?nonce-b HTTP/1.1\r\nHost: a\r\n\r\n',
  )
  await dialogue.until(/trustspec[^]*captured by origin of trustspec/u)

  expect(tap.all().map(({ target, turn, connection }) => [target, turn, connection])).toEqual([
    ['/a', 1, 1],
    ['/b?nonce-b', 2, 1],
  ])
  expect(tap.requestsOf('nonce-b').map(({ target }) => target)).toEqual(['/b?nonce-b'])
  expect(origin.all()).toHaveLength(2)
})

test('a record is there when the answer is', async () => {
  await using origin = await startCapture()
  await using tap = await startTap()
  tap.to(origin.url)
  for (let turn = 1; turn <= 50; turn += 1) {
    const { body } = await send(`${tap.url}/turn-${turn}-`)
    await body.dump()
    expect(tap.requestsOf(`turn-${turn}-`)).toHaveLength(1)
  }
})

test('a large body passes whole in both directions', async () => {
  const body = Buffer.alloc(3 * 1024 * 1024, 'a')
  const server = http.createServer((request, response) => {
    request.pipe(response)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  await using tap = await startTap()
  tap.to(`http://127.0.0.1:${(server.address() as AddressInfo).port}/orders`)
  const answer = await send(tap.url, { method: 'POST', body })
  const echoed = Buffer.from(await answer.body.arrayBuffer())
  server.closeAllConnections()
  server.close()

  expect(echoed.equals(body)).toBe(true)
  expect(tap.all()[0]?.body.total).toBe(body.length)
})

test('without a destination, and where nothing listens, the connection is reset', async () => {
  await using tap = await startTap()
  expect(await howItEnds(tap.port)).toBe('reset')

  const free = net.createServer()
  await new Promise<void>((resolve) => {
    free.listen(0, '127.0.0.1', resolve)
  })
  const { port } = free.address() as AddressInfo
  await new Promise((resolve) => {
    free.close(resolve)
  })
  tap.to(`http://127.0.0.1:${port}`)
  expect(await howItEnds(tap.port)).toBe('reset')
  expect(tap.all()).toEqual([])
})

test('an origin that closes or resets is seen to do so', async () => {
  await using origin = await startCapture()
  await using tap = await startTap()
  tap.to(origin.url)
  for (const [fault, how] of [
    ['close-unanswered', 'fin'],
    ['reset-unanswered', 'reset'],
  ] as const) {
    using _ = origin.answer({ fault })
    await using dialogue = await dial(tap.port)
    dialogue.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(await dialogue.closed).toMatchObject({ how, received: '' })
  }
})

test('a port that is taken is told', async () => {
  await using tap = await startTap()
  await expect(startTap({ port: tap.port })).rejects.toMatchObject({ code: 'ERR_PORT_IN_USE' })
})
