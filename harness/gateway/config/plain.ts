import { TrustspecError } from '../../model/errors.ts'
import { isNode } from '../../openapi/document.ts'
import type { Node, OpenApiDocument } from '../../openapi/document.ts'
import { apiKey } from '../policies/api-key-inbound.ts'
import { rateLimitInbound } from '../policies/rate-limit-inbound.ts'
import { upstreamJwt } from '../policies/upstream-zuplo-jwt-auth-inbound.ts'
import type { GatewayAlgorithm, GatewayProject, PolicySettings, RouteSettings } from '../settings.ts'
import { forwardTo } from './handlers.ts'
import { isProjectDocument, METHODS } from './routes.ts'

/** How the operations of a plain document are put behind the gateway. */
export interface PlainOptions {
  readonly document: OpenApiDocument
  /** Where requests go: `https://origin.example.com`, with a path or without. */
  readonly origin: URL
  /** `aud` of gateway tokens; default: the URL of the origin. */
  readonly audience?: string
  readonly algorithm: GatewayAlgorithm
  /** Requests in a minute for each consumer; undefined: no limit. */
  readonly requestsPerMinute: number | undefined
}

/** A project of which every operation needs an API key, is limited, and reaches the origin with a gateway token. */
export function plainProject(options: PlainOptions): GatewayProject {
  const { document, origin, algorithm } = options
  const { root } = document
  if (isProjectDocument(root['paths'])) {
    throw new TrustspecError('ERR_USAGE', 'The document is written for a gateway project', {
      flag: '--openapi',
      instead: '--project with the folder that holds config/routes.oas.json',
    })
  }
  const policies = policiesOf(options)
  const secured = policies.map(({ name }) => name)
  const base = origin.pathname.replace(/\/$/u, '')
  const handler = forwardTo(origin.origin, base)
  const isPublic = publicBy(root['security'])
  const routes = Object.entries(root['paths'] as Node).flatMap(([path, value]) => {
    const item = document.resolve(value)
    return METHODS.flatMap((method): readonly RouteSettings[] => {
      const operation = item[method]
      if (!isNode(operation)) return []
      const open = operation['security'] === undefined ? isPublic : publicBy(operation['security'])
      const where = `${method.toUpperCase()} ${path}`
      const settings = { mode: 'open-api' as const, pattern: path }
      return [
        { method: method.toUpperCase(), path: settings, cors: undefined, handler, inbound: open ? [] : secured, where },
      ]
    })
  })
  if (routes.length === 0) {
    throw new TrustspecError('ERR_USAGE', 'The document has no operations', {
      flag: '--openapi',
      instead: 'a document with at least one path and method',
    })
  }
  const jwtService = { basePath: '/__zuplo/issuer', lifetimeSec: 300, algorithm }
  return { routes, policies, jwtService, own: new Map() }
}

/** Whether security requirements permit a request without any (OpenAPI 3.1, section 4.8.30); silence permits nothing. */
function publicBy(security: unknown): boolean {
  if (!Array.isArray(security)) return false
  return security.length === 0 || security.some((one) => isNode(one) && Object.keys(one).length === 0)
}

function policiesOf({ origin, audience, requestsPerMinute }: PlainOptions): readonly PolicySettings[] {
  return [
    { name: 'api-key', kind: apiKey, options: {} },
    ...(requestsPerMinute === undefined
      ? []
      : [
          {
            name: 'rate-limit',
            kind: rateLimitInbound,
            options: { rateLimitBy: 'user', requestsAllowed: requestsPerMinute, timeWindowMinutes: 1 },
          },
        ]),
    { name: 'gateway-token', kind: upstreamJwt, options: { audience: audience ?? origin.origin } },
  ]
}
