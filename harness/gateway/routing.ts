import { TrustspecError } from '../model/errors.ts'
import type { Match, Route, RouteTable } from './steps.ts'

interface Entry {
  readonly route: Route
  /** Place in the project: the first that fits wins. */
  readonly order: number
}

interface Pattern extends Entry {
  readonly match: (path: string) => Readonly<Record<string, string>> | undefined
}

/** Letters, digits, `-`, `.`, `_` and `~` in percent-encoded form (RFC 3986 section 2.3). */
const NEEDLESS = /%(?:2[de]|3\d|[46][1-9a-f]|5[\daf]|7[\dae])/giu

/**
 * The one spelling of a path that is known by: nothing is percent-encoded that need not be, and hex digits are in upper
 * case (RFC 3986 section 6.2.2). An origin takes the others for the same, so that they must not reach another route.
 */
export function canonical(path: string): string {
  if (!path.includes('%')) return path
  return path
    .replaceAll(NEEDLESS, (encoded) => String.fromCharCode(Number.parseInt(encoded.slice(1), 16)))
    .replaceAll(/%[\da-f]{2}/giu, (encoded) => encoded.toUpperCase())
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({})

/** Compiles the routes; what is looked for is a canonical path, and compares with theirs octet by octet. */
export function routeTable(routes: readonly Route[]): RouteTable {
  const literal = new Map<string, Entry[]>()
  const patterns: Pattern[] = []
  for (const [order, route] of routes.entries()) {
    const { mode, pattern } = route.path
    if (mode === 'open-api' && !pattern.includes('{')) {
      const path = canonical(pattern)
      const entries = literal.get(path) ?? []
      entries.push({ route, order })
      literal.set(path, entries)
    } else {
      const match = mode === 'open-api' ? templateMatcher(pattern) : patternMatcher(pattern, route.where)
      patterns.push({ route, order, match })
    }
  }
  return {
    find(method, path) {
      const exact = literal.get(path)?.find(({ route }) => route.method === method)
      for (const { route, order, match } of patterns) {
        if (exact && order > exact.order) break
        if (route.method !== method) continue
        const params = match(path)
        if (params) return { route, params } satisfies Match
      }
      return exact && { route: exact.route, params: NO_PARAMS }
    },
    at(path) {
      const exact = (literal.get(path) ?? []).map(({ route, order }) => ({ route, order }))
      const fitting = patterns.filter(({ match }) => match(path) !== undefined)
      return [...exact, ...fitting].toSorted((one, other) => one.order - other.order).map(({ route }) => route)
    },
  }
}

/** `/orders/{id}`: a parameter is the whole of what stands between two slashes or literals, and never empty. */
function templateMatcher(template: string): Pattern['match'] {
  const names: string[] = []
  const source = template
    .split(/(\{[^{}]+\})/u)
    .map((part) => {
      if (!part.startsWith('{')) return canonical(part).replaceAll(/[$()*+.?[\\\]^{|}]/gu, String.raw`\$&`)
      names.push(part.slice(1, -1))
      return '([^/]+?)'
    })
    .join('')
  const expression = new RegExp(`^${source}$`, 'u')
  return (path) => {
    const found = expression.exec(path)
    if (!found) return undefined
    const values = found.slice(1).map(decoded)
    if (values.includes(undefined)) return undefined
    return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']))
  }
}

/** A pathname in the syntax of URLPattern. */
function patternMatcher(pattern: string, where: string): Pattern['match'] {
  let compiled: URLPattern
  try {
    compiled = new URLPattern({ pathname: pattern })
  } catch (error) {
    throw new TrustspecError(
      'ERR_USAGE',
      'The path is no URL pattern',
      { where, path: pattern, instead: 'a pathname such as /files/* or /orders/:id' },
      { cause: error },
    )
  }
  return (path) => {
    const groups = compiled.exec({ pathname: path })?.pathname.groups
    if (!groups) return undefined
    const entries = Object.entries(groups).map(([name, value]) => [name, decoded(value ?? '')] as const)
    if (entries.some(([, value]) => value === undefined)) return undefined
    return Object.fromEntries(entries) as Record<string, string>
  }
}

function decoded(text: string): string | undefined {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
