import { flag, headerValue, text } from '../options.ts'
import type { PolicyKind } from '../policy.ts'
import { problem } from '../reply.ts'
import { settableHeader } from './settable-header.ts'

/** Stands for the value of the parameter in `headerValue`. */
const PLACE = '{value}'

/** Moves a query parameter into a header, for callers that can set no header: an API key, say. */
export const queryParamToHeader: PolicyKind = {
  type: 'query-param-to-header-inbound',
  exported: 'QueryParamToHeaderInboundPolicy',
  options: {
    known: { queryParam: text, headerName: settableHeader, headerValue, removeFromUrl: flag },
    required: ['queryParam', 'headerName', 'headerValue'],
  },
  headers: (options) => ({ reads: [String(options['headerName'])] }),
  create(options) {
    const parameter = String(options['queryParam'])
    const header = String(options['headerName'])
    const form = String(options['headerValue'])
    const removes = options['removeFromUrl'] !== false
    const several = problem(400, { detail: `The parameter ${parameter} and the header ${header} are given together` })
    return (request) => {
      if (request.search === '') return undefined
      const pairs = request.search.slice(1).split('&')
      const own = pairs.filter((pair) => nameOf(pair) === parameter)
      const [only] = own
      if (only === undefined) return undefined
      // Which of two credentials counts is not for a gateway to guess.
      if (own.length > 1 || request.headers.has(header.toLowerCase())) return several
      const value = decoded(only.slice(only.indexOf('=') + 1))
      // eslint-disable-next-line no-control-regex -- the octets that a field value must not hold
      if (value === undefined || /[^\u0020-\u007e]/u.test(value))
        return problem(400, { detail: 'The value is no text' })
      const rest = removes ? pairs.filter((pair) => pair !== only) : pairs
      request.search = rest.length === 0 ? '' : `?${rest.join('&')}`
      request.headers.set(
        header,
        form.replaceAll(PLACE, () => value),
      )
      return undefined
    }
  },
}

function nameOf(pair: string): string | undefined {
  const at = pair.indexOf('=')
  return at < 0 ? undefined : decoded(pair.slice(0, at))
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
