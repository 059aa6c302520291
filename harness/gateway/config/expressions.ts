import type { TrustspecError } from '../../model/errors.ts'
import { nearest } from '../../model/nearest.ts'
import { urlOf } from '../request.ts'
import type { GatewayRequest } from '../request.ts'
import { customOf } from '../runtime/context.ts'
import { isObject, wrong } from './wrong.ts'
import type { Place } from './wrong.ts'

/** The value of an expression for a request; empty where there is none. */
export type Value = (request: GatewayRequest) => string

/** What an expression is read with. */
export interface ExpressionMeans {
  /** Names of the path parameters of the route. */
  readonly params: readonly string[]
  readonly place: Place
}

/** Members of an expression such as `request.user.data["plan"]` or `headers.get("accept")`. */
const STEP = /\??\.get\(\s*(["'])([^"'()]+)\1\s*\)|\??\.([\w$-]+)|\[\s*(["'])([^"']+)\4\s*\]/y

const ROOT = /^[A-Za-z_$][\w$]*/u

/** Values that are single words. */
const WORDS: Readonly<Record<string, Value>> = {
  url: urlOf,
  method: ({ method }) => method,
  pathname: ({ path }) => path,
  search: ({ search }) => search,
  ...Object.fromEntries(
    (['origin', 'protocol', 'host', 'hostname', 'port'] as const).map((part) => [
      part,
      (request: GatewayRequest) => new URL(request.url)[part],
    ]),
  ),
}

/** Every first word that an expression can have. */
const ROOTS = ['env', 'params', 'query', 'headers', 'request', 'context', ...Object.keys(WORDS)]

/** An expression taken apart: `e()` around it changes nothing, since values are encoded wherever they stand. */
export function membersOf(text: string): readonly string[] | undefined {
  const inner = (/^(?:encodeURIComponent|e)\((.*)\)$/su.exec(text.trim())?.[1] ?? text).trim()
  const root = ROOT.exec(inner)?.[0]
  if (root === undefined) return undefined
  const members = [root]
  STEP.lastIndex = root.length
  for (let at = root.length; at < inner.length; at = STEP.lastIndex) {
    STEP.lastIndex = at
    const step = STEP.exec(inner)
    if (!step) return undefined
    members.push(step[2] ?? step[3] ?? step[5] ?? '')
  }
  return members
}

/** Finds the value that the members of an expression name; an error at its place where there is none. */
export function valueOf(members: readonly string[], means: ExpressionMeans): Value {
  const [root = '', name = '', ...more] = members
  if (root === 'request') {
    // What a request has of its own is there under these words too.
    if (['params', 'query', 'headers', 'url', 'method'].includes(name)) return valueOf(members.slice(1), means)
    if (name === 'user') return userValue(more, members, means)
    throw unknown(members, ['params', 'query', 'headers', 'url', 'method', 'user'], means)
  }
  if (root === 'context') {
    if (name === 'requestId' && more.length === 0) return ({ id }) => id
    if (name === 'custom' && more.length > 0) return (request) => plain(deep(customOf(request), more))
    throw unknown(members, ['requestId', 'custom'], means)
  }
  if (root === 'params' && name !== '' && more.length === 0) {
    if (!means.params.includes(name)) throw unknown(members, means.params, means)
    return ({ params }) => params[name] ?? ''
  }
  if (root === 'query' && name !== '' && more.length === 0) {
    return ({ search }) => new URLSearchParams(search).get(name) ?? ''
  }
  if (root === 'headers' && name !== '' && more.length === 0) {
    const lowered = name.toLowerCase()
    return ({ headers }) => headers.get(lowered) ?? ''
  }
  const word = members.length === 1 && Object.hasOwn(WORDS, root) ? WORDS[root] : undefined
  if (word) return word
  throw unknown(members, ROOTS, means, 0)
}

function userValue(path: readonly string[], members: readonly string[], means: ExpressionMeans): Value {
  const [name, ...more] = path
  if (name === 'sub' && more.length === 0) return ({ user }) => user?.sub ?? ''
  if (name === 'data' && more.length > 0) return ({ user }) => plain(deep(user?.data, more))
  throw unknown(members.slice(0, 3), ['sub', 'data'], means)
}

function deep(value: unknown, path: readonly string[]): unknown {
  return path.reduce((at, name) => (isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined), value)
}

function plain(value: unknown): string {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
}

/** The complaint about the member at a place among them, with the one that may have been meant. */
function unknown(
  members: readonly string[],
  known: readonly string[],
  { place }: ExpressionMeans,
  at = members.length - 1,
): TrustspecError {
  const likely = known.length === 0 ? undefined : members.with(at, nearest(members[at] ?? '', known))
  return wrong('There is no such value in a template', place, {
    given: `\${${members.join('.')}}`,
    instead: likely ? `\${${likely.join('.')}}` : 'a path that has this parameter',
  })
}
