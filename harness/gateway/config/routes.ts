import { nearest } from '../../model/nearest.ts'
import { isNode } from '../../openapi/document.ts'
import type { CorsPolicy, PolicySettings, RouteSettings } from '../settings.ts'
import { handlerAt } from './handlers.ts'
import type { Policies } from './policies.ts'
import type { Environment } from './variables.ts'
import { kindOf, objectAt, textAt, within, wrong } from './wrong.ts'
import type { Place } from './wrong.ts'

/** Methods of a path item (OpenAPI 3.1, section 4.8.9). */
export const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const

/** Everything is allowed, save for credentials: an answer for everybody must not be one for somebody. */
const ANYTHING_GOES: CorsPolicy = {
  name: 'anything-goes',
  allowedOrigins: ['*'],
  allowedMethods: ['*'],
  allowedHeaders: ['*'],
  exposeHeaders: ['*'],
  maxAgeSec: 600,
  allowCredentials: false,
}

/** What routes refer to. */
export interface RouteMeans {
  readonly policies: Policies
  readonly environment: Environment
  /** Whether a JWT service is registered. */
  readonly hasTokens: boolean
}

/** The routes of one `*.oas.json`, in the order of the document. */
export function routesAt(value: unknown, file: string, means: RouteMeans): readonly RouteSettings[] {
  const document = objectAt(value, { file, at: '' })
  const version = document['openapi']
  if (typeof version !== 'string' || !/^3\.[01](?:\.|$)/u.test(version)) {
    throw wrong('The document is not OpenAPI 3', { file, at: '/openapi' }, { given: String(version), instead: '3.1.0' })
  }
  const paths = objectAt(document['paths'], { file, at: '/paths' })
  return Object.entries(paths).flatMap(([path, item]) => {
    const place = within({ file, at: '/paths' }, path)
    const operations = objectAt(item, place)
    const settings = pathAt(path, operations['x-zuplo-path'], place)
    return METHODS.flatMap((method) => {
      const operation = operations[method]
      return operation === undefined ? [] : [routeAt(method, settings, operation, within(place, method), means)]
    })
  })
}

function pathAt(path: string, extension: unknown, place: Place): RouteSettings['path'] {
  if (!path.startsWith('/')) throw wrong('A path begins with a slash', place, { given: path, instead: `/${path}` })
  if (path.startsWith('/__zuplo')) {
    throw wrong('The path is reserved for the gateway', place, {
      given: path,
      instead: 'a path that does not begin with /__zuplo',
    })
  }
  const { pathMode = 'open-api' } =
    extension === undefined ? {} : objectAt(extension, within(place, 'x-zuplo-path'), ['pathMode'])
  if (pathMode !== 'open-api' && pathMode !== 'url-pattern') {
    throw wrong('There is no such path mode', within(place, 'x-zuplo-path', 'pathMode'), {
      given: typeof pathMode === 'string' ? pathMode : kindOf(pathMode),
      instead: 'open-api or url-pattern',
    })
  }
  if (pathMode === 'url-pattern') {
    if (!isPattern(path))
      throw wrong('The path is no URL pattern', place, { given: path, instead: 'a pathname such as /files/*' })
    return { mode: pathMode, pattern: path }
  }
  const names = [...path.matchAll(/\{([^{}/]*)\}/gu)].map((match) => match[1] ?? '')
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) {
    throw wrong('A path parameter stands twice', place, { given: `{${twice}}`, instead: 'names of their own' })
  }
  const rest = path.replaceAll(/\{[^{}/]+\}/gu, '')
  if (/[{}]/u.test(rest)) {
    throw wrong('The braces of the path are not in pairs', place, {
      given: path,
      instead: 'parameters such as /orders/{id}',
    })
  }
  return { mode: pathMode, pattern: path }
}

function isPattern(pathname: string): boolean {
  try {
    return new URLPattern({ pathname }).pathname !== ''
  } catch {
    return false
  }
}

function routeAt(
  method: string,
  path: RouteSettings['path'],
  operation: unknown,
  place: Place,
  { policies, environment, hasTokens }: RouteMeans,
): RouteSettings {
  const { 'x-zuplo-route': extension } = objectAt(operation, place)
  const at = within(place, 'x-zuplo-route')
  if (extension === undefined) {
    throw wrong('The operation has no x-zuplo-route', place, {
      instead:
        '"x-zuplo-route": { "handler": …, "policies": { "inbound": […] } }, or trustspec gateway --openapi for a plain document',
    })
  }
  const {
    corsPolicy = 'none',
    handler,
    policies: used = {},
  } = objectAt(extension, at, ['corsPolicy', 'handler', 'policies'])
  const { inbound = [], outbound = [] } = objectAt(used, within(at, 'policies'), ['inbound', 'outbound'])
  const outside = namesAt(outbound, within(at, 'policies', 'outbound'))
  if (outside[0] !== undefined) {
    throw wrong('There is no such outbound policy', within(at, 'policies', 'outbound'), {
      given: outside[0],
      instead: 'no outbound policies: this gateway has none',
    })
  }
  const names = namesAt(inbound, within(at, 'policies', 'inbound'))
  for (const [nth, name] of names.entries()) {
    const policy = policyNamed(name, policies.policies, within(at, 'policies', 'inbound', nth))
    if (policy.kind.needsTokens && !hasTokens) {
      throw wrong('The policy needs the JWT service', within(at, 'policies', 'inbound', nth), {
        policy: name,
        instead: 'runtime.addPlugin(new JwtServicePlugin()) in modules/zuplo.runtime.ts',
      })
    }
  }
  return {
    method: method.toUpperCase(),
    path,
    cors: corsNamed(corsPolicy, policies.cors, within(at, 'corsPolicy')),
    handler: handlerAt(handler, environment, within(at, 'handler')),
    inbound: names,
    where: `${method.toUpperCase()} ${path.pattern}`,
  }
}

function policyNamed(name: string, known: ReadonlyMap<string, PolicySettings>, place: Place): PolicySettings {
  const policy = known.get(name)
  if (policy) return policy
  // A policy that is skipped without a word leaves a route open.
  const names = [...known.keys()]
  throw wrong('There is no policy of that name', place, {
    given: name,
    instead: names.length === 0 ? 'a name that policies.json has' : nearest(name, names),
  })
}

function corsNamed(name: unknown, known: ReadonlyMap<string, CorsPolicy>, place: Place): CorsPolicy | undefined {
  const text = textAt(name, place, 'none, anything-goes, or a name of corsPolicies')
  if (text === 'none') return undefined
  if (text === 'anything-goes') return ANYTHING_GOES
  const cors = known.get(text)
  if (cors) return cors
  const names = ['none', 'anything-goes', ...known.keys()]
  throw wrong('There is no CORS policy of that name', place, { given: text, instead: nearest(text, names) })
}

function namesAt(value: unknown, place: Place): readonly string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  throw wrong('This has to be a list of names', place, { given: kindOf(value), instead: '["name"]' })
}

/** Whether any operation of a document is written for a gateway project. */
export function isProjectDocument(paths: unknown): boolean {
  if (!isNode(paths)) return false
  return Object.values(paths).some(
    (item) => isNode(item) && METHODS.some((method) => isNode(item[method]) && 'x-zuplo-route' in item[method]),
  )
}
