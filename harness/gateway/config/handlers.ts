import { nearest } from '../../model/nearest.ts'
import { problem } from '../reply.ts'
import type { Handler } from '../settings.ts'
import { compileTemplate, staticText } from './templates.ts'
import { importOf, RUNTIME, withEnvironment } from './variables.ts'
import type { Environment } from './variables.ts'
import { kindOf, objectAt, textAt, within, wrong } from './wrong.ts'
import type { Place } from './wrong.ts'

/** Options that each handler knows. */
const HANDLERS = {
  urlForwardHandler: ['baseUrl', 'forwardSearch', 'followRedirects'],
  urlRewriteHandler: ['rewritePattern', 'forwardSearch', 'followRedirects'],
} as const

/** The handler of a route. */
export function handlerAt(value: unknown, environment: Environment, place: Place): Handler {
  const { export: exported, module, options: given = {} } = objectAt(value, place, ['export', 'module', 'options'])
  const name = textAt(exported, within(place, 'export'), Object.keys(HANDLERS).join(' or '))
  const from = importOf(module)
  if (from !== RUNTIME) {
    throw wrong('A handler is one of the gateway itself', within(place, 'module'), {
      given: typeof module === 'string' ? module : kindOf(module),
      instead: `$import(${RUNTIME})`,
    })
  }
  if (!(name in HANDLERS)) {
    throw wrong('There is no such handler', within(place, 'export'), {
      given: name,
      instead: nearest(name, Object.keys(HANDLERS)),
    })
  }
  const at = within(place, 'options')
  const options = objectAt(given, at, HANDLERS[name as keyof typeof HANDLERS])
  const forwardSearch = flagAt(options['forwardSearch'], true, within(at, 'forwardSearch'))
  const followRedirects = flagAt(options['followRedirects'], false, within(at, 'followRedirects'))
  if (name === 'urlForwardHandler') {
    const { origin, rest } = baseOf(options['baseUrl'], environment, within(at, 'baseUrl'))
    return forwardTo(origin, rest, forwardSearch, followRedirects)
  }
  const pattern = within(at, 'rewritePattern')
  const { origin, rest } = baseOf(options['rewritePattern'], environment, pattern)
  const template = compileTemplate(rest === '' ? '/' : rest, environment, pattern)
  const hasQuery = rest.includes('?')
  return {
    followRedirects,
    destination(request) {
      const target = template(request)
      if (target === undefined) return problem(400, { detail: 'The path can be read in two ways' })
      if (!forwardSearch || request.search === '') return { origin, target }
      return { origin, target: `${target}${hasQuery ? `&${request.search.slice(1)}` : request.search}` }
    },
  }
}

/** Appends the path of the request to a base, octet for octet. */
export function forwardTo(origin: string, base: string, forwardSearch = true, followRedirects = false): Handler {
  const prefix = base.replace(/\/$/u, '')
  return {
    followRedirects,
    destination: ({ path, search }) => ({ origin, target: `${prefix}${path}${forwardSearch ? search : ''}` }),
  }
}

/** Scheme, host and port, which no request can change, and what follows them. */
function baseOf(value: unknown, environment: Environment, place: Place) {
  const example = 'https://origin.example.com, or ${env.ORIGIN_URL}'
  const given = withEnvironment(textAt(value, place, example), environment, place) as string
  // A variable at the beginning may hold a path as well.
  const text = given.replace(/^\$\{[^}]*\}/u, (first) => staticText(first, environment, place))
  const parts = /^(https?:\/\/[^/?#]+)(.*)$/su.exec(text)
  const origin = parts ? staticText(parts[1] ?? '', environment, place) : ''
  if (!parts || !URL.canParse(origin)) {
    throw wrong('This is no absolute http or https URL', place, { given: text, instead: example })
  }
  const url = new URL(origin)
  if (url.username !== '' || url.password !== '') {
    throw wrong('The URL holds credentials', place, {
      given: url.host,
      instead: 'the policy set-upstream-api-key-inbound',
    })
  }
  const rest = parts[2] ?? ''
  if (rest.includes('#')) throw wrong('The URL has a fragment', place, { given: rest, instead: 'the URL without it' })
  return { origin: url.origin, rest }
}

function flagAt(value: unknown, otherwise: boolean, place: Place): boolean {
  if (value === undefined) return otherwise
  if (typeof value === 'boolean') return value
  throw wrong('This has to be true or false', place, { given: kindOf(value), instead: String(otherwise) })
}
