import { writeFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { loadDocument } from './document.ts'
import { operationsOf } from './operations.ts'
import type { Operation } from './operations.ts'

const load = (text: string) => loadDocument('https://api.example.com/openapi', () => Promise.resolve(text))

async function operations(rest: string, head = 'openapi: 3.1.0\ninfo: {title: T, version: "1"}\n') {
  return operationsOf(await load(`${head}${rest}`))
}

async function only(rest: string): Promise<Operation> {
  const [operation] = await operations(rest)
  if (!operation) throw new Error('The document has no operation')
  return operation
}

test('a file in JSON is read, and each operation told by its name', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-openapi-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = path.join(folder, 'api.json')
  const document = { openapi: '3.0.3', info: {}, paths: { '/a': { get: { operationId: 'listA' }, post: {} } } }
  await writeFile(file, JSON.stringify(document))

  const found = operationsOf(await loadDocument(file, () => Promise.reject(new Error('not asked'))))

  expect(found.map(({ id, method, path: at, public: open }) => [id, method, at, open])).toEqual([
    ['listA', 'GET', '/a', false],
    ['POST /a', 'POST', '/a', false],
  ])
})

describe('parameters', () => {
  test('of the path are filled in, those of the operation winning over those of the path', async () => {
    const { path: at } = await only(`
paths:
  /orders/{order}/items/{item}/{forgotten}:
    parameters:
      - {name: order, in: path, required: true, schema: {type: string}, example: first}
      - {name: item, in: path, required: true, schema: {type: integer, minimum: 7}}
    get:
      parameters: [{name: order, in: path, required: true, example: "a b/c"}]
`)
    expect(at).toBe('/orders/a%20b%2Fc/items/7/1')
  })

  test('of query and header are sent when they are required, save for the credential', async () => {
    const { path: at, headers } = await only(`
paths:
  /a:
    get:
      parameters:
        - {name: day, in: query, required: true, examples: {one: {value: 2026-01-01}}}
        - {name: optional, in: query, schema: {type: string}}
        - {$ref: '#/components/parameters/Tenant'}
        - {name: Authorization, in: header, required: true, schema: {type: string}}
components:
  parameters:
    Tenant: {name: X-Tenant, in: header, required: true, schema: {enum: [blue, red]}}
`)
    expect(at).toBe('/a?day=2026-01-01')
    expect(headers).toEqual([['X-Tenant', 'blue']])
  })

  test('are below the path of the server, its variables filled in', async () => {
    const { path: at } = await only(`
servers: [{url: 'https://{host}/v{version}/', variables: {host: {default: api.example.com}, version: {default: '2'}}}]
paths: {/a: {get: {}}}
`)
    expect(at).toBe('/v2/a')
  })
})

describe('bodies', () => {
  test('are made from the schema, through references', async () => {
    const { body } = await only(`
paths:
  /orders:
    post: {requestBody: {$ref: '#/components/requestBodies/Order'}}
components:
  requestBodies:
    Order: {content: {text/csv: {}, application/json: {schema: {$ref: '#/components/schemas/Order'}}}}
  schemas:
    Order:
      type: object
      properties:
        id: {type: string, readOnly: true}
        amount: {type: number, default: 3}
        parent: {$ref: '#/components/schemas/Order'}
`)
    expect(body?.contentType).toBe('application/json')
    const order = JSON.parse(body?.text ?? '') as Record<string, unknown>
    expect(order['amount']).toBe(3)
    expect(order).not.toHaveProperty('id')
  })

  test('are forms where there is no JSON, and left out for files', async () => {
    const found = await operations(`
paths:
  /form: {post: {requestBody: {content: {application/x-www-form-urlencoded: {example: {a: 1, b: x y}}}}}}
  /file: {post: {requestBody: {content: {multipart/form-data: {}}}}}
  /text: {post: {requestBody: {content: {text/plain: {example: hello}}}}}
`)
    expect(found.map(({ body }) => body?.text)).toEqual(['a=1&b=x+y', undefined, 'hello'])
  })
})

test('security: the operation wins over the document, an empty alternative is public, silence is not', async () => {
  const paths = `
paths:
  /inherits: {get: {}}
  /open: {get: {security: []}}
  /either: {get: {security: [{}, {token: []}]}}
  /closed: {get: {security: [{token: []}]}}
`
  const flags = (found: readonly Operation[]) => found.map((operation) => operation.public)

  expect(flags(await operations(paths))).toEqual([false, true, true, false])
  expect(flags(await operations(`security: [{token: []}]${paths}`))).toEqual([false, true, true, false])
  expect(flags(await operations(`security: []${paths}`))).toEqual([true, true, true, false])
})

describe('is refused with one sentence', () => {
  test.each([
    ['Swagger 2', 'swagger: "2.0"\npaths: {}', { given: 'Swagger 2.0' }],
    ['another version', 'openapi: 4.0.0\npaths: {}', { given: 'OpenAPI 4.0.0' }],
    ['no version', 'paths: {}', { given: 'no "openapi" member' }],
    ['no paths', 'openapi: 3.1.0', { instead: 'a document with "paths"' }],
    ['no YAML', 'a: [', { instead: 'JSON or YAML' }],
    ['a list', '[]', { instead: 'an OpenAPI 3.0, 3.1 or 3.2 document' }],
  ])('%s', async (_, text, fields) => {
    await expect(load(text)).rejects.toMatchObject({ code: 'ERR_USAGE', fields })
  })

  test.each([
    ['another file', './other.yaml#/a'],
    ['nothing', '#/components/parameters/None'],
    ['itself', '#/components/parameters/Loop'],
  ])('a reference to %s', async (_, reference) => {
    const loading = operations(`
paths: {/a: {get: {parameters: [{$ref: '${reference}'}]}}}
components: {parameters: {Loop: {$ref: '#/components/parameters/Loop'}}}
`)
    await expect(loading).rejects.toMatchObject({ code: 'ERR_USAGE', fields: { $ref: expect.any(String) as string } })
  })

  test('a document that cannot be fetched', async () => {
    const loading = loadDocument('https://api.example.com/openapi', () => Promise.reject(new Error('no')))
    await expect(loading).rejects.toMatchObject({
      code: 'ERR_USAGE',
      fields: { where: 'https://api.example.com/openapi' },
    })
  })
})
