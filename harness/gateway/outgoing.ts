import type { GatewayRequest } from './request.ts'
import type { Destination } from './settings.ts'
import type { GatewayContext } from './steps.ts'

/** Names that node:http or undici set by themselves, or refuse. */
const FRAMING: ReadonlySet<string> = new Set(['host', 'expect', 'content-length'])

let last = { url: '', proto: '', host: '' }

/** Scheme and host of the public URL, which is the same for all requests of a gateway. */
function partsOf(url: string) {
  if (last.url !== url) {
    const at = url.indexOf('://')
    last = { url, proto: url.slice(0, at), host: url.slice(at + 3) }
  }
  return last
}

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
  const { proto, host } = partsOf(publicUrl)
  lines.push(
    'X-Forwarded-For',
    clientAddress,
    'X-Forwarded-Proto',
    proto,
    'X-Forwarded-Host',
    host,
    'True-Client-IP',
    clientAddress,
    'zp-rid',
    request.id,
  )
  if (contentLength !== undefined && contentLength > 0) lines.push('Content-Length', String(contentLength))
  return lines
}
