import type { IncomingMessage } from 'node:http'
import type { Headers } from './headers.ts'
import { problem } from './reply.ts'
import type { Problem } from './reply.ts'
import type { Target } from './steps.ts'

/**
 * What servers decode or normalise differently in a path: slashes, backslashes and control octets in percent-encoded
 * form, what would be an encoding once it is decoded, backslashes and control octets as they are.
 */
const AMBIGUOUS = /%(?:2f|5c|[01][\da-f]|7f|25[\da-f]{2})|\\|[^\u0021-\u007e]/iu

/** A segment that is `.` or `..`, in any mixture of encodings, also in front of parameters. */
const DOTS = /(?:^|\/)(?:\.|%2e){1,2}(?:;[^/]*)?(?:\/|$)/iu

/** Paths of letters, digits and dashes, as nearly all are: nothing in them can be read in two ways. */
const PLAIN = /^(?:\/[\w-]+)+$/u

/** RFC 9110 section 7.2, and RFC 3986 section 3.2.2. */
const HOST = /^(?:[\w.~!$&'()*+,;=%-]*|\[[\da-f:.]+\])(?::\d*)?$/iu

const SCHEME = /^https?:\/\/[^/?#]*/iu

/** Methods for which a body means nothing, so that servers disagree about reading it (RFC 9110 section 9.3). */
const BODILESS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Refuses what no two servers read alike; gives path and query of what is left. */
export function admit(incoming: IncomingMessage, headers: Headers): Target | Problem {
  if (incoming.httpVersionMajor !== 1) return problem(505, { close: true })
  const hosts = headers.count('host')
  // RFC 9112 section 3.2.
  if (hosts > 1 || (hosts === 0 && incoming.httpVersionMinor > 0)) return refused('One Host is needed')
  if (!HOST.test(headers.get('host') ?? '')) return refused('The Host is no host')
  // It would show the caller what only the origin is to see (RFC 9110 section 9.3.8).
  if (incoming.method === 'TRACE') return problem(501, { close: true })
  if (headers.has('transfer-encoding')) {
    // RFC 9112 section 6.1: a coding that is not understood, and framing in a version that does not have it.
    if (headers.get('transfer-encoding')?.toLowerCase() !== 'chunked') return problem(501, { close: true })
    if (incoming.httpVersionMinor === 0 || headers.has('content-length')) return refused('The framing is ambiguous')
  }
  if (BODILESS.has(incoming.method ?? '') && hasBody(headers)) return refused('This method takes no body')
  const given = incoming.url ?? ''
  const target = given.startsWith('/') ? given : given.replace(SCHEME, '')
  if (target === given && !given.startsWith('/')) return refused('The target is neither a path nor a URL')
  if (target.includes('#')) return refused('The target has a fragment')
  const at = target.indexOf('?')
  const path = at < 0 ? target : target.slice(0, at)
  const search = at < 0 ? '' : target.slice(at)
  if (search === '' && PLAIN.test(path)) return { path, search }
  if (AMBIGUOUS.test(path) || DOTS.test(path) || path.includes('//')) return refused('The path can be read in two ways')
  if (path.includes('%') && !isDecodable(path)) return refused('The path is encoded wrongly')
  if (/[^\u0021-\u007e]/u.test(search)) return refused('The query holds octets that a URL cannot')
  return { path: path === '' ? '/' : path, search: search === '?' ? '' : search }
}

/** Whether a request announces a body. */
export function hasBody(headers: Headers): boolean {
  return headers.has('transfer-encoding') || (headers.get('content-length') ?? '0') !== '0'
}

/** Whether all that is percent-encoded is UTF-8; servers that are lenient read slashes and dots in what is not. */
function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}

/** The connection closes too: where the framing is in doubt, so is everything that follows. */
function refused(detail: string): Problem {
  return problem(400, { detail, close: true })
}
