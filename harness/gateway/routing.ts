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

/**
 * Compiles the routes; what is looked for is a canonical path, and compares with theirs octet by octet. A path that a
 * lenient origin takes for one of another route fits none, where that other route has policies that its own lacks.
 */
export function routeTable(routes: readonly Route[]): RouteTable {
  const strict = compiled(routes, false)
  const lenient = compiled(routes, true)
  const laxer = new Set(routes.filter((route) => routes.some((other) => isStricter(other, route))))
  return {
    find(method, path) {
      const found = strict.find(method, path)
      // A path that is written out in the project is meant.
      if (!found || found.params === NO_PARAMS || !laxer.has(found.route)) return found
      const other = lenient.find(method, blurred(path))
      return other && isStricter(other.route, found.route) ? undefined : found
    },
    at: strict.at,
  }
}

/** Whether a route of the same method has a policy that the other does not have. */
function isStricter(route: Route, than: Route): boolean {
  return route.method === than.method && route.inbound.some((name) => !than.inbound.includes(name))
}

/** A canonical path as it looks to a server that knows no case, no parameters in a path, and no dots or slashes at ends. */
function blurred(path: string): string {
  return path
    .replace(/%(?:3F|23).*$/u, '')
    .replaceAll(/(?:;|%3B)[^/]*/gu, '')
    .replaceAll(/(?:\.|%20)+(?=\/|$)/gu, '')
    .replaceAll(/\/{2,}/gu, '/')
    .replace(/(.)\/$/u, '$1')
    .toLowerCase()
}

function compiled(routes: readonly Route[], isLenient: boolean): RouteTable {
  const literal = new Map<string, Entry[]>()
  const patterns: Pattern[] = []
  for (const [order, route] of routes.entries()) {
    const { mode, pattern } = route.path
    if (mode === 'open-api' && !pattern.includes('{')) {
      const path = isLenient ? blurred(canonical(pattern)) : canonical(pattern)
      const entries = literal.get(path) ?? []
      entries.push({ route, order })
      literal.set(path, entries)
    } else {
      const match =
        mode === 'open-api' ? templateMatcher(pattern, isLenient) : patternMatcher(pattern, route.where, isLenient)
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
function templateMatcher(template: string, isLenient: boolean): Pattern['match'] {
  const names: string[] = []
  const source = template
    .split(/(\{[^{}]+\})/u)
    .map((part) => {
      if (!part.startsWith('{')) return canonical(part).replaceAll(/[$()*+.?[\\\]^{|}]/gu, String.raw`\$&`)
      names.push(part.slice(1, -1))
      return '([^/]+?)'
    })
    .join('')
  const expression = isLenient ? new RegExp(`^${source.replace(/\/$/u, '')}$`, 'iu') : new RegExp(`^${source}$`, 'u')
  return (path) => {
    const found = expression.exec(path)
    if (!found) return undefined
    const values = found.slice(1).map(decoded)
    if (values.includes(undefined)) return undefined
    return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']))
  }
}

/** A pathname in the syntax of URLPattern. */
function patternMatcher(pattern: string, where: string, isLenient: boolean): Pattern['match'] {
  let expression: URLPattern
  try {
    expression = new URLPattern({ pathname: pattern }, { ignoreCase: isLenient })
  } catch (error) {
    throw new TrustspecError(
      'ERR_USAGE',
      'The path is no URL pattern',
      { where, path: pattern, instead: 'a pathname such as /files/* or /orders/:id' },
      { cause: error },
    )
  }
  return (path) => {
    const found =
      expression.exec({ pathname: path }) ?? (isLenient ? expression.exec({ pathname: `${path}/` }) : undefined)
    const groups = found?.pathname.groups
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
