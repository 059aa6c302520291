import type { TrustspecError } from '../../model/errors.ts'
import type { GatewayRequest } from '../request.ts'
import { membersOf, valueOf } from './expressions.ts'
import type { Value } from './expressions.ts'
import { variable, withEnvironment } from './variables.ts'
import type { Environment } from './variables.ts'
import { wrong } from './wrong.ts'
import type { Place } from './wrong.ts'

/** A URL that is put together for each request. */
export interface Template {
  /** Scheme, host and port: fixed when the project is read. */
  readonly origin: string
  /** Path and query; undefined where a value would make another path of it than the template says. */
  readonly target: (request: GatewayRequest) => string | undefined
  /** The target where it is the same for all requests. */
  readonly fixed: string | undefined
  readonly hasQuery: boolean
  /** The template itself says where the query of the request goes. */
  readonly placesSearch: boolean
}

/** What a template is read with. */
export interface TemplateMeans {
  readonly environment: Environment
  /** Names of the path parameters of the route. */
  readonly params: readonly string[]
}

/** Text as it stands, or a value of the request under the word that it has. */
type Part = { readonly text: string } | { readonly word: string; readonly value: Value }

const EXAMPLE = 'https://origin.example.com, or ${env.ORIGIN_URL}'

/** What is percent-encoded of a value: all that could end its place in a path or a query. */
const RESERVED = /[^\w.~!$'()*,:@-]/gu

/** A segment of dots alone: it would lead to another path than the template says. */
const DOTS = /\/\.{1,2}(?:\/|$)/u

/**
 * Compiles a URL with `${…}` in it. The rule is strict: scheme, host and port come from the project and its
 * environment, never from a request; a value is percent-encoded in its place, and refused where it is empty in a path
 * or makes a segment of dots; only `${pathname}` and `${search}` go through octet by octet, where path and query stand.
 */
export function compileTemplate(value: string, place: Place, means: TemplateMeans): Template {
  const parts = partsOf(value, place, means)
  const [first, second] = parts
  const text = first && 'text' in first ? first.text : ''
  const found = /^(https?:\/\/[^/?#]+)(.*)$/isu.exec(text)
  if (!found && /^https?:\/\/$/iu.test(text)) throw hostByRequest(value, place)
  if (!found) throw wrong('This is no absolute http or https URL', place, { given: value, instead: EXAMPLE })
  const [, host = '', rest = ''] = found
  if (rest === '' && second && !('text' in second) && !isWhole(second.word)) {
    throw hostByRequest(value, place)
  }
  const origin = originOf(host, value, place)
  const tail = joined(meeting([{ text: rest }, ...parts.slice(1)]))
  checkTexts(tail, value, place)
  return { origin, ...targetOf(tail, value, place) }
}

function hostByRequest(given: string, place: Place): TrustspecError {
  const instead = 'a host that is written out, or one route for each host'
  return wrong('A request cannot choose the host of an origin', place, { given, instead })
}

/** A path or query of the request as a whole, which cannot run into what stands before it. */
function isWhole(word: string): boolean {
  return word === 'pathname' || word === 'search'
}

/** Texts and values in their order, with the variables of the environment in their places. */
function partsOf(value: string, place: Place, { environment, params }: TemplateMeans): readonly Part[] {
  const parts: Part[] = []
  const given = withEnvironment(value, environment, place) as string
  for (const piece of given.split(/(\$\{[^}]*\}?)/u)) {
    if (!piece.startsWith('${')) {
      parts.push({ text: piece })
      continue
    }
    const members = piece.endsWith('}') ? membersOf(piece.slice(2, -1)) : undefined
    if (!members) {
      throw wrong('The template cannot be read', place, { given: piece, instead: '${params.name}, one value each' })
    }
    const [word, name = ''] = members
    if (word === 'env') parts.push({ text: variable(name, environment, place) })
    else parts.push({ word: members.join('.'), value: valueOf(members, { params, place }) })
  }
  return joined(parts)
}

/** Neighbouring texts as one. */
function joined(parts: readonly Part[]): readonly Part[] {
  const kept: Part[] = []
  for (const part of parts) {
    const last = kept.at(-1)
    if (last && 'text' in last && 'text' in part) kept[kept.length - 1] = { text: last.text + part.text }
    else if (!('text' in part) || part.text !== '' || parts.length === 1) kept.push(part)
  }
  return kept
}

/** A base and a path meet in one slash. */
function meeting(parts: readonly Part[]): readonly Part[] {
  const query = parts.findIndex((part) => 'text' in part && part.text.includes('?'))
  return parts.map((part, at) => {
    const isBase = (query < 0 || at < query) && 'text' in part && wordOf(parts[at + 1]) === 'pathname'
    return isBase ? { text: part.text.replace(/\/$/u, '') } : part
  })
}

function originOf(host: string, value: string, place: Place): string {
  // The parser of URLs drops some characters and takes others for slashes: what is checked must be what is used.
  if (!URL.canParse(host) || /[^\u0021-\u007e]|\\/u.test(host)) {
    throw wrong('This is no absolute http or https URL', place, { given: value, instead: EXAMPLE })
  }
  const { origin, username, password } = new URL(host)
  if (username !== '' || password !== '') {
    throw wrong('The URL holds credentials', place, { instead: 'the policy set-upstream-api-key-inbound' })
  }
  return origin
}

/** Checks what stands in the template itself, values left aside. */
function checkTexts(parts: readonly Part[], given: string, place: Place): void {
  const stand: Readonly<Record<string, string>> = { pathname: '/x', search: '' }
  const text = parts.map((part) => ('text' in part ? part.text : (stand[part.word] ?? 'x'))).join('')
  if (text.includes('#')) throw wrong('The URL has a fragment', place, { given, instead: 'the URL without it' })
  if (/[{}]/u.test(text)) {
    throw wrong('The URL has braces without a value', place, { given, instead: '${params.name}' })
  }
  if (/[^\u0021-\u007e]|["<>\\^`|]/u.test(text)) {
    throw wrong('The URL holds what no URL can', place, { given, instead: 'the same, percent-encoded' })
  }
  const path = text.split('?')[0] ?? ''
  if (DOTS.test(path) || path.includes('//')) {
    throw wrong('The path can be read in two ways', place, { given, instead: 'a path without empty segments and dots' })
  }
}

function targetOf(parts: readonly Part[], given: string, place: Place): Omit<Template, 'origin'> {
  const pieces: ((request: GatewayRequest) => string | undefined)[] = []
  let text = ''
  let inQuery = false
  let placesSearch = false
  let isChecked = false
  for (const [at, part] of parts.entries()) {
    if ('text' in part) {
      inQuery ||= part.text.includes('?')
      text += part.text
      pieces.push(() => part.text)
    } else if (part.word === 'search' && !inQuery) {
      if (at < parts.length - 1) {
        throw wrong('The query of the request stands at the end', place, { given, instead: '${search} at the end' })
      }
      placesSearch = true
      pieces.push(part.value)
    } else if (part.word === 'pathname' && !inQuery) pieces.push(part.value)
    else {
      isChecked ||= !inQuery
      pieces.push(inQuery ? inPlace(part.value) : present(inPlace(part.value)))
    }
  }
  // A target begins with a slash (RFC 9112 section 3.2.1).
  if (!text.startsWith('/') && wordOf(parts[0]) !== 'pathname') {
    text = `/${text}`
    pieces.unshift(() => '/')
  }
  const assemble = (request: GatewayRequest): string | undefined => {
    let target = ''
    for (const piece of pieces) {
      const next = piece(request)
      if (next === undefined) return undefined
      target += next
    }
    return isChecked && DOTS.test(target.split('?')[0] ?? '') ? undefined : target
  }
  const isFixed = parts.every((part) => 'text' in part)
  return { target: assemble, fixed: isFixed ? text : undefined, hasQuery: inQuery, placesSearch }
}

function wordOf(part: Part | undefined): string | undefined {
  return part && !('text' in part) ? part.word : undefined
}

/** A value percent-encoded, so that it stays in its place. */
function inPlace(value: Value): Value {
  return (request) => value(request).toWellFormed().replaceAll(RESERVED, encodeURIComponent)
}

/** A value that has to be there: without it the path would be that of something else. */
function present(value: Value): (request: GatewayRequest) => string | undefined {
  return (request) => {
    const found = value(request)
    return found === '' ? undefined : found
  }
}
