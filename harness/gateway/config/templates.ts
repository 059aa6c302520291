import { nearest } from '../../model/nearest.ts'
import type { GatewayRequest } from '../request.ts'
import { variable } from './variables.ts'
import type { Environment } from './variables.ts'
import { wrong } from './wrong.ts'
import type { Place } from './wrong.ts'

/** A part of a template: text as it stands, or a value of the request. */
type Part = string | ((request: GatewayRequest) => string)

/** A target that is put together for each request; undefined where a value would change what path it is. */
export type Template = (request: GatewayRequest) => string | undefined

/** Values of a request that a template may use. */
const ROOTS = [
  'env',
  'request',
  'context',
  'params',
  'query',
  'headers',
  'url',
  'host',
  'hostname',
  'pathname',
  'port',
  'search',
] as const

/** What is percent-encoded where a value is put into a path or a query: all that could end its place. */
const RESERVED = /[^\w.~!$'()*,:@-]/gu

/** Replaces `${env.NAME}`; any other expression is an error, since no request is there yet. */
export function staticText(text: string, environment: Environment, place: Place): string {
  return text.replaceAll(/\$\{([^}]*)\}/gu, (_, expression: string) => {
    const name = /^\s*env\.(\w+)\s*$/u.exec(expression)?.[1]
    if (name === undefined) {
      throw wrong('Only variables of the environment can stand here', place, {
        given: `\${${expression}}`,
        instead: '${env.NAME}',
      })
    }
    return variable(name, environment, place)
  })
}

/** Compiles the path and query of a rewrite pattern. */
export function compileTemplate(text: string, environment: Environment, place: Place): Template {
  const parts = text.split(/(\$\{[^}]*\})/u).flatMap((part): readonly Part[] => {
    if (!part.startsWith('${')) return part === '' ? [] : [part]
    return [expression(part.slice(2, -1).trim(), environment, place)]
  })
  return (request) => {
    let target = ''
    for (const part of parts) target += typeof part === 'string' ? part : part(request)
    const [path = ''] = target.split('?')
    // A value of dots, or an empty one, would lead to another path than the pattern says.
    return /\/(?:\.{1,2}(?:\/|$)|\/)/u.test(path) ? undefined : target
  }
}

function expression(text: string, environment: Environment, place: Place): Part {
  const call = /^(?:encodeURIComponent|e)\((.*)\)$/u.exec(text)
  // Values are encoded wherever they stand; to ask for it changes nothing.
  const [root = '', ...names] = (call?.[1] ?? text).trim().split('.')
  const name = names.join('.')
  const encoded = (value: string | undefined): string => (value ?? '').replaceAll(RESERVED, encode)
  switch (root) {
    case 'env':
      return variable(name, environment, place)
    case 'params':
      return ({ params }) => encoded(params[name])
    case 'query':
      return ({ search }) => encoded(new URLSearchParams(search).get(name) ?? '')
    case 'headers':
      return ({ headers }) => encoded(headers.get(name.toLowerCase()))
    case 'url':
      return ({ url }) => encoded(url)
    case 'host':
    case 'hostname':
    case 'port':
      return ({ url }) => encoded(new URL(url)[root])
    case 'pathname':
      return ({ path }) => path
    case 'search':
      return ({ search }) => search
    case 'request':
    case 'context':
      return member(root, name, place)
    default:
      throw wrong('There is no such value in a template', place, {
        given: `\${${text}}`,
        instead: `\${${nearest(root, ROOTS)}}, out of ${ROOTS.join(', ')}`,
      })
  }
}

/** Members of `request` and `context` that are the same wherever a gateway runs. */
function member(root: 'request' | 'context', name: string, place: Place): Part {
  const encoded = (value: string | undefined): string => (value ?? '').replaceAll(RESERVED, encode)
  const known: Readonly<Record<string, Exclude<Part, string>>> =
    root === 'request'
      ? {
          method: ({ method }) => encoded(method),
          url: ({ url }) => encoded(url),
          'user.sub': ({ user }) => encoded(user?.sub),
        }
      : { requestId: ({ id }) => encoded(id) }
  const found = known[name]
  if (found) return found
  throw wrong('There is no such value in a template', place, {
    given: `\${${root}.${name}}`,
    instead: `\${${root}.${nearest(name, Object.keys(known))}}`,
  })
}

function encode(character: string): string {
  return encodeURIComponent(character)
}
