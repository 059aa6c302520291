import { createHash } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type { IncomingMessage } from 'node:http'
import { headersOf } from './answer.ts'
import { isRefusal } from './steps.ts'
import type { Located, OriginContext, Outcome, Refusal, Steps } from './steps.ts'
import type { Route } from '../model/profile.ts'

/** The route whose path is exactly that of the request, query aside. */
export function locate(request: IncomingMessage, context: OriginContext): Located | Refusal {
  const [path = ''] = (request.url ?? '').split('?')
  return routeAt(path, request.method ?? '', context)
}

/** The route at a path for a method; 404 and 405 else. */
export function routeAt(path: string, method: string, { profile }: OriginContext): Located | Refusal {
  const at = (routes: readonly Route[] = []): Route | undefined => routes.find((route) => route.path === path)
  const open = at(profile.publicRoutes)
  const route = open ?? at(profile.routes)
  if (!route) return { status: 404 }
  return route.methods.includes(method) ? { route, public: open !== undefined } : { status: 405 }
}

/** From the credential to the claims, each step refusing what the one before let pass. */
export async function guard(
  request: IncomingMessage,
  route: Route,
  context: OriginContext,
  steps: Steps,
): Promise<Outcome> {
  const compact = await steps.readCredential(request)
  if (isRefusal(compact)) return { refusal: compact }
  const parsed = steps.parse(compact)
  if (isRefusal(parsed)) return { refusal: parsed }
  const key = await steps.findKey(parsed, context)
  if (isRefusal(key)) return { refusal: key }
  const claims = steps.verify(parsed, key)
  if (!claims) return { refusal: { status: 401, error: 'invalid_token' } }
  const refusal = steps.judgeClaims(claims, parsed, route, context)
  return refusal ? { refusal } : { claims }
}

/** Counts the transfers, which is all that a route of this origin does. */
export function act(route: Route, { done }: OriginContext): void {
  if (route.once) done.transfers += 1
}

/** GUID that a WebSocket handshake proves itself with (RFC 6455 section 1.3). */
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Completes a WebSocket handshake for vouched claims, refuses all else, and speaks no further. */
export function upgrade(outcome: Outcome, request: IncomingMessage, socket: Duplex): void {
  if ('refusal' in outcome) {
    const { status } = outcome.refusal
    const headers = Object.entries(headersOf(outcome.refusal)).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.end(`HTTP/1.1 ${status} Refused\r\n${headers.join('')}Content-Length: 0\r\nConnection: close\r\n\r\n`)
    return
  }
  const key = request.headers['sec-websocket-key'] ?? ''
  const accept = createHash('sha1').update(`${key}${WEBSOCKET_GUID}`).digest('base64')
  const head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
  // A close frame with code 1000: there is nothing to say.
  socket.end(
    Buffer.concat([Buffer.from(`${head}Sec-WebSocket-Accept: ${accept}\r\n\r\n`), Buffer.of(0x88, 2, 3, 0xe8)]),
  )
}
