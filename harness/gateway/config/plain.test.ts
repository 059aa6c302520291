import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { sentence, TrustspecError } from '../../model/errors.ts'
import { loadDocument } from '../../openapi/document.ts'
import { testRequest } from '../policies/policies.testing.ts'
import type { GatewayProject } from '../settings.ts'
import { plainProject } from './plain.ts'
import type { PlainOptions } from './plain.ts'

const HEAD = 'openapi: 3.1.0\ninfo: {title: T, version: "1"}\n'

async function projectOf(rest: string, given: Partial<PlainOptions> = {}): Promise<GatewayProject> {
  const document = await loadDocument('https://api.example.com/openapi.yaml', () => Promise.resolve(`${HEAD}${rest}`))
  const origin = new URL('http://127.0.0.1:8888')
  return plainProject({ document, origin, algorithm: 'EdDSA', requestsPerMinute: 1_000, ...given })
}

/** Routes by name, each with its policies and where a request at its path is sent. */
async function routesOf(rest: string, given: Partial<PlainOptions> = {}) {
  const { routes } = await projectOf(rest, given)
  return routes.map(({ where, inbound, path, handler }) => {
    const sent = handler.destination(testRequest({ path: path.pattern, search: '?q=1' }))
    return [where, inbound.join(' '), 'problem' in sent ? sent.problem : sent.origin + sent.target]
  })
}

const SECURED = 'api-key rate-limit gateway-token'

test('every operation is secured where the document says nothing', async () => {
  expect(await routesOf('paths:\n  /a: {get: {}, post: {}}\n  /b/{id}: {delete: {}}\n')).toEqual([
    ['GET /a', SECURED, 'http://127.0.0.1:8888/a?q=1'],
    ['POST /a', SECURED, 'http://127.0.0.1:8888/a?q=1'],
    ['DELETE /b/{id}', SECURED, 'http://127.0.0.1:8888/b/{id}?q=1'],
  ])
})

test('an operation is public where the document says so, and nowhere else', async () => {
  const routes = await routesOf(`
security: [{key: []}]
paths:
  /secured: {get: {}}
  /open: {get: {security: []}}
  /optional: {get: {security: [{key: []}, {}]}}
  /other: {get: {security: [{token: []}]}}
`)
  expect(routes.map(([where, inbound]) => [where, inbound])).toEqual([
    ['GET /secured', SECURED],
    ['GET /open', ''],
    ['GET /optional', ''],
    ['GET /other', SECURED],
  ])
  const open = await routesOf('security: []\npaths:\n  /open: {get: {}}\n  /secured: {get: {security: [{key: []}]}}\n')
  expect(open.map(([where, inbound]) => [where, inbound])).toEqual([
    ['GET /open', ''],
    ['GET /secured', SECURED],
  ])
})

test('the policies, and what can be said of them', async () => {
  const described = ({ policies }: GatewayProject) => policies.map(({ kind, options }) => [kind.type, options])
  const rest = 'paths:\n  /a: {get: {}}\n'
  expect(described(await projectOf(rest))).toEqual([
    ['api-key-inbound', {}],
    ['rate-limit-inbound', { rateLimitBy: 'user', requestsAllowed: 1_000, timeWindowMinutes: 1 }],
    ['upstream-zuplo-jwt-auth-inbound', { audience: 'http://127.0.0.1:8888' }],
  ])
  const given = { requestsPerMinute: undefined, audience: 'https://orders.example.com', algorithm: 'ES256' as const }
  const project = await projectOf(rest, given)
  expect(described(project)).toEqual([
    ['api-key-inbound', {}],
    ['upstream-zuplo-jwt-auth-inbound', { audience: 'https://orders.example.com' }],
  ])
  expect(project.routes[0]?.inbound).toEqual(['api-key', 'gateway-token'])
  expect(project.jwtService).toEqual({ basePath: '/__zuplo/issuer', lifetimeSec: 300, algorithm: 'ES256' })
})

test('the document of the reference origin', async () => {
  const file = fileURLToPath(new URL('../../../fixtures/openapi/reference-origin.json', import.meta.url))
  const document = await loadDocument(file, () => Promise.reject(new Error('Nothing is to be fetched')))
  const origin = new URL('http://127.0.0.1:9000')
  const { routes } = plainProject({ document, origin, algorithm: 'EdDSA', requestsPerMinute: 60 })
  expect(routes.map(({ where, inbound }) => [where, inbound.join(' ')])).toEqual([
    ['GET /protected', SECURED],
    ['POST /protected', SECURED],
    ['GET /orders', SECURED],
    ['POST /transfers', SECURED],
    ['GET /transfers/count', SECURED],
    ['GET /health', ''],
  ])
  const sent = routes.map(({ handler, path }) => handler.destination(testRequest({ path: path.pattern })))
  expect(sent).toEqual(routes.map(({ path }) => ({ origin: 'http://127.0.0.1:9000', target: path.pattern })))
})

