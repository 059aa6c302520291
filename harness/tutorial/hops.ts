import type { HeaderLines } from '../model/http.ts'
import type { Passed } from './relay.ts'
import type { Hop, Station } from './stage.ts'

/** A JWS in compact form. */
const TOKEN = /\beyJ[\w-]+\.[\w-]+\.[\w-]*/gu

/** Characters of a token that are shown. */
const SHOWN = 10

/** What may be shown of a key: its prefix and its last four characters. */
export function shortKey(key: string): string {
  return `${/^[a-z][a-z0-9]*_/u.exec(key)?.[0] ?? ''}…${key.slice(-4)}`
}

/** The text with every token, and each of these keys, shortened. */
export function shortened(text: string, keys: readonly string[]): string {
  let short = text.replaceAll(TOKEN, (token) => `${token.slice(0, SHOWN)}…`)
  for (const key of keys) short = short.replaceAll(key, shortKey(key))
  return short
}

/** What passed, as it may be shown. */
export function hopOf(from: Station, to: Station, passed: Passed, keys: readonly string[]): Hop {
  const clean = (lines: HeaderLines): HeaderLines => lines.map(([name, value]) => [name, shortened(value, keys)])
  const token = decoded(passed.headers)
  return {
    from,
    to,
    request: shortened(passed.request, keys),
    headers: clean(passed.headers),
    status: passed.status,
    answerHeaders: clean(passed.answerHeaders),
    answerBody: shortened(passed.answerBody, keys),
    ...(token === undefined ? {} : { token }),
  }
}

/** Header and claims of the first token in these lines. */
function decoded(lines: HeaderLines): Hop['token'] {
  const found = lines.flatMap(([, value]) => value.match(TOKEN) ?? [])[0]
  if (found === undefined) return undefined
  const [header = '', claims = ''] = found.split('.')
  try {
    return { header: jsonOf(header), claims: jsonOf(claims) }
  } catch {
    return undefined
  }
}

function jsonOf(segment: string): unknown {
  return JSON.parse(Buffer.from(segment, 'base64url').toString())
}
