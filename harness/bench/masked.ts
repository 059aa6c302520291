import { findSecretInText } from '../capture/search.ts'
import type { Exchange } from './exchange.ts'
import type { CaseOutcome } from './outcome.ts'

/** Compact tokens, however they are used: evidence says that there was one, not which. */
const TOKEN = /[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}/gu

/** The outcome without keys and tokens in its evidence: a known key becomes `$API_KEY`, a text that gives one away goes. */
export function masked(outcome: CaseOutcome, secrets: ReadonlySet<string>): CaseOutcome {
  const hide = maskOf(secrets)
  return {
    ...outcome,
    findings: outcome.findings.map((finding) =>
      finding.exchange ? { ...finding, exchange: maskedExchange(finding.exchange, hide) } : finding,
    ),
  }
}

function maskOf(secrets: ReadonlySet<string>): (text: string) => string {
  const all = [...secrets]
  const named = all.map((value) => ({ name: 'key', value }))
  return (text) => {
    const plain = all
      .reduce((rest, secret) => rest.replaceAll(secret, '$API_KEY'), text)
      .replaceAll(TOKEN, '$GATEWAY_TOKEN')
    return findSecretInText(plain, ...named).length > 0 ? '(a variant of $API_KEY)' : plain
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
