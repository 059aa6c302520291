import type { IncomingMessage, ServerResponse } from 'node:http'
import type { JsonObject } from '../model/json.ts'
import type { Outcome, Refusal } from './steps.ts'

/** Text that only an accepted answer contains. */
export const MARKER = 'reference-origin:accepted'

const REALM = 'realm="reference origin"'

/** Answers with the subject, or refuses with a challenge and no detail. */
export function answer(outcome: Outcome, _request: IncomingMessage, response: ServerResponse): void {
  if ('claims' in outcome) {
    send(response, 200, {}, bodyOf(outcome.claims))
    return
  }
  const { refusal } = outcome
  send(response, refusal.status, headersOf(refusal), { error: refusal.error ?? 'unauthorized' })
}

/** Body of an accepted answer. */
export function bodyOf(claims: JsonObject): object {
  return { marker: MARKER, sub: claims['sub'] }
}

/** WWW-Authenticate as RFC 6750 section 3 has it, and Retry-After while no key can be had. */
export function headersOf({ status, error, scope }: Refusal): Record<string, string> {
  if (status === 503) return { 'retry-after': '5' }
  if (status === 404) return {}
  if (status === 405) return { allow: 'GET, POST' }
  const attributes = [
    REALM,
    ...(error ? [`error="${error}"`] : []),
    ...(scope === undefined ? [] : [`scope="${scope}"`]),
  ]
  return { 'www-authenticate': `Bearer ${attributes.join(', ')}` }
}

/** Sends JSON that no cache may keep. */
export function send(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: object,
): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'content-length': Buffer.byteLength(text),
    ...headers,
  })
  response.end(text)
}
