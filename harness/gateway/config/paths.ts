import type { RouteSettings } from '../settings.ts'
import { objectAt, shown, within, wrong } from './wrong.ts'
import type { Place } from './wrong.ts'

/** A path of the project, and the names of its parameters. */
export interface DeclaredPath {
  readonly settings: RouteSettings['path']
  readonly params: readonly string[]
}

/** Reads a path; `extension` is its `x-zuplo-path`. What could match no request, or could match in two ways, is refused. */
export function pathAt(path: string, extension: unknown, place: Place): DeclaredPath {
  if (!path.startsWith('/')) throw wrong('A path begins with a slash', place, { given: path, instead: `/${path}` })
  if (path === '/__zuplo' || path.startsWith('/__zuplo/')) {
    throw wrong('The path is reserved for the gateway', place, {
      given: path,
      instead: 'a path that does not begin with /__zuplo',
    })
  }
  const at = within(place, 'x-zuplo-path')
  const { pathMode = 'open-api' } = extension === undefined ? {} : objectAt(extension, at, ['pathMode'])
  if (pathMode === 'url-pattern') return urlPatternAt(path, place)
  if (pathMode === 'open-api') return templateAt(path, place)
  throw wrong('There is no such path mode', within(at, 'pathMode'), {
    given: shown(pathMode),
    instead: 'open-api or url-pattern',
  })
}

function templateAt(path: string, place: Place): DeclaredPath {
  const params = [...path.matchAll(/\{([^{}/]+)\}/gu)].map((match) => match[1] ?? '')
  const twice = params.find((name, at) => params.indexOf(name) !== at)
  if (twice !== undefined) {
    throw wrong('A path parameter stands twice', place, { given: `{${twice}}`, instead: 'names of their own' })
  }
  const filled = path.replaceAll(/\{[^{}/]+\}/gu, '{}')
  if (/[{}]/u.test(filled.replaceAll('{}', ''))) {
    throw wrong('The braces of the path are not in pairs', place, {
      given: path,
      instead: 'parameters such as /orders/{id}',
    })
  }
  if (filled.includes('{}{}')) {
    throw wrong('Nothing stands between two path parameters', place, { given: path, instead: 'a character in between' })
  }
  if (/\/(?:\.{1,2})?\/|\/\.{1,2}$|[^\u0021-\u007e]|[?#\\]/u.test(filled)) {
    throw wrong('No request can have this path', place, {
      given: path,
      instead: 'a path without query, dot segments and empty segments, percent-encoded',
    })
  }
  return { settings: { mode: 'open-api', pattern: path }, params }
}

function urlPatternAt(path: string, place: Place): DeclaredPath {
  try {
    const groups = new URLPattern({ pathname: path }).exec({ pathname: '/' })?.pathname.groups ?? {}
    // A pattern that does not match does not tell its groups: they are read from the text as well.
    const named = [...path.matchAll(/:([\p{ID_Start}$_][\p{ID_Continue}$]*)/gu)].map((match) => match[1] ?? '')
    const numbered = [...path.matchAll(/[(*]/gu)].map((_, at) => String(at))
    return {
      settings: { mode: 'url-pattern', pattern: path },
      params: [...new Set([...Object.keys(groups), ...named, ...numbered])],
    }
  } catch (error) {
    const instead = 'a pathname such as /files/* or /orders/:id'
    throw wrong('The path is no URL pattern', place, { given: path, instead }, error)
  }
}

/** The same text for two paths that match the same requests. */
export function shapeOf({ mode, pattern }: RouteSettings['path']): string {
  return `${mode} ${mode === 'open-api' ? pattern.replaceAll(/\{[^{}/]+\}/gu, '{}') : pattern}`
}
