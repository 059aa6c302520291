import type { Framing } from '../../harness/model/capture.ts'
import { message } from './raw.ts'
import type { RawHead } from './raw.ts'

/** A call with a valid key in whose body a request is hidden. */
export interface Hiding {
  readonly method: string
  readonly outer: RawHead
  /** The hidden request, whole, with its empty line. */
  readonly inner: string
}

/** A message that two servers may end in different places, with a request behind the one end. */
export interface Payload {
  readonly name: string
  readonly octets: (hiding: Hiding) => string
  /** How a careless origin reads, for the hidden request to be seen by it. */
  readonly seenBy: readonly Framing[]
}

const CL: Framing = 'prefer-content-length'
const TE: Framing = 'prefer-transfer-encoding'
const CHUNKED = 'Transfer-Encoding: chunked'

const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`
const covering = (body: string): string => `Content-Length: ${body.length}`
const post = ({ method, outer }: Hiding, lines: readonly string[], body: string): string =>
  message(method, outer, lines, body)
const behindLast = ({ inner }: Hiding): string => `0\r\n\r\n${inner}`

/** Chunks that end before the hidden request, and a length that covers it; the line tells of the chunks in its way. */
function hidden(name: string, line: string, before = ''): Payload {
  return {
    name,
    octets(hiding) {
      const body = behindLast(hiding)
      return post(hiding, [covering(body), `${before}${line}`], body)
    },
    seenBy: [TE],
  }
}

/** A chunked body that two servers end in different places. */
function chunks(name: string, body: (hiding: Hiding) => string, seenBy: readonly Framing[] = [CL, TE]): Payload {
  return { name, octets: (hiding) => post(hiding, [CHUNKED], body(hiding)), seenBy }
}

/** Lengths that contradict one another, or are none. */
function lengths(name: string, lines: (inner: string) => readonly string[], seenBy: Framing): Payload {
  return { name, octets: (hiding) => post(hiding, lines(hiding.inner), hiding.inner), seenBy: [seenBy] }
}

/** Ways to hide a request. */
export const PAYLOADS: readonly Payload[] = [
  hidden('CL and TE, the length covers what the chunks leave over', CHUNKED),
  {
    name: 'TE and CL, the length ends before the chunk',
    octets(hiding) {
      const body = `${chunk(hiding.inner)}0\r\n\r\n`
      return post(hiding, [CHUNKED, `Content-Length: ${body.indexOf(hiding.inner)}`], body)
    },
    seenBy: [CL],
  },
  hidden('TE with a space before the colon', 'Transfer-Encoding : chunked'),
  hidden('TE behind a vertical tab, with another coding', 'Transfer-Encoding:\t\u000bchunked, identity'),
  hidden('TE on a folded line', 'Transfer-Encoding:\r\n chunked'),
  hidden('TE of a coding that nobody knows', 'Transfer-Encoding: xchunked'),
  hidden('TE behind a bare LF in another header', CHUNKED, 'X-Ordinary: a\n'),
  lengths('two CL, the first shorter', (inner) => ['Content-Length: 0', covering(inner)], CL),
  lengths('two CL, the last shorter', (inner) => [covering(inner), 'Content-Length: 0'], TE),
  lengths('two CL in one line', (inner) => [`${covering(inner)}, 0`], TE),
  lengths('CL with a sign that covers it', (inner) => [`Content-Length: +${inner.length}`], TE),
  {
    name: 'CL "+5" in front of it',
    octets: (hiding) => post(hiding, ['Content-Length: +5'], `12345${hiding.inner}`),
    seenBy: [CL, TE],
  },
  {
    name: 'bare LF that ends the head',
    octets: (hiding) => `${post(hiding, ['X-Ordinary: b'], '').slice(0, -4)}\n\n${hiding.inner}`,
    seenBy: [CL, TE],
  },
  chunks('bare LF in the extension of a chunk', (hiding) => `5;a\nhello\r\n${behindLast(hiding)}`, [TE]),
  chunks('bare LF in the extension of the last chunk', ({ inner }) => `0;a\nb\r\n\r\n${inner}`),
  chunks('chunk size that wraps at 64 bits', ({ inner }) => `10000000000000000\r\n\r\n${inner}`),
  chunks('chunk size with a sign', (hiding) => `+5\r\nhello\r\n${behindLast(hiding)}`),
  chunks('chunk size with 0x', (hiding) => `0x5\r\nhello\r\n${behindLast(hiding)}`),
  chunks('chunk size that is no number', ({ inner }) => `zz\r\n\r\n${inner}`),
  chunks('chunk without its end', (hiding) => `5\r\nhello${behindLast(hiding)}`, [TE]),
  chunks('chunk with two other octets for its end', (hiding) => `5\r\nhelloXX${behindLast(hiding)}`),
  chunks('chunk extension that is none', (hiding) => `5;a"b\r\nhello\r\n${behindLast(hiding)}`),
  {
    name: 'TE in HTTP/1.0',
    octets(hiding) {
      const body = behindLast(hiding)
      const lines = [covering(body), 'Connection: keep-alive', CHUNKED]
      return post(hiding, lines, body).replace(' HTTP/1.1\r\n', ' HTTP/1.0\r\n')
    },
    seenBy: [TE],
  },
]
