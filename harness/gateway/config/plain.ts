import { TrustspecError } from '../../model/errors.ts'
import { isNode } from '../../openapi/document.ts'
import type { Node, OpenApiDocument } from '../../openapi/document.ts'
import { basePathOf, isPublic, METHODS } from '../../openapi/operations.ts'
import { apiKey } from '../policies/api-key-inbound.ts'
import { rateLimitInbound } from '../policies/rate-limit-inbound.ts'
import { upstreamJwt } from '../policies/upstream-zuplo-jwt-auth-inbound.ts'
import type { GatewayAlgorithm, GatewayProject, PolicySettings, RouteSettings } from '../settings.ts'
import { forwardTo } from './handlers.ts'
import { pathAt } from './paths.ts'
import { within } from './wrong.ts'

/** How the operations of a plain document are put behind the gateway. */
export interface PlainOptions {
  readonly document: OpenApiDocument
  /**
   * Where the API is: without a path of its own the paths of the document's servers go there as they are; with one, it
   * stands in their place.
   */
  readonly origin: URL
  /** `aud` of gateway tokens; default: scheme, host and port of the origin. */
  readonly audience?: string
  readonly algorithm: GatewayAlgorithm
  /** Requests in a minute for each consumer; undefined: no limit. */
  readonly requestsPerMinute: number | undefined
  /** Keys that may fail in a minute from one address; undefined: any number. */
  readonly failedKeysPerMinute?: number | undefined
}

/**
 * A project of which every operation needs an API key, is limited, and reaches the origin with a gateway token, unless
 * the document says that it needs no credential. Callers find the operations below the path of the document's first
 * server, as its other readers do.
 */
export function plainProject(options: PlainOptions): GatewayProject {
  const { document, origin, algorithm } = options
  checkOrigin(origin)
  const policies = policiesOf(options)
  const secured = policies.map(({ name }) => name)
  const routes = Object.entries(document.root['paths'] as Node).flatMap(([template, value]) => {
    if (!template.startsWith('/')) return []
    const item = document.resolve(value)
    return METHODS.flatMap((method) => {
      const operation = item[method]
      return isNode(operation) ? [routeOf(template, item, method, operation, options, secured)] : []
    })
  })
  if (routes.length === 0) {
    throw usage('The document has no operations', '--openapi', { instead: 'one with at least one path and method' })
  }
  const jwtService = { basePath: '/__zuplo/issuer', lifetimeSec: 300, algorithm }
  // A path that is written out comes before one with parameters, wherever they stand (OpenAPI 3.1 section 4.8.8.2).
  const isConcrete = ({ path }: RouteSettings): number => (path.pattern.includes('{') ? 1 : 0)
  const sorted = routes.toSorted((one, other) => isConcrete(one) - isConcrete(other))
  return { routes: sorted, policies, jwtService, own: new Map() }
}

function routeOf(
  template: string,
  item: Node,
  method: string,
  operation: Node,
  { document: { root }, origin }: PlainOptions,
  secured: readonly string[],
): RouteSettings {
  const place = within({ file: 'the OpenAPI document', at: '/paths' }, template)
  if ('x-zuplo-route' in operation) {
    throw usage('The document is written for a gateway project', '--openapi', {
      at: within(place, method).at,
      instead: '--project with the folder that holds config/routes.oas.json',
    })
  }
  const servers = [operation, item, root].find((holder) => holder['servers'] !== undefined)
  const base = servers === undefined ? '' : basePathOf(servers)
  const { settings } = pathAt(`${base}${template}`, undefined, place)
  const replaces = origin.pathname !== '/'
  return {
    method: method.toUpperCase(),
    path: settings,
    cors: undefined,
    handler: forwardTo(origin.origin, origin.pathname, replaces ? base.split('/').length - 1 : 0),
    inbound: isPublic(operation['security'] ?? root['security']) ? [] : secured,
    where: `${method.toUpperCase()} ${settings.pattern}`,
  }
}

function checkOrigin({ username, password, search, hash }: URL): void {
  if (username !== '' || password !== '') {
    throw usage('The URL of the origin holds credentials', '--origin', { instead: 'the URL without them' })
  }
  if (search !== '' || hash !== '') {
    throw usage('The URL of the origin has a query or a fragment', '--origin', { instead: 'the URL without it' })
  }
}

function policiesOf({
  origin,
  audience,
  requestsPerMinute,
  failedKeysPerMinute,
}: PlainOptions): readonly PolicySettings[] {
  const limit = { rateLimitBy: 'user', requestsAllowed: requestsPerMinute, timeWindowMinutes: 1 }
  return [
    {
      name: 'api-key',
      kind: apiKey,
      options: failedKeysPerMinute === undefined ? {} : { failedKeysAllowed: failedKeysPerMinute },
    },
    ...(requestsPerMinute === undefined ? [] : [{ name: 'rate-limit', kind: rateLimitInbound, options: limit }]),
    { name: 'gateway-token', kind: upstreamJwt, options: { audience: audience ?? origin.origin } },
  ]
}

function usage(message: string, flag: string, fields: Readonly<Record<string, string>>): TrustspecError {
  return new TrustspecError('ERR_USAGE', message, { flag, ...fields })
}
