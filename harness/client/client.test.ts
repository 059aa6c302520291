import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { createClient } from './client.ts'
import type { WireRequest } from './wire.ts'

const GET: WireRequest = { method: 'GET', target: '/', headers: [] }

async function listening(server: net.Server | http.Server) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`),
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close')
      server.close()
      if (server instanceof http.Server) server.closeAllConnections()
      await closed
    },
  }
}

const web = (handle: http.RequestListener) => listening(http.createServer(handle))

/** A server that reads and answers octets. */
function wire(answer: (socket: Socket, octets: string) => void) {
  return listening(
    net.createServer((socket) => {
      socket.on('data', (chunk: Buffer) => {
        answer(socket, chunk.toString('latin1'))
      })
      socket.on('error', () => undefined)
    }),
  )
}

test('sends header lines as they are, in order, repeated ones too', async () => {
  let lines: readonly string[] = []
  await using server = await web((request, response) => {
    lines = request.rawHeaders
    response.end()
  })
  await using client = createClient(server.origin, 2_000)
  await client.send({
    ...GET,
    headers: [
      ['X-One', 'a'],
      ['Authorization', 'Bearer A'],
      ['authorization', 'Bearer \u00e9'],
      ['X-Empty', ''],
    ],
  })

  const sent = lines.flatMap((name, at) => (at % 2 === 0 && /^(?:x-|auth)/iu.test(name) ? [[name, lines[at + 1]]] : []))
  expect(sent).toEqual([
    ['X-One', 'a'],
    ['Authorization', 'Bearer A'],
    ['authorization', 'Bearer \u00e9'],
    ['X-Empty', ''],
  ])
})

test('tells the socket of every answer, and keeps a connection of its own apart', async () => {
  await using server = await web((_, response) => response.end('x'))
  const taken: number[] = []
  await using client = createClient(server.origin, 2_000, (requests) => taken.push(requests))
  await using own = client.connect()
  expect(own.open).toBe(false)

  const on = [await client.send(GET, own), await client.send(GET, own)].map(({ connection }) => connection)
  const other = await client.send(GET)

  expect(on[0]).toBe(on[1])
  expect(other.connection).not.toBe(on[0])
  expect(own.open).toBe(true)
  expect(taken).toEqual([1, 1, 1])
})

test('keeps at most sixty-four connections open', async () => {
  const sockets = new Set<Socket>()
  await using server = await web((request, response) => {
    sockets.add(request.socket)
    setImmediate(() => response.end('x'))
  })
  await using client = createClient(server.origin, 5_000)
  const answers = await Promise.all(Array.from({ length: 100 }, () => client.send(GET)))

  expect(answers.every(({ status }) => status === 200)).toBe(true)
  expect(sockets.size).toBeLessThanOrEqual(64)
})

describe('what goes wrong is told', () => {
  test.each<readonly [string, string, (socket: Socket) => void]>([
    ['silence', 'timeout', () => undefined],
    ['a reset', 'reset', (socket) => void socket.resetAndDestroy()],
    ['an end without an answer', 'reset', (socket) => void socket.end()],
    ['what is no HTTP', 'malformed', (socket) => void socket.end('SSH-2.0-OpenSSH\r\n\r\n')],
    [
      'an answer that is cut off',
      'reset',
      (socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx'),
    ],
  ])('%s', async (_, failure, answer) => {
    await using server = await wire(answer)
    await using client = createClient(server.origin, 200)

    expect(await client.send(GET)).toMatchObject({ status: 0, failure })
  })

  test('nobody listens, on either path', async () => {
    const closed = await web(() => undefined)
    await closed[Symbol.asyncDispose]()
    await using client = createClient(closed.origin, 500)

    expect(await client.send(GET)).toMatchObject({ failure: 'unreachable' })
    expect(await client.send({ ...GET, raw: true })).toMatchObject({ failure: 'unreachable' })
  })

  test('silence on a raw socket', async () => {
    await using server = await wire(() => undefined)
    await using client = createClient(server.origin, 100)

    expect(await client.send({ ...GET, raw: true })).toMatchObject({ failure: 'timeout' })
  })
})

test('a socket that the server closed while idle says nothing about the next request', async () => {
  let served = 0
  await using server = await wire((socket) => {
    served += 1
    if (served === 2) socket.resetAndDestroy()
    else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx')
    if (served === 3) socket.end()
  })
  const taken: number[] = []
  await using client = createClient(server.origin, 1_000, (requests) => taken.push(requests))

  expect((await client.send(GET)).status).toBe(200)
  expect(await client.send(GET)).toMatchObject({ status: 200, connection: 2 })
  expect(served).toBe(3)
  // The server may well have counted the one that it did not answer.
  expect(taken).toEqual([1, 1, 1])
})

test('what may not be sent is not, and not even once more', async () => {
  let served = 0
  await using server = await wire((socket) => {
    served += 1
    if (served === 2) socket.resetAndDestroy()
    else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx')
  })
  let left = 2
  await using client = createClient(server.origin, 1_000, (requests) => {
    left -= requests
    if (left < 0) throw new Error('No more')
  })

  expect((await client.send(GET)).status).toBe(200)
  await expect(client.send(GET)).rejects.toThrow('No more')
  await expect(client.send({ ...GET, raw: true })).rejects.toThrow('No more')
  await expect(client.volley([GET])).rejects.toThrow('No more')
  await expect(client.talk(Buffer.from('GET / HTTP/1.1'), {})).rejects.toThrow('No more')
  expect(served).toBe(2)
})

describe('raw sockets', () => {
  test('carry octets that no library would send', async () => {
    let octets = ''
    await using server = await wire((socket, text) => {
      octets = text
      socket.end('HTTP/1.1 400 Bad Request\r\nX-A: b\r\nContent-Length: 3\r\n\r\nbad')
    })
    await using client = createClient(server.origin, 1_000)
    const request: WireRequest = { ...GET, headers: [['Authorization', 'Bearer a\u0001b ']] }
    const answer = await client.send(request)

    expect(client.needsRaw(request)).toBe(true)
    expect(client.needsRaw({ ...GET, headers: [['X', 'plain']] })).toBe(false)
    expect(octets).toContain('\r\nAuthorization: Bearer a\u0001b \r\n')
    expect(answer).toMatchObject({
      status: 400,
      body: 'bad',
      headers: [
        ['X-A', 'b'],
        ['Content-Length', '3'],
      ],
    })
  })

  test('read chunked bodies and ones that end with the connection', async () => {
    const bodies = ['Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n', '\r\nabcde'].map(
      (rest) => `HTTP/1.1 200 OK\r\n${rest}`,
    )
    for (const body of bodies) {
      await using server = await wire((socket) => void socket.end(body))
      await using client = createClient(server.origin, 1_000)
      expect(await client.send({ ...GET, raw: true })).toMatchObject({ status: 200, body: 'abcde' })
    }
  })
})

test('an answer that breaks off is told from one that is whole', async () => {
  const whole = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc'
  const broken = [
    'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
  ]
  for (const [text, cut] of [[whole, undefined], ...broken.map((one) => [one, true] as const)] as const) {
    await using server = await wire((socket) => void socket.end(text))
    await using client = createClient(server.origin, 1_000)

    expect((await client.send({ ...GET, raw: true })).cut).toBe(cut)
  }
})

describe('a volley', () => {
  test('gives the answers in its order, each of a connection of its own', async () => {
    await using server = await wire((socket, text) => {
      socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${/n=(\d\d)/u.exec(text)?.[1] ?? ''}`)
    })
    const taken: number[] = []
    await using client = createClient(server.origin, 2_000, (requests) => taken.push(requests))
    const requests = Array.from({ length: 30 }, (_, at) => ({ ...GET, target: `/?n=${at + 10}` }))
    const answers = await client.volley(requests)

    expect(answers.map(({ body }) => Number(body))).toEqual(requests.map((_, at) => at + 10))
    expect(new Set(answers.map(({ connection }) => connection)).size).toBe(30)
    expect(taken).toEqual([30])
  })

  test('tells for each that nothing listens', async () => {
    const server = await web((_, response) => response.end())
    await server[Symbol.asyncDispose]()
    await using client = createClient(server.origin, 500)

    const answers = await client.volley([GET, GET])
    expect(answers.map(({ failure }) => failure)).toEqual(['unreachable', 'unreachable'])
  })
})

describe('talk', () => {
  test('reads as many answers as are asked for, interim ones aside', async () => {
    const answers = [
      'HTTP/1.1 100 Continue\r\n\r\n',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
      'HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\nb',
    ].join('')
    await using server = await wire((socket) => void socket.write(answers))
    await using client = createClient(server.origin, 300)

    const two = await client.talk(Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), { answers: 2 })
    expect(two).toMatchObject({ statuses: [200, 404], closed: false })
    const three = await client.talk(Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), { answers: 3 })
    expect(three).toMatchObject({ statuses: [200, 404], closed: false })
  })

  test('tells that the other side closed', async () => {
    await using server = await wire((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\nx'))
    await using client = createClient(server.origin, 1_000)

    expect(await client.talk(Buffer.from('x\r\n\r\n'), {})).toMatchObject({ statuses: [400], closed: true })
  })
})

test('a body is cut at 64 kB on both paths', async () => {
  await using server = await web((_, response) => response.end('x'.repeat(200_000)))
  await using client = createClient(server.origin, 2_000)

  expect((await client.send(GET)).body).toHaveLength(64 * 1024)
  expect((await client.send({ ...GET, raw: true })).body).toHaveLength(64 * 1024)
  expect((await client.send(GET)).status).toBe(200)
})
