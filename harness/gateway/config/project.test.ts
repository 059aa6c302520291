import { expect, test } from 'vitest'
import { testRequest } from '../policies/policies.testing.ts'
import type { GatewayProject, RouteSettings } from '../settings.ts'
import { loadProject } from './project.ts'
import { complaintOf, goodProject, policy, writeProject } from './projects.testing.ts'
import type { ProjectFiles } from './projects.testing.ts'

const ROUTES = 'config/routes.oas.json'
const POLICIES = 'config/policies.json'

async function load(files: ProjectFiles, outside: Readonly<Record<string, string>> = {}): Promise<GatewayProject> {
  await using project = await writeProject(files)
  return await loadProject(project.folder, outside)
}

/** Changes the project that starts, and loads it. */
async function loadWith(change: (files: ProjectFiles) => unknown, outside: Readonly<Record<string, string>> = {}) {
  const files = goodProject()
  change(files)
  return await load(files, outside)
}

function routeAt({ routes }: GatewayProject, where: string): RouteSettings {
  const found = routes.find((route) => route.where === where)
  if (!found) throw new Error(`There is no route ${where}`)
  return found
}

function sentTo(project: GatewayProject, where = 'GET /orders'): unknown {
  return routeAt(project, where).handler.destination(testRequest({ path: '/orders' }))
}

test('routes in the order of the documents and of what stands in them', async () => {
  const project = await loadWith((files) => {
    const { paths } = files[ROUTES]
    files['config/a.oas.json'] = { openapi: '3.0.3', paths: { '/z': paths['/orders'], '/b': paths['/orders'] } }
    files['config/z.oas.json'] = { openapi: '3.1.0', paths: { '/a': { post: paths['/orders'].get } } }
    files['config/no.json'] = { openapi: '3.1.0', paths: { '/not': paths['/orders'] } }
  })
  expect(project.routes.map(({ where }) => where)).toEqual([
    'GET /z',
    'GET /b',
    'GET /orders',
    'GET /orders/{id}',
    'POST /a',
  ])
})

test('a route as it is declared', async () => {
  const project = await load(goodProject())
  const { cors, inbound, method, path } = routeAt(project, 'GET /orders')
  expect({ inbound, method, path, cors: cors?.name }).toEqual({
    inbound: ['key', 'own', 'token'],
    method: 'GET',
    path: { mode: 'open-api', pattern: '/orders' },
    cors: 'apps',
  })
  const other = routeAt(project, 'GET /orders/{id}')
  expect([other.inbound, other.cors]).toEqual([[], undefined])
})

test('policies that no route uses are checked, and not made', async () => {
  const { policies, jwtService } = await load(goodProject())
  expect(policies.map(({ name, kind }) => [name, kind.type])).toEqual([
    ['key', 'api-key-inbound'],
    ['token', 'upstream-zuplo-jwt-auth-inbound'],
    ['own', 'custom-code-inbound'],
  ])
  expect(jwtService).toEqual({ basePath: '/__zuplo/issuer', lifetimeSec: 300, algorithm: 'EdDSA' })
})

test('functions of the project that options name are at hand', async () => {
  const { own } = await load(goodProject())
  expect([...own.keys()]).toEqual(['$import(./modules/own)#callerOf', '$import(./modules/own)#default'])
})

test('options of the JWT service', async () => {
  const { jwtService } = await loadWith((files) => {
    const init = 'modules/zuplo.runtime.ts'
    const options = "{ basePath: '/issuer', tokenExpiration: '2 mins', algorithm: 'PS256' }"
    files[init] = files[init].replace('JwtServicePlugin())', `JwtServicePlugin(${options}))`)
  })
  expect(jwtService).toEqual({ basePath: '/issuer', lifetimeSec: 120, algorithm: 'PS256' })
})

test('a project without a JWT service starts where no policy needs one', async () => {
  const project = await loadWith((files) => {
    delete files['modules/zuplo.runtime.ts']
    files[ROUTES].paths['/orders'].get['x-zuplo-route'].policies.inbound = ['key']
  })
  expect(project.jwtService).toBeUndefined()
})

test('what is set outside wins over the file .env, which wins over nothing', async () => {
  const origin = (host: string) => ({ origin: `https://${host}`, target: '/orders' })
  expect(sentTo(await load(goodProject()))).toEqual(origin('origin.example.com'))
  const outside = { ORIGIN_URL: 'https://outside.example.com' }
  expect(sentTo(await load(goodProject(), outside))).toEqual(origin('outside.example.com'))
  expect(sentTo(await loadWith((files) => delete files['.env'], outside))).toEqual(origin('outside.example.com'))
})

test('the file .env in the forms that it may have', async () => {
  const project = await loadWith((files) => {
    files['.env'] = '# mine\n\nexport HOST="a.example.com" # the first\nPORT=8443 # a comment\nSCHEME=\'https\'\n'
    files[ROUTES].paths['/orders'].get['x-zuplo-route'].handler.options.baseUrl =
      '${env.SCHEME}://${env.HOST}:${env.PORT}'
  })
  expect(sentTo(project)).toEqual({ origin: 'https://a.example.com:8443', target: '/orders' })
})

