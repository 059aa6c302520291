import { problem } from '../reply.ts'
import type { GatewayRequest } from '../request.ts'
import type { Destination, Handler } from '../settings.ts'
import { compileTemplate } from './templates.ts'
import type { TemplateMeans } from './templates.ts'
import { RUNTIME } from '../runtime/loader.ts'
import { importOf } from './variables.ts'
import { flagAt, objectAt, shown, textAt, within, wrong } from './wrong.ts'
import type { Place } from './wrong.ts'

/** The handlers, each with the option that says where requests go. */
const HANDLERS: Readonly<Record<string, string>> = { urlForwardHandler: 'baseUrl', urlRewriteHandler: 'rewritePattern' }

const NO_PATH = problem(400, { detail: 'The request does not make a path for the origin' })

/** The handler of a route. */
export function handlerAt(value: unknown, place: Place, means: TemplateMeans): Handler {
  if (value === undefined) {
    const instead = `"handler": { "export": "urlForwardHandler", "module": "$import(${RUNTIME})", "options": { … } }`
    throw wrong('The route has no handler', place, { instead })
  }
  const { export: exported, module, options: given = {} } = objectAt(value, place, ['export', 'module', 'options'])
  const name = textAt(exported, within(place, 'export'), Object.keys(HANDLERS).join(' or '))
  if (importOf(module) !== RUNTIME) {
    throw wrong('A handler is one of the gateway itself', within(place, 'module'), {
      given: shown(module),
      instead: `$import(${RUNTIME})`,
    })
  }
  const option = Object.hasOwn(HANDLERS, name) ? HANDLERS[name] : undefined
  if (option === undefined) {
    throw wrong('There is no such handler', within(place, 'export'), {
      given: name,
      instead: Object.keys(HANDLERS).join(' or '),
    })
  }
  const at = within(place, 'options')
  const options = objectAt(given, at, [option, 'forwardSearch', 'followRedirects'])
  const forwardSearch = flagAt(options['forwardSearch'], true, within(at, 'forwardSearch'))
  const followRedirects = flagAt(options['followRedirects'], false, within(at, 'followRedirects'))
  const url = textAt(options[option], within(at, option), 'https://origin.example.com, or ${env.ORIGIN_URL}')
  const destination =
    option === 'baseUrl'
      ? forward(url, within(at, option), means, forwardSearch)
      : rewrite(url, within(at, option), means, forwardSearch)
  return { followRedirects, destination }
}

/** Appends the path of the request, octet for octet, to the base. */
function forward(url: string, place: Place, means: TemplateMeans, forwardSearch: boolean): Handler['destination'] {
  const { origin, target, fixed, hasQuery, placesSearch } = compileTemplate(url, place, means)
  if (hasQuery || placesSearch) {
    throw wrong('The base has a query', place, { given: url, instead: 'urlRewriteHandler, or the base without it' })
  }
  if (fixed !== undefined) return below(origin, fixed, forwardSearch)
  return (request) => {
    const base = target(request)
    return base === undefined ? NO_PATH : below(origin, base, forwardSearch)(request)
  }
}

function rewrite(url: string, place: Place, means: TemplateMeans, forwardSearch: boolean): Handler['destination'] {
  const { origin, target, hasQuery, placesSearch } = compileTemplate(url, place, means)
  const adds = forwardSearch && !placesSearch
  return (request) => {
    const made = target(request)
    if (made === undefined) return NO_PATH
    if (!adds || request.search === '') return { origin, target: made }
    return { origin, target: hasQuery ? `${made}&${request.search.slice(1)}` : made + request.search }
  }
}

/** Appends path and query of every request to a base; of the path what stands behind so many segments. */
export function forwardTo(origin: string, base: string, skipped = 0): Handler {
  return { destination: below(origin, base, true, skipped), followRedirects: false }
}

/** The path of the request from a segment on, in the octets that it has, below a base. */
function below(
  origin: string,
  base: string,
  forwardSearch: boolean,
  skipped = 0,
): (request: GatewayRequest) => Destination {
  const prefix = base.replace(/\/$/u, '')
  return ({ path, search }) => ({
    origin,
    target: `${prefix}${skipped === 0 ? path : behind(path, skipped)}${forwardSearch ? search : ''}`,
  })
}

/** By segments, since not every spelling of a path has as many octets. */
function behind(path: string, segments: number): string {
  let at = 0
  for (let segment = 0; segment < segments && at >= 0; segment += 1) at = path.indexOf('/', at + 1)
  return at < 0 ? '' : path.slice(at)
}
