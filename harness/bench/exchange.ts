import type { Client } from '../client/client.ts'
import type { WireAnswer, WireRequest } from '../client/wire.ts'
import type { Answer, HeaderLines, Probe } from '../model/http.ts'
import type { ResolvedProfile, Route } from '../model/profile.ts'

/** A request that was sent and what came back, before anything is redacted. */
export interface Exchange {
  readonly method: string
  /** Request target. */
  readonly target: string
  readonly headers: HeaderLines
  readonly body?: string | Uint8Array
  readonly answer: Answer
  /** Scheme, host and port that it was sent to, where that is not the target of the run. */
  readonly base?: string
}

/** Route and method of a probe after the defaults. */
export function placeOf(probe: Probe, profile: ResolvedProfile): { readonly route: Route; readonly method: string } {
  const route = probe.route ?? profile.routes[0]
  return { route, method: probe.method ?? route.methods[0] ?? 'GET' }
}

/** Methods for which a body means nothing (RFC 9110 section 9.3). */
const BODILESS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT'])

/** The request of a probe, as the declared token header and scheme have it. */
export function requestOf(probe: Probe, profile: ResolvedProfile): WireRequest {
  const { route, method } = placeOf(probe, profile)
  const { header, scheme } = profile.token
  const inHeader = probe.token ? [scheme === '' ? probe.token.compact : `${scheme} ${probe.token.compact}`] : []
  const sample = probe.body === undefined && !BODILESS.has(method) ? route.body : undefined
  const body = probe.body ?? sample?.text
  const query = probe.query === undefined ? '' : `${route.path.includes('?') ? '&' : '?'}${probe.query}`
  return {
    method,
    target: probe.target ?? `${route.path}${query}`,
    headers: [
      ['Accept', '*/*'],
      ['User-Agent', 'trustspec'],
      ...(probe.credentials ?? inHeader).map((value) => [header, value] as const),
      ...(probe.headers ?? []),
      ...(route.headers ?? []),
      ...(sample ? [['Content-Type', sample.contentType] as const] : []),
    ],
    ...(body === undefined ? {} : { body }),
    ...(probe.withinMs === undefined ? {} : { withinMs: probe.withinMs }),
  }
}

/** Sends a probe and sorts what came back. */
export async function exchange(client: Client, probe: Probe, profile: ResolvedProfile, raw = false): Promise<Exchange> {
  const request = { ...requestOf(probe, profile), raw }
  const answer = answerOf(await client.send(request, probe.on), profile)
  return { ...request, answer }
}

/** Outcome and echoed identity of what came back. */
export function answerOf(wire: WireAnswer, profile: Pick<ResolvedProfile, 'marker' | 'identityEcho'>): Answer {
  const subject = wire.status >= 200 && wire.status < 300 ? echoOf(wire.body, profile.identityEcho) : undefined
  return {
    outcome: outcomeOf(wire, profile.marker),
    status: wire.status,
    headers: wire.headers,
    header: (name) =>
      wire.headers.filter(([other]) => other.toLowerCase() === name.toLowerCase()).map(([, value]) => value),
    body: wire.body,
    ...(subject === undefined ? {} : { subject }),
    ...(wire.failure ? { failure: wire.failure } : {}),
    ...(wire.cut ? { cut: true } : {}),
    ms: wire.ms,
    connection: wire.connection,
  }
}

function outcomeOf({ status, body, failure }: WireAnswer, marker: string | undefined): Answer['outcome'] {
  if (failure || status >= 500) return 'crashed'
  const marked = marker !== undefined && body.includes(marker)
  if (status >= 200 && status < 300) return marker === undefined || marked ? 'accepted' : 'other'
  // RFC 6585 section 5: 431 is the refusal of a header section for its size.
  return [400, 401, 403, 431].includes(status) && !marked ? 'refused' : 'other'
}

/** Value at an RFC 6901 pointer, when the body is JSON and the value a string. */
function echoOf(body: string, pointer: string | undefined): string | undefined {
  if (pointer === undefined) return undefined
  let at: unknown
  try {
    at = JSON.parse(body)
  } catch {
    return undefined
  }
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined
    at = (at as Record<string, unknown>)[name]
  }
  return typeof at === 'string' ? at : undefined
}

/** What was seen, in a few words, for reports. */
export function seen(answer: Answer): string {
  if (answer.failure === 'timeout') return `no answer within ${Math.round(answer.ms)} ms`
  if (answer.failure === 'reset') return 'the connection was closed without an answer'
  if (answer.failure === 'unreachable') return 'the connection was refused'
  if (answer.failure === 'malformed') return 'an answer that is not HTTP'
  const what = answer.outcome === 'other' && answer.status >= 200 && answer.status < 300 ? ', without the marker' : ''
  const as = answer.subject === undefined ? '' : `, given to ${JSON.stringify(answer.subject)}`
  return `status ${answer.status}${what}${as}`
}
