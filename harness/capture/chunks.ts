import type { Anomaly, Framing } from '../model/capture.ts'
import type { HeaderLines } from '../model/http.ts'
import { linesOf, parseHeaderLines } from './head.ts'
import { takeLine } from './source.ts'
import type { Source } from './source.ts'

/** Where the octets of a body go. */
export interface BodySink {
  /** Octets of the content, as they are on the wire too. */
  readonly content: (octets: Buffer) => void
  /** Octets that frame the content. */
  readonly frame: (octets: Buffer) => void
  readonly found: (anomaly: Anomaly) => void
  readonly trailersRead: (trailers: HeaderLines) => void
}

/** Octets of a line with a size, and of all trailers together, at most. */
const LONGEST_LINE = 16 * 1024
const MOST_TRAILERS = 256 * 1024

const EXTENSIONS =
  /^(?:[ \t]*;[ \t]*[!#$%&'*+.^_`|~\w-]+(?:[ \t]*=[ \t]*(?:[!#$%&'*+.^_`|~\w-]+|"(?:[\t \u0021\u0023-\u005b\u005d-\u007e\u0080-\u00ff]|\\[\t \u0021-\u007e\u0080-\u00ff])*"))?)*$/u

/** Passes that many octets on; false when the connection ends before. */
export async function readContent(source: Source, length: number, take: (octets: Buffer) => void): Promise<boolean> {
  for (let left = length; left > 0;) {
    if (source.length === 0 && !(await source.more())) return false
    const octets = source.take(left)
    left -= octets.length
    take(octets)
  }
  return true
}

/**
 * Reads a chunked body with its trailers (RFC 9112 section 7.1). False when the connection ends before it does, or
 * where a strict origin stops.
 */
export async function readChunks(source: Source, framing: Framing, sink: BodySink): Promise<boolean> {
  const stops = (anomaly: Anomaly): boolean => {
    sink.found(anomaly)
    return framing === 'strict'
  }
  for (;;) {
    const line = await takeLine(source, LONGEST_LINE, framing === 'prefer-content-length' ? '\r\n' : '\n')
    if (!line) {
      if (source.length > LONGEST_LINE) sink.found('chunk-extension')
      return false
    }
    sink.frame(line)
    const wrong = lineAnomalies(line)
    for (const anomaly of wrong) sink.found(anomaly)
    if (framing === 'strict' && wrong.length > 0) return false
    const size = sizeOf(line)
    if (size === 0) return await readTrailers(source, framing, sink)
    if (!(await readContent(source, size, sink.content))) return false
    if (!(await hasOctets(source, 2))) return false
    if (source.waiting.toString('latin1', 0, 2) !== '\r\n' && stops('chunk-end')) return false
    sink.frame(source.take(endOf(source.waiting, framing)))
  }
}

function lineAnomalies(line: Buffer): readonly Anomaly[] {
  const text = line.toString('latin1')
  const [, size = '', extensions = ''] = /^([0-9a-f]*)([^]*?)\r?\n$/iu.exec(text) ?? []
  const found: Anomaly[] = []
  if (!text.endsWith('\r\n')) found.push('bare-lf')
  // Sixteen digits are where sizes of 64 bits begin to wrap.
  if (size === '' || size.length > 15) found.push('chunk-size')
  else if (!EXTENSIONS.test(extensions)) found.push(/^[ \t]*;/u.test(extensions) ? 'chunk-extension' : 'chunk-size')
  return found
}

/** As a careless origin reads it: a sign or 0x in front is skipped, 64 bits are kept, what is no number is 0. */
function sizeOf(line: Buffer): number {
  const digits = /^\s*\+?(?:0x)?([0-9a-f]+)/iu.exec(line.toString('latin1'))?.[1] ?? '0'
  return Number(BigInt(`0x${digits.slice(-16)}`))
}

/** How many octets end a chunk: two whatever they are, or as much of CR LF as there is. */
function endOf(waiting: Buffer, framing: Framing): number {
  if (framing !== 'prefer-transfer-encoding') return 2
  return /^\r?\n?/u.exec(waiting.toString('latin1', 0, 2))?.[0].length ?? 0
}

async function hasOctets(source: Source, count: number): Promise<boolean> {
  while (source.length < count) if (!(await source.more())) return false
  return true
}

async function readTrailers(source: Source, framing: Framing, sink: BodySink): Promise<boolean> {
  const block: Buffer[] = []
  let left = MOST_TRAILERS
  for (;;) {
    const line = await takeLine(source, left)
    if (!line) {
      if (source.length > left) sink.found('head-too-large')
      return false
    }
    left -= line.length
    sink.frame(line)
    block.push(line)
    if (line.length === 1 || (line.length === 2 && line[0] === 0x0d)) break
  }
  const found = new Set<Anomaly>()
  sink.trailersRead(parseHeaderLines(linesOf(Buffer.concat(block), found), found))
  for (const anomaly of found) sink.found(anomaly)
  return framing !== 'strict' || found.size === 0
}