test('variables at any depth of the options', async () => {
  const { policies } = await loadWith(
    (files) => {
      files[POLICIES].policies[2] = policy(
        'token',
        'upstream-zuplo-jwt-auth-inbound',
        'UpstreamZuploJwtAuthInboundPolicy',
        {
          audience: 'https://$env(HOST)/$env( V )',
          additionalClaims: { deep: [{ v: '$env(V)' }], plain: 1 },
        },
      )
    },
    { HOST: 'a.example.com', V: '2' },
  )
  expect(policies.find(({ name }) => name === 'token')?.options).toEqual({
    audience: 'https://a.example.com/2',
    additionalClaims: { deep: [{ v: '2' }], plain: 1 },
  })
})

test('a value of the environment is not read for variables again', async () => {
  const project = await loadWith((files) => {
    files['.env'] = 'ORIGIN_URL=https://a.example.com/$env(SECRET)\nSECRET=s\n'
  })
  expect(sentTo(project)).toEqual({ origin: 'https://a.example.com', target: '/$env(SECRET)/orders' })
})

test('CORS policies, as lists and as texts with commas', async () => {
  const { routes } = await loadWith(
    (files) => {
      files[POLICIES].corsPolicies = [
        {
          name: 'apps',
          allowedOrigins: '$env(ORIGINS)',
          allowedMethods: 'get, POST',
          allowedHeaders: ['*'],
          exposeHeaders: 'X-A,X-B',
          maxAge: 60,
          allowCredentials: true,
        },
      ]
    },
    { ORIGINS: 'https://APP.example.com, http://*.localhost:3000' },
  )
  expect(routes[0]?.cors).toEqual({
    name: 'apps',
    allowedOrigins: ['https://app.example.com', 'http://*.localhost:3000'],
    allowedMethods: ['GET', 'POST'],
    allowedHeaders: ['*'],
    exposeHeaders: ['X-A', 'X-B'],
    maxAgeSec: 60,
    allowCredentials: true,
  })
})

test('everything goes, but nobody is known', async () => {
  const { routes } = await loadWith((files) => {
    files[ROUTES].paths['/orders'].get['x-zuplo-route'].corsPolicy = 'anything-goes'
  })
  expect(routes[0]?.cors).toMatchObject({ allowedOrigins: ['*'], allowCredentials: false })
})

test('two routes alike where the project permits them', async () => {
  const { routes } = await loadWith((files) => {
    files['zuplo.jsonc'] = { version: 1, allowDuplicateRoutes: true }
    files['config/more.oas.json'] = { openapi: '3.1.0', paths: { '/orders': files[ROUTES].paths['/orders'] } }
  })
  expect(routes.map(({ where }) => where)).toEqual(['GET /orders', 'GET /orders', 'GET /orders/{id}'])
})

test('extensions of others mean nothing', async () => {
  const { routes } = await loadWith((files) => {
    const item = files[ROUTES].paths['/orders']
    Object.assign(item, { summary: 'Orders', 'x-amazon': 1 })
    Object.assign(item.get, { 'x-internal': true, 'x-other': {}, security: [] })
  })
  expect(routes[0]?.inbound).toEqual(['key', 'own', 'token'])
})

test('parameters of a URL pattern', async () => {
  const project = await loadWith((files) => {
    const item = files[ROUTES].paths['/orders/{id}']
    delete files[ROUTES].paths['/orders/{id}']
    item['x-zuplo-path'] = { pathMode: 'url-pattern' }
    item.get['x-zuplo-route'].handler.options.rewritePattern = 'https://a.example.com/${params.id}/${params["0"]}'
    files[ROUTES].paths['/orders/:id(\\d+)/*'] = item
  })
  const { path, handler } = routeAt(project, 'GET /orders/:id(\\d+)/*')
  expect(path).toEqual({ mode: 'url-pattern', pattern: '/orders/:id(\\d+)/*' })
  expect(handler.destination(testRequest({ params: { id: '7', 0: 'x' } }))).toEqual({
    origin: 'https://a.example.com',
    target: '/7/x',
  })
})

test("a policy of a kind that is not the gateway's own", async () => {
  const files = goodProject()
  files[POLICIES].policies[0] = policy('key', 'stub-inbound', 'Stub', { a: 1 })
  await using project = await writeProject(files)
  const stub = {
    type: 'stub-inbound',
    exported: 'Stub',
    options: { known: { a: () => undefined } },
    create: () => () => undefined,
  }
  const complaint = await complaintOf(loadProject(project.folder, {}, [stub]))
  expect(complaint).toBe(
    'ERR_GATEWAY_PROJECT: There is no such policy (file config/policies.json, at /policies/1/policyType, given rate-limit-inbound); instead: stub-inbound.',
  )
})
