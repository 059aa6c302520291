import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { corsLines } from './cors.ts'
import { answerAndPart, readAway } from './linger.ts'
import type { Reply, Verdict } from './reply.ts'
import { tellStatus } from './request.ts'
import type { GatewayRequest } from './request.ts'
import type { GatewaySteps, Route } from './steps.ts'
import type { Parts } from './take.ts'

/** Octets of a body that are read away so that its connection can be kept. */
const SHORT = 64 * 1024

/** Sends what the gateway answers itself, and gives its status. */
export function send(
  { context, steps, connections }: Parts,
  response: ServerResponse,
  verdict: Verdict,
  request: GatewayRequest,
  route: Route | undefined,
): number {
  const reply = written(steps, verdict, request, context.services.clock.nowMs)
  const { req: incoming } = response
  const lines: string[] = [...reply.headers.flat(), 'zp-rid', request.id, ...request.answerLines]
  if (route?.cors) lines.push(...corsLines(route.cors, incoming.headers.origin))
  const body = request.method === 'HEAD' ? '' : reply.body
  const unread = incoming.complete ? 0 : announced(incoming.headers)
  const closes = reply.close === true || unread > SHORT
  if (closes) {
    lines.push('Connection', 'close')
    connections.closing(incoming.socket)
  }
  if (reply.status !== 204 && reply.status !== 304) lines.push('Content-Length', String(Buffer.byteLength(reply.body)))
  // An origin may have tried one that cannot be sent.
  response.statusMessage = ''
  response.writeHead(reply.status, lines)
  if (unread > 0 && closes) answerAndPart(response, body, context.limits.lingerMs)
  else {
    response.end(body)
    if (unread > 0) readAway(incoming, context.limits.lingerMs)
  }
  tellStatus(request, reply.status)
  return reply.status
}

/** Octets of the body that a request announces; infinitely many where it does not say. */
function announced(headers: IncomingHttpHeaders): number {
  return headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : Infinity
}

function written(steps: GatewaySteps, verdict: Verdict, request: GatewayRequest, nowMs: () => number): Reply {
  if (!('problem' in verdict)) return verdict
  return steps.refuse(verdict, { instance: request.path, requestId: request.id, nowMs: nowMs() })
}
