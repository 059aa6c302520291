import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { TrustspecError } from '../model/errors.ts'

/** A JSON object of a document, nothing known of its members. */
export type Node = Readonly<Record<string, unknown>>

/** An OpenAPI document of version 3, with its references still in it. */
export interface OpenApiDocument {
  readonly root: Node
  /** What a value stands for: of a reference, its target. Throws ERR_USAGE for one that leads out or nowhere. */
  readonly resolve: (value: unknown) => Node
}

/** References that lead from one to the next; more of them run in a circle. */
const MOST_HOPS = 32

/** Narrows to a JSON object. */
export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Reads JSON or YAML from a file or a URL; ERR_USAGE for anything but OpenAPI 3. */
export async function loadDocument(source: string, fetchText: (url: URL) => Promise<string>): Promise<OpenApiDocument> {
  const root = parsed(await textOf(source, fetchText), source)
  const version = root['openapi']
  if (typeof version !== 'string' || !/^3\.[0-2](?:\.|$)/u.test(version)) {
    const given = root['swagger'] === undefined ? 'no "openapi" member' : `Swagger ${String(root['swagger'])}`
    throw wrong('The document is not OpenAPI 3', {
      where: source,
      given: typeof version === 'string' ? `OpenAPI ${version}` : given,
      instead: 'an OpenAPI 3.0, 3.1 or 3.2 document',
    })
  }
  if (!isNode(root['paths'])) {
    throw wrong('The OpenAPI document has no paths', { where: source, instead: 'a document with "paths"' })
  }
  return { root, resolve: (value) => resolved(root, value, source) }
}

async function textOf(source: string, fetchText: (url: URL) => Promise<string>): Promise<string> {
  try {
    return /^https?:\/\//u.test(source) ? await fetchText(new URL(source)) : await readFile(source, 'utf8')
  } catch (error) {
    const instead = 'a file that exists, or a URL that answers 200'
    throw wrong('The OpenAPI document cannot be read', { where: source, instead }, error)
  }
}

function parsed(text: string, source: string): Node {
  let value: unknown
  try {
    value = parse(text, { maxAliasCount: 1000 })
  } catch (error) {
    const line = error instanceof Error ? (error.message.split('\n')[0] ?? '') : ''
    throw wrong(
      'The OpenAPI document is neither JSON nor YAML',
      { where: source, given: line, instead: 'JSON or YAML' },
      error,
    )
  }
  if (isNode(value)) return value
  throw wrong('The OpenAPI document is no object', { where: source, instead: 'an OpenAPI 3.0, 3.1 or 3.2 document' })
}

function resolved(root: Node, value: unknown, source: string): Node {
  let at = value
  for (let hops = 0; isNode(at) && typeof at['$ref'] === 'string'; hops += 1) {
    const reference = at['$ref']
    if (!reference.startsWith('#/') || hops > MOST_HOPS) {
      throw wrong('The OpenAPI document refers to another one, or to itself', {
        where: source,
        $ref: reference,
        instead: 'references within the document: bundle it into one file',
      })
    }
    at = pointed(root, reference)
  }
  if (isNode(at)) return at
  throw wrong('A reference of the OpenAPI document leads nowhere', {
    where: source,
    $ref: isNode(value) ? String(value['$ref']) : String(value),
    instead: 'a reference to an object of the document',
  })
}

/** The value at a JSON pointer in a URI fragment (RFC 6901 section 6). */
function pointed(root: Node, reference: string): unknown {
  return reference
    .slice(2)
    .split('/')
    .map((name) => decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((at, name) => (isNode(at) || Array.isArray(at) ? (at as Node)[name] : undefined), root)
}

function wrong(message: string, fields: Readonly<Record<string, string>>, cause?: unknown): TrustspecError {
  return new TrustspecError('ERR_USAGE', message, fields, cause === undefined ? {} : { cause })
}
