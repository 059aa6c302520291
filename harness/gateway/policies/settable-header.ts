import { HOP_BY_HOP } from '../clean.ts'
import { headerName } from '../options.ts'
import type { OptionCheck } from '../options.ts'

/** Fields that frame a message or name its destination: to change one would change where a request ends or goes. */
const FRAMING: ReadonlySet<string> = new Set(['host', 'content-length', 'expect', 'http2-settings'])

/** Fields that the gateway writes behind all policies. */
const WRITTEN: ReadonlySet<string> = new Set([
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-real-ip',
  'true-client-ip',
  'zp-rid',
])

/** Name of a field that policies may set or remove. */
export const settableHeader: OptionCheck = (value) => {
  const wrong = headerName(value)
  if (wrong !== undefined) return wrong
  const name = String(value).toLowerCase()
  if (HOP_BY_HOP.has(name) || FRAMING.has(name))
    return 'the name of a header that belongs to the request, not to the connection'
  return WRITTEN.has(name) ? 'the name of a header that the gateway does not write itself' : undefined
}
