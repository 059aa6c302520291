import { describe, expect, test } from 'vitest'
import { exchangeOctets, requestText, route, statusesIn, testGateway } from './gateway.testing.ts'
import { bluntOrigin } from './origins.testing.ts'

/** What a caller gets of an origin that sends these octets. */
async function relayed(octets: string, lines: readonly string[] = []): Promise<{ text: string; requests: number }> {
  await using origin = await bluntOrigin((socket) => socket.write(octets, 'latin1'))
  await using one = await testGateway({ routes: () => [route('GET', '/x', origin.url, [])] })
  const text = await exchangeOctets(one.port, requestText('GET /x', lines))
  return { text, requests: origin.received.length }
}

describe('an answer without a body', () => {
  test.each([
    ['204', '0', ''],
    ['204', '5', 'hello'],
  ])('%s has no length, though the origin says %s', async (status, length, body) => {
    const { text } = await relayed(`HTTP/1.1 ${status} No Content\r\nContent-Length: ${length}\r\nX: y\r\n\r\n${body}`)

    expect(statusesIn(text)).toEqual([204])
    expect(text).toMatch(/^X: y$/mu)
    expect(text).not.toMatch(/^content-length:/imu)
    expect(text.endsWith('\r\n\r\n')).toBe(true)
  })

  test('101 neither', async () => {
    const handshake = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']
    const lines = ['Connection: Upgrade', 'Upgrade: websocket', 'content-length: 3', 'X: y']
    await using origin = await bluntOrigin((socket) =>
      socket.end(`${['HTTP/1.1 101 Switching Protocols', ...lines].join('\r\n')}\r\n\r\nabc`),
    )
    await using one = await testGateway({ routes: () => [route('GET', '/x', origin.url, [])] })
    const text = await exchangeOctets(one.port, requestText('GET /x', handshake), (seen) => seen.endsWith('abc'))

    expect(statusesIn(text)).toEqual([101])
    expect(text).toMatch(/^X: y$/mu)
    expect(text).not.toMatch(/^content-length:/imu)
  })

  test('304 keeps the length of what was not sent', async () => {
    const { text } = await relayed('HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n')

    expect(text).toMatch(/^Content-Length: 5$/mu)
    expect(text.endsWith('\r\n\r\n')).toBe(true)
  })
})

describe('the reason of a status', () => {
  const answer = (reason: string) => `HTTP/1.1 200${reason}\r\nContent-Length: 2\r\n\r\nok`

  test.each([
    ['passes as it is', ' Quite fine', 'Quite fine'],
    ['may be missing', '', ''],
    ['is left out where it is in Latin', ' D\u00e9j\u00e0', ''],
    ['is left out where it is in another script', ` ${Buffer.from('Готово').toString('latin1')}`, ''],
  ])('%s', async (_, reason, expected) => {
    const { text } = await relayed(answer(reason))

    expect(text.split('\r\n')[0]).toBe(`HTTP/1.1 200 ${expected}`)
    expect(text.endsWith('\r\n\r\nok')).toBe(true)
  })
})

test.each([
  ['in one line', 'Transfer-Encoding: gzip, chunked'],
  ['in two lines', 'Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked'],
  ['twice the same', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'],
])('two transfer codings %s are 502, and asked for once', async (_, lines) => {
  const { text, requests } = await relayed(`HTTP/1.1 200 OK\r\n${lines}\r\n\r\n0\r\n\r\n`)

  expect(statusesIn(text)).toEqual([502])
  expect(requests).toBe(1)
})
