import { flag, headerValue, listOf, objectOf } from '../options.ts'
import type { PolicyKind } from '../policy.ts'
import { settableHeader } from './settable-header.ts'

interface Header {
  readonly name: string
  readonly value: string
  readonly overwrite?: boolean
}

/**
 * Fields by which a caller says what it sends and wants (RFC 9110). Nobody proves anything with them, so that callers
 * may still send them on routes where no policy sets them.
 */
const ORDINARY =
  /^(?:accept(?:-.+)?|cache-control|content-.+|date|from|if-.+|max-forwards|origin|pragma|prefer|priority|range|referer|sec-.+|traceparent|tracestate|user-agent)$/u

const headersOf = (options: Readonly<Record<string, unknown>>): readonly Header[] => options['headers'] as Header[]

/** Sets headers of the request to the origin. */
export const setHeadersInbound: PolicyKind = {
  type: 'set-headers-inbound',
  exported: 'SetHeadersInboundPolicy',
  options: {
    known: {
      headers: listOf(objectOf({ name: settableHeader, value: headerValue, overwrite: flag }, ['name', 'value'])),
    },
    required: ['headers'],
  },
  headers: (options) => ({
    // What may be a secret that the origin trusts comes from here or not at all; an origin cannot tell who wrote it.
    sets: headersOf(options)
      .filter(({ name, overwrite = true }) => overwrite && !ORDINARY.test(name.toLowerCase()))
      .map(({ name }) => name),
  }),
  create(options) {
    const headers = headersOf(options).map((header) => ({ ...header, lowered: header.name.toLowerCase() }))
    return (request) => {
      for (const { name, lowered, value, overwrite = true } of headers) {
        if (overwrite || !request.headers.has(lowered)) request.headers.set(name, value)
      }
      return undefined
    }
  },
}
