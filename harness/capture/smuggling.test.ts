import { describe, expect, test } from 'vitest'
import type { Anomaly, Arrival, Framing } from '../model/capture.ts'
import { dial, request } from './dial.testing.ts'
import { startCapture } from './server.ts'

const INNER = 'GET /inner HTTP/1.1\r\nHost: origin.example.com\r\n\r\n'
const CL: Framing = 'prefer-content-length'
const TE: Framing = 'prefer-transfer-encoding'

const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`
const post = (headers: readonly string[], body: string): string => request('POST /outer HTTP/1.1', headers, body)
const covering = (body: string): string => `Content-Length: ${body.length}`
const chunked = (body: string): string => post(['Transfer-Encoding: chunked'], body)

interface Shape {
  readonly name: string
  readonly octets: string
  /** Careless origins that take the inner request for one of its own. */
  readonly seenBy: readonly Framing[]
  /** What a strict origin notes before it stops. */
  readonly anomalies: readonly Anomaly[]
}

const END = `0\r\n\r\n${INNER}`
const WHOLE = `${chunk(INNER)}0\r\n\r\n`

const SHAPES: readonly Shape[] = [
  {
    name: 'CL+TE: the length covers what chunks leave over',
    octets: post([covering(END), 'Transfer-Encoding: chunked'], END),
    seenBy: [TE],
    anomalies: ['both-lengths'],
  },
  {
    name: 'TE+CL: the length ends before the chunk',
    octets: post(['Transfer-Encoding: chunked', 'Content-Length: 4'], WHOLE),
    seenBy: [CL],
    anomalies: ['both-lengths'],
  },
  {
    name: 'TE with space before the colon',
    octets: post([covering(END), 'Transfer-Encoding : chunked'], END),
    seenBy: [TE],
    anomalies: ['space-before-colon', 'both-lengths'],
  },
  {
    name: 'TE with a tab, a control or a coding around it',
    octets: post([covering(END), 'Transfer-Encoding:\t\u000bchunked, identity'], END),
    seenBy: [TE],
    anomalies: ['control-character', 'both-lengths', 'transfer-encoding-invalid'],
  },
  {
    name: 'TE on a folded line',
    octets: post([covering(END), 'Transfer-Encoding:', ' chunked'], END),
    seenBy: [TE],
    anomalies: ['obs-fold', 'both-lengths'],
  },
  {
    name: 'TE of another spelling',
    octets: post([covering(END), 'Transfer-Encoding: xchunked'], END),
    seenBy: [TE],
    anomalies: ['both-lengths', 'transfer-encoding-invalid'],
  },
  {
    name: 'two CL, the first shorter',
    octets: post(['Content-Length: 0', covering(INNER)], INNER),
    seenBy: [CL],
    anomalies: ['content-length-repeated'],
  },
  {
    name: 'two CL, the last shorter',
    octets: post([covering(INNER), 'Content-Length: 0'], INNER),
    seenBy: [TE],
    anomalies: ['content-length-repeated'],
  },
  {
    name: 'two CL in one line',
    octets: post([`${covering(INNER)}, 0`], INNER),
    seenBy: [TE],
    anomalies: ['content-length-repeated'],
  },
  {
    name: 'CL "+n" that covers the inner request',
    octets: post([`Content-Length: +${INNER.length}`], INNER),
    seenBy: [TE],
    anomalies: ['content-length-invalid'],
  },
  {
    name: 'CL "+5" in front of the inner request',
    // Behind a length that is ignored the inner request has another method.
    octets: post(['Content-Length: +5'], `12345${INNER}`),
    seenBy: [CL, TE],
    anomalies: ['content-length-invalid'],
  },
  {
    name: 'bare LF that hides a header in another',
    octets: post([covering(END), 'X-Ordinary: a\nTransfer-Encoding: chunked'], END),
    seenBy: [TE],
    anomalies: ['bare-lf', 'both-lengths'],
  },
  {
    name: 'bare LF that ends the head',
    octets: `GET /outer HTTP/1.1\r\nHost: a\nX: b\n\n${INNER}`,
    seenBy: [CL, TE],
    anomalies: ['bare-lf'],
  },
  {
    name: 'bare LF in the extension of a chunk',
    // Whoever reads the line to its CR LF takes what is behind it for a chunk of five octets.
    octets: chunked(`5;a\nhello\r\n${END}`),
    seenBy: [TE],
    anomalies: ['bare-lf'],
  },
  {
    name: 'bare LF in the extension of the last chunk',
    octets: chunked(`0;a\nb\r\n\r\n${INNER}`),
    seenBy: [CL, TE],
    anomalies: ['bare-lf'],
  },
  {
    name: 'chunk size that wraps at 64 bits',
    octets: chunked(`10000000000000000\r\n\r\n${INNER}`),
    seenBy: [CL, TE],
    anomalies: ['chunk-size'],
  },
  {
    name: 'chunk size with a sign',
    octets: chunked(`+5\r\nhello\r\n${END}`),
    seenBy: [CL, TE],
    anomalies: ['chunk-size'],
  },
  {
    name: 'chunk size with 0x',
    octets: chunked(`0x5\r\nhello\r\n${END}`),
    seenBy: [CL, TE],
    anomalies: ['chunk-size'],
  },
  {
    name: 'chunk size that is no number',
    octets: chunked(`zz\r\n\r\n${INNER}`),
    seenBy: [CL, TE],
    anomalies: ['chunk-size'],
  },
  {
    name: 'chunk without its end',
    octets: chunked(`5\r\nhello${END}`),
    seenBy: [TE],
    anomalies: ['chunk-end'],
  },
  {
    name: 'chunk with two other octets for its end',
    octets: chunked(`5\r\nhelloXX${END}`),
    seenBy: [CL, TE],
    anomalies: ['chunk-end'],
  },
  {
    name: 'extension that is none',
    octets: chunked(`5;a"b\r\nhello\r\n${END}`),
    seenBy: [CL, TE],
    anomalies: ['chunk-extension'],
  },
  {
    name: 'TE for HTTP/1.0',
    octets: `POST /outer HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n${covering(END)}\r\n\r\n${END}`,
    seenBy: [TE],
    anomalies: ['both-lengths', 'transfer-encoding-invalid'],
  },
]

