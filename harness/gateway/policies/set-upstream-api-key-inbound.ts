import { flag, headerValue, text } from '../options.ts'
import type { OptionCheck, OptionTable } from '../options.ts'
import type { PolicyKind } from '../policy.ts'
import { settableHeader } from './settable-header.ts'

interface Options {
  readonly header?: string
  readonly value: string
  readonly overwrite?: boolean
}

const secret: OptionCheck = (value) => text(value) ?? headerValue(value)

const options: OptionTable = {
  known: { header: settableHeader, value: secret, overwrite: flag },
  required: ['value'],
}

const read = (given: Readonly<Record<string, unknown>>): Required<Options> => ({
  header: 'Authorization',
  overwrite: true,
  ...(given as unknown as Options),
})

/** Sets the credential that the origin asks the gateway for; one that the caller sent never takes its place. */
export const setUpstreamApiKeyInbound: PolicyKind = {
  type: 'set-upstream-api-key-inbound',
  exported: 'SetUpstreamApiKeyInboundPolicy',
  options,
  headers: (given) => ({ sets: [read(given).header] }),
  create(given) {
    const { header, value, overwrite } = read(given)
    const lowered = header.toLowerCase()
    return (request) => {
      if (overwrite || !request.headers.has(lowered)) request.headers.set(header, value)
      return undefined
    }
  },
}
