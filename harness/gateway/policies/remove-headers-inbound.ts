import { listOf } from '../options.ts'
import type { PolicyKind } from '../policy.ts'
import { settableHeader } from './settable-header.ts'

/** Removes headers of the request, in any case and number. */
export const removeHeadersInbound: PolicyKind = {
  type: 'remove-headers-inbound',
  exported: 'RemoveHeadersInboundPolicy',
  options: { known: { headers: listOf(settableHeader) }, required: ['headers'] },
  create(options) {
    const names = (options['headers'] as readonly string[]).map((name) => name.toLowerCase())
    return (request) => {
      for (const name of names) request.headers.remove(name)
      return undefined
    }
  },
}
