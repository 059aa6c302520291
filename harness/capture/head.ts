import type { Anomaly } from '../model/capture.ts'
import type { HeaderLines } from '../model/http.ts'

/** What a head says, as read without refusing anything. */
export interface Head {
  readonly method: string
  readonly target: string
  readonly version: string
  readonly headers: HeaderLines
  readonly lines: readonly string[]
  readonly anomalies: readonly Anomaly[]
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/u
// RFC 9112 section 3: single spaces, and a target without white space or controls.
const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\u0021-\u007e\u0080-\u00ff]+) (HTTP\/\d\.\d)$/u
/** Controls that no field value has (RFC 9110 section 5.5); CR has an anomaly of its own. */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000a-\u000c\u000e-\u001f\u007f]/u

/** Values of the lines of that name in wire order, whatever the case and the space around the name. */
export function valuesOf(headers: HeaderLines, name: string): readonly string[] {
  const wanted = name.toLowerCase()
  return headers.flatMap(([other, value]) => (other.trim().toLowerCase() === wanted ? [value] : []))
}

/** Reads the octets of a head as the most careless origin would, and notes what it had to be careless about. */
export function parseHead(octets: Buffer): Head {
  const found = new Set<Anomaly>()
  const lines = linesOf(octets, found)
  while (lines.length > 1 && lines[0] === '') {
    found.add('leading-empty-line')
    lines.shift()
  }
  const [requestLine = '', ...rest] = lines
  const exact = REQUEST_LINE.exec(requestLine)
  if (!exact) found.add('request-line')
  const [method, target, version] = exact ? [exact[1], exact[2], exact[3]] : looseRequestLine(requestLine)
  const headers = parseHeaderLines(rest, found)
  const hosts = valuesOf(headers, 'host').length
  if (hosts === 0 && version !== 'HTTP/1.0') found.add('host-missing')
  if (hosts > 1) found.add('host-repeated')
  return {
    method: method ?? '',
    target: target ?? '',
    version: version ?? '',
    headers,
    lines: rest,
    anomalies: [...found],
  }
}

/** Reads header or trailer lines; adds what is wrong with them to `found`. */
export function parseHeaderLines(lines: readonly string[], found: Set<Anomaly>): HeaderLines {
  const headers: [string, string][] = []
  for (const line of lines) {
    if (CONTROL.test(line)) found.add('control-character')
    if (/\r/u.test(line)) found.add('bare-cr')
    const last = headers.at(-1)
    if (/^[ \t]/u.test(line)) {
      if (last) {
        found.add('obs-fold')
        // RFC 9112 section 5.2: one or more spaces in place of the fold.
        last[1] = `${last[1]} ${trimmed(line)}`.trim()
        continue
      }
      found.add('space-before-header')
    }
    const colon = line.indexOf(':')
    if (colon < 0) {
      found.add('no-colon')
      headers.push([line, ''])
      continue
    }
    const name = line.slice(0, colon)
    if (/[ \t]$/u.test(name)) found.add('space-before-colon')
    else if (!TOKEN.test(name.trimStart())) found.add('header-name')
    headers.push([name, trimmed(line.slice(colon + 1))])
  }
  return headers
}

/** Lines of a block that ends with an empty line, without their ends and without the empty one. */
export function linesOf(octets: Buffer, found: Set<Anomaly>): string[] {
  const lines = octets.toString('latin1').split('\n')
  // Behind the last LF there is nothing, or a line that was cut at the limit.
  const rest = lines.pop()
  const ended = lines.map((line) => {
    if (line.endsWith('\r')) return line.slice(0, -1)
    found.add('bare-lf')
    return line
  })
  if (rest) ended.push(rest)
  else if (ended.at(-1) === '') ended.pop()
  return ended
}

function looseRequestLine(line: string): readonly [string, string, string] {
  const words = line.trim().split(/\s+/u)
  const version = words.length > 1 && /^HTTP\//iu.test(words.at(-1) ?? '') ? (words.pop() ?? '') : ''
  const [method = '', ...target] = words
  return [method, target.join(' '), version]
}

/** Without the optional white space around a value (RFC 9110 section 5.6.3). */
function trimmed(value: string): string {
  return value.replaceAll(/^[ \t]+|[ \t]+$/gu, '')
}