/** What an origin of that kind records of the octets, once their connection has ended. */
async function read(octets: string, framing: Framing): Promise<readonly Arrival[]> {
  await using capture = await startCapture({ framing })
  await using client = await dial(capture.port)
  client.send(octets)
  client.end()
  await client.closed
  return capture.all()
}

describe.each(SHAPES)('$name', ({ octets, seenBy, anomalies }) => {
  test.each([CL, TE] as const)('%s', async (framing) => {
    const targets = (await read(octets, framing)).map(({ target }) => target)

    expect(targets.includes('/inner')).toBe(seenBy.includes(framing))
  })

  test('strict: recorded, refused, nothing behind it read', async () => {
    const arrivals = await read(octets, 'strict')

    expect(arrivals).toMatchObject([{ target: '/outer', state: 'cut', status: 400 }])
    expect(new Set(arrivals[0]?.anomalies)).toEqual(new Set(anomalies))
  })
})

test('well-formed messages read the same in every way', async () => {
  const octets = [
    chunked(`5;ext="q\\"; x"\r\nhello\r\n${chunk(INNER)}0\r\nX-Trailer: a\r\n\r\n`),
    post([covering(INNER)], INNER),
    post(['Transfer-Encoding: gzip, chunked'], '0\r\n\r\n'),
    request('GET /last HTTP/1.1'),
  ].join('')

  for (const framing of ['strict', CL, TE] as const) {
    const arrivals = await read(octets, framing)
    expect(arrivals.map(({ target, state, body }) => [target, state, body.total])).toEqual([
      ['/outer', 'whole', 5 + INNER.length],
      ['/outer', 'whole', INNER.length],
      ['/outer', 'whole', 0],
      ['/last', 'whole', 0],
    ])
    expect(arrivals.flatMap(({ anomalies }) => anomalies)).toEqual([])
  }
})

const HEADS: readonly (readonly [string, Anomaly])[] = [
  ['GET  / HTTP/1.1\r\nHost: a\r\n\r\n', 'request-line'],
  ['GET /a b HTTP/1.1\r\nHost: a\r\n\r\n', 'request-line'],
  ['GET / HTTP/1.1\r\n Host: a\r\nHost: b\r\n\r\n', 'space-before-header'],
  ['GET / HTTP/1.1\r\nHost: a\r\nX(y): b\r\n\r\n', 'header-name'],
  ['GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n', 'header-name'],
  ['GET / HTTP/1.1\r\nHost: a\r\nnothing\r\n\r\n', 'no-colon'],
  ['GET / HTTP/1.1\r\nHost: a\r\nX: a\u0000b\r\n\r\n', 'control-character'],
  ['GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n', 'bare-cr'],
  ['GET / HTTP/1.1\r\nX: a\r\n\r\n', 'host-missing'],
  ['GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n', 'host-repeated'],
  ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nbad name: x\r\n\r\n', 'header-name'],
]

test.each(HEADS)('%j is noted', async (octets, anomaly) => {
  const [strict] = await read(octets, 'strict')
  const [loose] = await read(octets, TE)

  expect(strict).toMatchObject({ status: 400 })
  expect(strict?.anomalies).toContain(anomaly)
  expect(loose).toMatchObject({ status: 200, state: 'whole' })
  expect(loose?.anomalies).toContain(anomaly)
})

test('chunks that end in a bare LF are whole for an origin that takes it, and break for one that skips two octets', async () => {
  const octets = chunked(`5\r\nhello\n5\r\nworld\n${END}`)

  expect((await read(octets, TE))[0]?.body.total).toBe(10)
  expect((await read(octets, CL))[0]?.body.total).toBe(5)
})

test('reads otherwise while told to, by message', async () => {
  await using capture = await startCapture()
  await using client = await dial(capture.port)
  const octets = post([covering(END), 'Transfer-Encoding: chunked'], END)
  const other = capture.readAs(CL)
  const careless = capture.readAs(TE)
  // Whoever ends twice ends nobody else's.
  other[Symbol.dispose]()
  other[Symbol.dispose]()
  client.send(octets)
  await client.until(/(?:HTTP[^]*){2}trustspec$/u)
  careless[Symbol.dispose]()
  client.send(octets)
  await client.closed

  expect(capture.all().map(({ target, status }) => [target, status])).toEqual([
    ['/outer', 200],
    ['/inner', 200],
    ['/outer', 400],
  ])
})
