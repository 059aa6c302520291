import type { GatewayRequest } from './request.ts'
import type { Destination } from './settings.ts'
import type { GatewayContext } from './steps.ts'

/** Names that node:http or undici set by themselves, or refuse. */
const FRAMING: ReadonlySet<string> = new Set(['host', 'expect', 'content-length'])

/** Header lines for the origin: the caller's as policies left them, and what the gateway knows of the caller. */
export function outgoing(
  request: GatewayRequest,
  destination: Pick<Destination, 'origin'>,
  { publicUrl }: Pick<GatewayContext, 'publicUrl'>,
): string[] {
  const { headers, clientAddress, contentLength } = request
  const { names, lines: held } = headers
  const lines = ['Host', destination.origin.slice(destination.origin.indexOf('//') + 2)]
  for (let at = 0; at < names.length; at += 1) {
    if (!FRAMING.has(names[at] ?? '')) lines.push(held[at * 2] ?? '', held[at * 2 + 1] ?? '')
  }
  const separator = publicUrl.indexOf('://')
  lines.push(
    'X-Forwarded-For',
    clientAddress,
    'X-Forwarded-Proto',
    publicUrl.slice(0, separator),
    'X-Forwarded-Host',
    publicUrl.slice(separator + 3),
    'X-Real-IP',
    clientAddress,
    'True-Client-IP',
    clientAddress,
    'zp-rid',
    request.id,
  )
  if (contentLength !== undefined && contentLength > 0) lines.push('Content-Length', String(contentLength))
  return lines
}
