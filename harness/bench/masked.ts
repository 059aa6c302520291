import type { Exchange } from './exchange.ts'
import { maskOf } from './mask.ts'
import type { Hidden } from './mask.ts'
import type { CaseOutcome } from './outcome.ts'

/** Compact tokens, however they are used: evidence says that there was one, not which. */
const TOKEN = /[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}/gu

/** An exchange without the tokens that a gateway made. */
export const withoutTokens = (text: string): string => text.replaceAll(TOKEN, '$GATEWAY_TOKEN')

/**
 * The outcome without what is hidden: the one place through which everything goes that a report says of what was sent
 * and of what came back. `further` is done to exchanges as well.
 */
export function masked(outcome: CaseOutcome, hidden: readonly Hidden[], further?: typeof withoutTokens): CaseOutcome {
  const hide = maskOf(hidden)
  const hideInExchange = maskOf(hidden, further)
  const { inconclusive, notApplicable, measured } = outcome
  return {
    ...outcome,
    findings: outcome.findings.map(({ exchange, ...finding }) => ({
      ...finding,
      stimulus: hide(finding.stimulus),
      expected: hide(finding.expected),
      observed: hide(finding.observed),
      ...(exchange ? { exchange: maskedExchange(exchange, hideInExchange) } : {}),
    })),
    notProven: outcome.notProven.map((one) => ({ ...one, stimulus: hide(one.stimulus), reason: hide(one.reason) })),
    measured: Object.fromEntries(
      Object.entries(measured).map(([name, value]) => [hide(name), typeof value === 'string' ? hide(value) : value]),
    ),
    ...(inconclusive === undefined ? {} : { inconclusive: hide(inconclusive) }),
    ...(notApplicable === undefined ? {} : { notApplicable: hide(notApplicable) }),
  }
}

function maskedExchange(exchange: Exchange, hide: (text: string) => string): Exchange {
  const { answer, body } = exchange
  const text = body === undefined || typeof body === 'string' ? body : Buffer.from(body).toString('latin1')
  const lines = (headers: Exchange['headers']): Exchange['headers'] =>
    headers.map(([name, value]) => [hide(name), hide(value)])
  return {
    ...exchange,
    target: hide(exchange.target),
    headers: lines(exchange.headers),
    ...(text === undefined ? {} : { body: hide(text) }),
    answer: { ...answer, headers: lines(answer.headers), body: hide(answer.body) },
  }
}
