import { nearest } from '../../model/nearest.ts'
import { METHODS } from '../../openapi/operations.ts'
import type { CorsPolicy, PolicySettings, RouteSettings } from '../settings.ts'
import { handlerAt } from './handlers.ts'
import { pathAt } from './paths.ts'
import type { DeclaredPath } from './paths.ts'
import type { Policies } from './policies.ts'
import type { Environment } from './variables.ts'
import { kindOf, objectAt, shown, textAt, within, wrong } from './wrong.ts'
import type { Place } from './wrong.ts'

/** What routes refer to. */
export interface RouteMeans {
  readonly policies: Policies
  readonly environment: Environment
  /** Whether a JWT service is registered. */
  readonly hasTokens: boolean
}

/** A route, and where it stands. */
export interface DeclaredRoute {
  readonly route: RouteSettings
  readonly place: Place
}

/** Members of a path item besides methods and extensions (OpenAPI 3.1 section 4.8.9). */
const ITEM_MEMBERS = ['summary', 'description', 'servers', 'parameters']

/** The routes of one `*.oas.json`, in the order of the document. */
export function routesAt(value: unknown, file: string, means: RouteMeans): readonly DeclaredRoute[] {
  const document = objectAt(value, { file, at: '' })
  const version = document['openapi']
  if (typeof version !== 'string' || !/^3\.[01](?:\.|$)/u.test(version)) {
    throw wrong('The document is not OpenAPI 3', { file, at: '/openapi' }, { given: shown(version), instead: '3.1.0' })
  }
  const paths = objectAt(document['paths'] ?? {}, { file, at: '/paths' })
  return Object.entries(paths).flatMap(([path, item]) => {
    const place = within({ file, at: '/paths' }, path)
    const members = itemAt(item, place)
    const declared = pathAt(path, members['x-zuplo-path'], place)
    return METHODS.flatMap((method) => {
      const at = within(place, method)
      const operation = members[method]
      return operation === undefined ? [] : [{ route: routeAt(method, declared, operation, at, means), place: at }]
    })
  })
}

/** A path item. What is unknown is not passed over: a method with a slip of the pen would be a route that is not there. */
function itemAt(item: unknown, place: Place): Readonly<Record<string, unknown>> {
  const members = objectAt(item, place)
  if (members['$ref'] !== undefined) {
    throw wrong('A path of a project is no reference', within(place, '$ref'), { instead: 'the operations themselves' })
  }
  refuseExtensions(members, place, 'x-zuplo-path')
  const known = [...METHODS, ...ITEM_MEMBERS]
  const unknown = Object.keys(members).find((name) => !known.includes(name) && !name.startsWith('x-'))
  if (unknown === undefined) return members
  throw wrong('There is no such member', within(place, unknown), { given: unknown, instead: nearest(unknown, known) })
}

/** Extensions of others mean nothing here; one of ours that is misspelt, or stands elsewhere, would be missed. */
function refuseExtensions(members: Readonly<Record<string, unknown>>, place: Place, own: string): void {
  const unknown = Object.keys(members).find((name) => name.startsWith('x-zuplo') && name !== own)
  if (unknown === undefined) return
  throw wrong('There is no such extension here', within(place, unknown), { given: unknown, instead: own })
}

function routeAt(
  method: string,
  { settings, params }: DeclaredPath,
  operation: unknown,
  place: Place,
  { policies, environment, hasTokens }: RouteMeans,
): RouteSettings {
  const members = objectAt(operation, place)
  refuseExtensions(members, place, 'x-zuplo-route')
  const extension = members['x-zuplo-route']
  const at = within(place, 'x-zuplo-route')
  if (extension === undefined) {
    throw wrong('The operation has no x-zuplo-route', place, {
      instead: 'one with "handler" and "policies", or trustspec gateway --openapi for a plain document',
    })
  }
  const {
    corsPolicy = 'none',
    handler,
    policies: used = {},
  } = objectAt(extension, at, ['corsPolicy', 'handler', 'policies'])
  const here = within(at, 'policies')
  const { inbound = [], outbound = [] } = objectAt(used, here, ['inbound', 'outbound'])
  const [outside] = namesAt(outbound, within(here, 'outbound'))
  if (outside !== undefined) {
    throw wrong('There is no such outbound policy', within(here, 'outbound', 0), {
      given: outside,
      instead: 'no outbound policies: this gateway has none',
    })
  }
  const names = namesAt(inbound, within(here, 'inbound'))
  for (const [nth, name] of names.entries()) {
    const policy = policyNamed(name, policies.policies, within(here, 'inbound', nth))
    if (policy.kind.needsTokens === true && !hasTokens) {
      throw wrong('The policy needs the JWT service', within(here, 'inbound', nth), {
        policy: name,
        instead: 'runtime.addPlugin(new JwtServicePlugin()) in modules/zuplo.runtime.ts',
      })
    }
  }
  return {
    method: method.toUpperCase(),
    path: settings,
    cors: corsNamed(corsPolicy, policies.cors, within(at, 'corsPolicy')),
    handler: handlerAt(handler, within(at, 'handler'), { environment, params }),
    inbound: names,
    where: `${method.toUpperCase()} ${settings.pattern}`,
  }
}

/** A policy that is skipped without a word leaves a route open. */
function policyNamed(name: string, known: ReadonlyMap<string, PolicySettings>, place: Place): PolicySettings {
  const policy = known.get(name)
  if (policy) return policy
  throw wrong('There is no policy of that name', place, {
    given: name,
    instead: known.size === 0 ? 'a name that policies.json has' : nearest(name, [...known.keys()]),
  })
}

function corsNamed(
  given: unknown,
  known: ReadonlyMap<string, CorsPolicy | undefined>,
  place: Place,
): CorsPolicy | undefined {
  const name = textAt(given, place, [...known.keys()].join(', '))
  if (known.has(name)) return known.get(name)
  throw wrong('There is no CORS policy of that name', place, { given: name, instead: nearest(name, [...known.keys()]) })
}

function namesAt(value: unknown, place: Place): readonly string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  throw wrong('This has to be a list of names', place, { given: kindOf(value), instead: '["name"]' })
}
