import type { IncomingMessage } from 'node:http'
import type { Reply } from './reply.ts'
import type { CorsPolicy } from './settings.ts'
import type { Route } from './steps.ts'

/** Lines of an answer to a request from that origin, flat (Fetch, section 3.3); none where the origin is not allowed. */
export function corsLines(cors: CorsPolicy, origin: string | undefined): string[] {
  if (origin === undefined) return ['Vary', 'Origin']
  if (!isAllowed(cors, origin)) return ['Vary', 'Origin']
  const lines = ['Access-Control-Allow-Origin', origin, 'Vary', 'Origin']
  if (cors.allowCredentials) lines.push('Access-Control-Allow-Credentials', 'true')
  if (cors.exposeHeaders.length > 0) lines.push('Access-Control-Expose-Headers', cors.exposeHeaders.join(', '))
  return lines
}

/** Whether a request is a preflight (Fetch, section 3.2.2). */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined
}

/** The answer to a preflight by the routes at its path; undefined where none of them allows what is asked. */
export function preflight({ headers }: IncomingMessage, routes: readonly Route[]): Reply | undefined {
  const { origin = '' } = headers
  const method = headers['access-control-request-method'] ?? ''
  const asked = (headers['access-control-request-headers'] ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '')
  const cors = routes.find((route) => route.method === method)?.cors
  if (!cors || !isAllowed(cors, origin)) return undefined
  const methods = cors.allowedMethods
  if (!methods.includes('*') && !methods.includes(method)) return undefined
  const names = cors.allowedHeaders.map((name) => name.toLowerCase())
  if (!names.includes('*') && asked.some((name) => !names.includes(name))) return undefined
  return {
    status: 204,
    headers: [
      ['Access-Control-Allow-Origin', origin],
      ['Access-Control-Allow-Methods', method],
      ...(asked.length === 0 ? [] : [['Access-Control-Allow-Headers', asked.join(', ')] as const]),
      ...(cors.allowCredentials ? [['Access-Control-Allow-Credentials', 'true'] as const] : []),
      ...(cors.maxAgeSec === undefined ? [] : [['Access-Control-Max-Age', String(cors.maxAgeSec)] as const]),
      ['Vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers'],
    ],
    body: '',
  }
}

function isAllowed({ allowedOrigins }: CorsPolicy, origin: string): boolean {
  return allowedOrigins.some((allowed) => {
    if (allowed === '*' || allowed === origin) return true
    const star = allowed.indexOf('*')
    if (star < 0) return false
    const [before, after] = [allowed.slice(0, star), allowed.slice(star + 1)]
    const middle = origin.slice(before.length, origin.length - after.length)
    // One label: what a star stands for holds no dot, slash or colon.
    return (
      origin.length > before.length + after.length &&
      origin.startsWith(before) &&
      origin.endsWith(after) &&
      /^[\w-]+$/u.test(middle)
    )
  })
}
