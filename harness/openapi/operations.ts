import { sample } from 'openapi-sampler'
import type { HeaderLines } from '../model/http.ts'
import { isNode } from './document.ts'
import type { Node, OpenApiDocument } from './document.ts'

/** One operation of a document, with example values in place of its parameters. */
export interface Operation {
  /** operationId, or the method and the path as the document has it. */
  readonly id: string
  readonly method: string
  /** Path with examples filled in, below the path of the first server; may hold a query. */
  readonly path: string
  readonly headers: HeaderLines
  readonly body?: { readonly contentType: string; readonly text: string }
  /** The document says that it needs no credential. */
  readonly public: boolean
}

/** Methods of a path item (OpenAPI 3.2 section 4.9.1). */
export const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query'] as const

/** Headers that a description of parameters must not set (OpenAPI 3.1 section 4.8.12.2). */
const RESERVED = new Set(['accept', 'content-type', 'authorization'])

/** Every operation of the document, in its order. */
export function operationsOf(document: OpenApiDocument): readonly Operation[] {
  const { root, resolve } = document
  const base = basePathOf(root)
  return Object.entries(root['paths'] as Node).flatMap(([template, given]) => {
    if (!template.startsWith('/')) return []
    const item = resolve(given)
    return METHODS.flatMap((method) =>
      isNode(item[method]) ? [operationOf(document, base, template, item, method, item[method])] : [],
    )
  })
}

function operationOf(
  document: OpenApiDocument,
  base: string,
  template: string,
  item: Node,
  method: string,
  operation: Node,
): Operation {
  const parameters = parametersOf(document, item, operation)
  const valued = (place: string) =>
    parameters.flatMap((parameter) => {
      const isMeant = parameter['in'] === place && (place === 'path' || parameter['required'] === true)
      return isMeant ? [[String(parameter['name']), exampleOf(document, parameter)] as const] : []
    })
  const filled = valued('path').reduce(
    (path, [name, value]) => path.replaceAll(`{${name}}`, encodeURIComponent(textOf(value))),
    template,
  )
  // A parameter that the document forgot to describe still needs a value.
  const whole = filled.replaceAll(/\{[^}]*\}/gu, '1')
  const query = new URLSearchParams(
    valued('query').map(([name, value]): [string, string] => [name, textOf(value)]),
  ).toString()
  const body = bodyOf(document, operation)
  return {
    id: typeof operation['operationId'] === 'string' ? operation['operationId'] : `${method.toUpperCase()} ${template}`,
    method: method.toUpperCase(),
    path: `${base}${whole}${query === '' ? '' : `?${query}`}`,
    headers: valued('header').flatMap(([name, value]) =>
      RESERVED.has(name.toLowerCase()) ? [] : [[name, textOf(value)] as const],
    ),
    ...(body ? { body } : {}),
    public: isPublic(operation['security'] ?? document.root['security']),
  }
}

/** Parameters of the path and of the operation; those of the operation win. */
function parametersOf({ resolve }: OpenApiDocument, item: Node, operation: Node): readonly Node[] {
  const listed = [item['parameters'], operation['parameters']].flatMap((list) =>
    Array.isArray(list) ? list.map((entry: unknown) => resolve(entry)) : [],
  )
  return [...new Map(listed.map((one) => [`${String(one['in'])} ${String(one['name'])}`, one])).values()]
}

/** Example of a parameter or media type: its own, one of its list, or one made from its schema. */
function exampleOf(document: OpenApiDocument, holder: Node): unknown {
  if (holder['example'] !== undefined) return holder['example']
  const examples = holder['examples']
  const [first] = isNode(examples) ? Object.values(examples) : []
  if (first !== undefined) return document.resolve(first)['value']
  const content = holder['content']
  const [media] = isNode(content) ? Object.values(content) : []
  if (isNode(media)) return exampleOf(document, media)
  return isNode(holder['schema']) ? sampled(document, holder['schema']) : 'example'
}

function sampled({ root }: OpenApiDocument, schema: Node): unknown {
  try {
    return sample(schema, { skipReadOnly: true, quiet: true }, root)
  } catch {
    // A schema that the sampler cannot follow: any value will do, since the guard is asked before the handler.
    return 'example'
  }
}

/** Body of the request in the media type that is easiest to write; none for files. */
function bodyOf(document: OpenApiDocument, operation: Node): Operation['body'] {
  if (operation['requestBody'] === undefined) return undefined
  const { content } = document.resolve(operation['requestBody'])
  if (!isNode(content)) return undefined
  const types = Object.keys(content)
  const json = types.find((type) => /^application\/(?:[\w.-]+\+)?json\b/u.test(type))
  const form = types.find((type) => type.startsWith('application/x-www-form-urlencoded'))
  const plain = types.find((type) => type.startsWith('text/'))
  const contentType = json ?? form ?? plain
  const media = contentType === undefined ? undefined : content[contentType]
  if (contentType === undefined || !isNode(media)) return undefined
  const value = exampleOf(document, media)
  if (contentType === json) return { contentType, text: JSON.stringify(value) }
  if (contentType !== form) return { contentType, text: textOf(value) }
  const members = isNode(value) ? Object.entries(value).map(([name, member]) => [name, textOf(member)]) : []
  return { contentType, text: new URLSearchParams(members as [string, string][]).toString() }
}

/** An empty list, or an alternative that is empty, asks for no credential; silence is taken for the opposite. */
export function isPublic(security: unknown): boolean {
  if (!Array.isArray(security)) return false
  return security.length === 0 || security.some((one) => isNode(one) && Object.keys(one).length === 0)
}

/** Path of the first server of a document, path or operation, its variables filled with their defaults; no slash at its end. */
export function basePathOf({ servers }: Node): string {
  const [first] = Array.isArray(servers) ? (servers as unknown[]) : []
  if (!isNode(first) || typeof first['url'] !== 'string') return ''
  const variables = isNode(first['variables']) ? first['variables'] : {}
  const url = first['url'].replaceAll(/\{([^}]*)\}/gu, (_, name: string) => {
    const variable = variables[name]
    return isNode(variable) ? String(variable['default'] ?? '') : ''
  })
  return URL.canParse(url, 'http://localhost') ? new URL(url, 'http://localhost').pathname.replace(/\/$/u, '') : ''
}

function textOf(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