test.each([
  ['https://api.example.com/v1', 'http://127.0.0.1:8888', '/v1/a', 'http://127.0.0.1:8888/v1/a?q=1'],
  ['https://api.example.com/v1/', 'http://127.0.0.1:8888/', '/v1/a', 'http://127.0.0.1:8888/v1/a?q=1'],
  ['/v1', 'http://127.0.0.1:8888/base', '/v1/a', 'http://127.0.0.1:8888/base/a?q=1'],
  ['/', 'http://127.0.0.1:8888/base/', '/a', 'http://127.0.0.1:8888/base/a?q=1'],
  ['https://api.example.com', 'http://127.0.0.1:8888/base', '/a', 'http://127.0.0.1:8888/base/a?q=1'],
])('with the server %s and the origin %s', async (server, origin, path, target) => {
  const rest = `servers: [{url: "${server}"}]\npaths:\n  /a: {get: {}}\n`
  expect(await routesOf(rest, { origin: new URL(origin) })).toEqual([[`GET ${path}`, SECURED, target]])
})

test('servers of a path and of an operation win over those of the document', async () => {
  const routes = await routesOf(`
servers: [{url: /v1}]
paths:
  /a: {get: {}, post: {servers: [{url: /v3}]}}
  /b: {servers: [{url: "/{version}", variables: {version: {default: v2}}}], get: {}}
`)
  expect(routes.map(([where]) => where)).toEqual(['GET /v1/a', 'POST /v3/a', 'GET /v2/b'])
})

test('a path that is written out comes before one with parameters', async () => {
  const routes = await routesOf('paths:\n  /a/{id}: {get: {security: []}}\n  /{x}: {get: {}}\n  /a/mine: {get: {}}\n')
  expect(routes.map(([where]) => where)).toEqual(['GET /a/mine', 'GET /a/{id}', 'GET /{x}'])
})

test('references to path items, and what is no path', async () => {
  const rest =
    'paths:\n  /a: {$ref: "#/components/pathItems/A"}\n  x-note: {get: {}}\ncomponents: {pathItems: {A: {put: {}}}}\n'
  expect((await routesOf(rest)).map(([where]) => where)).toEqual(['PUT /a'])
})

test.each<[string, string, Partial<PlainOptions>, string]>([
  [
    'a document of a project',
    'paths:\n  /a: {post: {}, get: {x-zuplo-route: {}}}\n',
    {},
    'The document is written for a gateway project (flag --openapi, at /paths/~1a/get); instead: --project with the folder that holds config/routes.oas.json.',
  ],
  [
    'no operations',
    'paths:\n  /a: {}\n',
    {},
    'The document has no operations (flag --openapi); instead: one with at least one path and method.',
  ],
  [
    'a parameter twice',
    'paths:\n  /a/{id}/{id}: {get: {}}\n',
    {},
    'A path parameter stands twice (file the OpenAPI document, at /paths/~1a~1{id}~1{id}, given {id}); instead: names of their own.',
  ],
  [
    'a path of the gateway',
    'paths:\n  /__zuplo/a: {get: {}}\n',
    {},
    'The path is reserved for the gateway (file the OpenAPI document, at /paths/~1__zuplo~1a, given /__zuplo/a); instead: a path that does not begin with /__zuplo.',
  ],
  [
    'an origin with credentials',
    'paths:\n  /a: {get: {}}\n',
    { origin: new URL('http://me:secret@127.0.0.1:8888') },
    'The URL of the origin holds credentials (flag --origin); instead: the URL without them.',
  ],
  [
    'an origin with a query',
    'paths:\n  /a: {get: {}}\n',
    { origin: new URL('http://127.0.0.1:8888/?a=1') },
    'The URL of the origin has a query or a fragment (flag --origin); instead: the URL without it.',
  ],
])('%s', async (_, rest, given, due) => {
  const error: unknown = await projectOf(rest, given).catch((reason: unknown) => reason)
  expect(error instanceof TrustspecError ? sentence(error) : error).toBe(due)
})
