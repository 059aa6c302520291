import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { loadProject } from '../config/project.ts'
import { goodProject, writeProject } from '../config/projects.testing.ts'
import type { ProjectFiles } from '../config/projects.testing.ts'
import { Headers } from '../headers.ts'
import type { Inbound, PolicyContext } from '../policy.ts'
import type { Verdict } from '../reply.ts'
import type { GatewayRequest } from '../request.ts'
import { testContext, testRequest } from './policies.testing.ts'

/** The policy `own` of a project whose module has this text, with what it reported. */
async function policyOf(
  module: string,
  more: {
    readonly files?: ProjectFiles
    readonly options?: object
    readonly outside?: Readonly<Record<string, string>>
    readonly context?: Partial<PolicyContext>
  } = {},
) {
  const files = { ...goodProject(), ...more.files }
  files['modules/own.ts'] = `export const callerOf = () => undefined\n${module}`
  if (more.options) files['config/policies.json'].policies[3].handler.options = more.options
  await using project = await writeProject(files)
  const { policies } = await loadProject(project.folder, more.outside ?? {})
  const own = policies.find(({ name }) => name === 'own')
  if (!own) throw new Error('The project has no policy of its own')
  const { context, events, clock } = testContext({ name: 'own', ...more.context })
  return { policy: own.kind.create(own.options, context), events, clock }
}

/** Runs the module for a request, which is changed. */
async function run(module: string, request: GatewayRequest = testRequest()): Promise<Verdict | undefined> {
  const { policy } = await policyOf(module)
  return await policy(request)
}

/** What the operator is told when the module fails, and that the request ends with it. */
async function failureOf(module: string, request: GatewayRequest = testRequest()): Promise<unknown> {
  const { policy, events } = await policyOf(module)
  await expect(Promise.resolve(policy(request))).rejects.toThrow()
  return events.map(({ event, error, at }) => (at === undefined ? [event, error] : [event, error, at]))
}

async function answerOf(policy: Inbound, request = testRequest()): Promise<unknown> {
  const verdict = await policy(request)
  return verdict && 'body' in verdict ? (JSON.parse(verdict.body) as unknown) : verdict
}

const show = (expression: string) =>
  `export default (request, context, options, policyName) => Response.json(${expression})`

test('the code is given the request, the context, its options and the name of the policy', async () => {
  const { policy } = await policyOf(
    `import { ZuploContext, ZuploRequest } from '@zuplo/runtime'
export default async function (request: ZuploRequest, context: ZuploContext, options: unknown, policyName: string) {
  const { method, url, params, query, user, headers } = request
  return Response.json({
    seen: { method, url, params, query, user, header: headers.get('x-a') }, options, policyName,
    context: { requestId: context.requestId, route: context.route, custom: context.custom },
    is: [request instanceof ZuploRequest, request instanceof Request],
  })
}`,
    { options: { plans: ['a'], secret: '$env(SECRET)' }, outside: { SECRET: 's' } },
  )
  const request = testRequest({
    id: 'id-1',
    method: 'PATCH',
    route: '/orders/{id}',
    url: 'https://api.example.com/orders/7?a=1&key=secret&b=%20',
    search: '?a=1&b=%20',
    params: { id: '7' },
    user: { sub: 'consumer-1', data: { plan: 'gold' } },
    headers: new Headers(['X-A', 'one', 'x-a', 'two']),
  })
  expect(await answerOf(policy, request)).toEqual({
    seen: {
      method: 'PATCH',
      url: 'https://api.example.com/orders/7?a=1&b=%20',
      params: { id: '7' },
      query: { a: '1', b: ' ' },
      user: { sub: 'consumer-1', data: { plan: 'gold' } },
      header: 'one, two',
    },
    options: { plans: ['a'], secret: 's' },
    policyName: 'own',
    context: { requestId: 'id-1', route: { path: '/orders/{id}', methods: ['PATCH'] }, custom: {} },
    is: [true, true],
  })
})

test.each([
  ['the request itself', 'request'],
  ['nothing', 'undefined'],
  ['a copy', 'new ZuploRequest(request)'],
  ['a copy with its own headers', 'new ZuploRequest(request, { headers: request.headers })'],
  ['a clone', 'request.clone()'],
  ['a request of the standard', 'new Request(request)'],
])('where it gives %s, every octet of the header lines stays', async (_, given) => {
  const lines = ['Host', 'api.example.com', 'X-A', '1', 'accept', 'a;q=0.1,  b', 'x-a', '2', 'X-Latin', 'caf\u00e9']
  const user = { sub: 'consumer-1', data: {} }
  const request = testRequest({ headers: new Headers([...lines]), search: "?a='%7e", user })
  request.headers.add('Content-Length', '5')
  const module = `import { ZuploRequest } from '@zuplo/runtime'\nexport default (request) => ${given}`
  expect(await run(module, request)).toBeUndefined()
  expect(request.headers.lines).toEqual([...lines, 'Content-Length', '5'])
  expect([request.search, request.user]).toEqual(["?a='%7e", user])
})

test('changed headers are taken over, and no others', async () => {
  const request = testRequest({
    headers: new Headers(['B', '1', 'X-A', 'old', 'C', '2', 'x-a', 'older', 'X-Gone', 'x']),
  })
  await run(
    `export default (request) => {
  request.headers.set('x-a', 'new')
  request.headers.append('x-new', 'n')
  request.headers.delete('x-gone')
  return request
}`,
    request,
  )
  expect(request.headers.lines).toEqual(['B', '1', 'C', '2', 'x-a', 'new', 'x-new', 'n'])
})

test('a request made anew brings its own headers, save those that frame the message', async () => {
  const request = testRequest({
    headers: new Headers(['Host', 'a', 'Content-Length', '5', 'Authorization', 'x', 'X-B', '1']),
    contentLength: 5,
  })
  const module = `import { ZuploRequest } from '@zuplo/runtime'
export default (request) => new ZuploRequest(request.url, { method: request.method, headers: { 'x-b': '1' } })`
  await run(module, request)
  expect(request.headers.lines).toEqual(['Host', 'a', 'Content-Length', '5', 'X-B', '1'])
})

test.each(['content-length', 'transfer-encoding', 'connection', 'host', 'te', 'x-forwarded-for', 'zp-rid'])(
  'it cannot set %s',
  async (name) => {
    const module = `export default (request) => { request.headers.set('${name}', 'x'); return request }`
    expect(await failureOf(module)).toEqual([
      ['custom-code-failed', `A policy changed the header ${name}, which is not its to set`],
    ])
  },
)

test('what it says of the user counts', async () => {
  const request = testRequest({ user: { sub: 'consumer-1', data: { plan: 'free' } } })
  await run(
    "export default (request) => { request.user = { sub: 'other', data: { plan: 'gold' } }; return request }",
    request,
  )
  expect(request.user).toEqual({ sub: 'other', data: { plan: 'gold' } })
  await run("export default (request) => { request.user.data.plan = 'silver' }", request)
  expect(request.user).toEqual({ sub: 'other', data: { plan: 'silver' } })
  await run("export default (request) => { request.user = { sub: 'third' } }", request)
  expect(request.user).toEqual({ sub: 'third', data: {} })
  await run('export default (request) => { request.user = undefined }', request)
  expect(request.user).toBeUndefined()
})

test('the data of a consumer are a copy: what one request changes, the next does not see', async () => {
  const data = { plan: 'free' }
  const { policy } = await policyOf("export default (request) => { request.user.data.plan += '!' }")
  const [first, second] = [1, 2].map(() => testRequest({ user: { sub: 'consumer-1', data } }))
  await policy(first ?? testRequest())
  await policy(second ?? testRequest())
  expect([first?.user?.data, second?.user?.data, data]).toEqual([
    { plan: 'free!' },
    { plan: 'free!' },
    { plan: 'free' },
  ])
})

test.each(['{ data: {} }', "{ sub: '' }", '{ sub: 5 }', "'me'", "{ sub: 'a', data: 'b' }"])(
  'no user is %s',
  async (user) => {
    expect(await failureOf(`export default (request) => { request.user = ${user} }`)).toEqual([
      ['custom-code-failed', expect.stringMatching(/^A policy set a user w/u)],
    ])
  },
)

test('it may change the query, and nothing else of where a request goes', async () => {
  const copy = (url: string, init = '') =>
    `import { ZuploRequest } from '@zuplo/runtime'\nexport default (request) => new ZuploRequest(${url}, { method: 'GET' ${init}})`
  const request = testRequest({ search: '?a=1', url: 'https://api.example.com/orders?a=1' })
  await run(copy("request.url + '&b=%202'"), request)
  expect(request.search).toBe('?a=1&b=%202')
  await run(copy("request.url.split('?')[0]"), request)
  expect(request.search).toBe('')
  const path = 'A policy changed the path of a request: where it goes is for the handler of the route to say'
  for (const url of [
    "request.url + '/more'",
    "'https://other.example.com/orders'",
    "'http://api.example.com/orders'",
  ]) {
    expect(await failureOf(copy(url))).toEqual([['custom-code-failed', path]])
  }
  const method = await failureOf(copy('request.url').replace("'GET'", "'POST'"))
  expect(method).toEqual([['custom-code-failed', 'A policy changed the method of a request']])
})

const BODY = 'The body of a request streams through the gateway: a policy can neither read nor replace it'

test.each([
  'await request.text()',
  'await request.json()',
  'await request.arrayBuffer()',
  'await request.bytes()',
  'await request.formData()',
  'await request.blob()',
  'request.body',
  'await request.clone().text()',
  "return new ZuploRequest(request, { body: 'x', method: 'POST' })",
  "return new Request(request.url, { body: 'x', method: 'POST' })",
])('a body is not to be had: %s', async (code) => {
  const module = `import { ZuploRequest } from '@zuplo/runtime'\nexport default async (request) => { ${code}; return request }`
  const request = testRequest({ method: 'POST' })
  expect(await failureOf(module, request)).toEqual([['custom-code-failed', BODY]])
})

test('a response answers', async () => {
  const headers =
    "[['x-a', '1'], ['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['connection', 'close'], ['content-length', '99']]"
  const verdict = await run(`export default () => new Response('d\u00e9nied', { status: 402, headers: ${headers} })`)
  expect(verdict).toEqual({
    status: 402,
    headers: [
      ['content-type', 'text/plain;charset=UTF-8'],
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['x-a', '1'],
    ],
    body: 'd\u00e9nied',
  })
})

test('a response that was fetched is given as it was decoded', async () => {
  const fetched = http.createServer((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Encoding': 'gzip' }).end(gzipSync('h\u00e9llo'))
  })
  fetched.listen(0, '127.0.0.1')
  await once(fetched, 'listening')
  const { port } = fetched.address() as AddressInfo
  const verdict = await run(`export default () => fetch('http://127.0.0.1:${port}')`)
  fetched.closeAllConnections()
  fetched.close()
  expect(verdict).toMatchObject({ status: 200, body: 'h\u00e9llo' })
  const names = verdict?.headers?.map(([name]) => name)
  expect(names).toContain('content-type')
  expect(names).not.toContain('content-encoding')
})

test.each([
  ['null', 'A policy gave neither a request nor a response'],
  ['{}', 'A policy gave neither a request nor a response'],
  ['Response.error()', 'A policy answered with a response that is none'],
])('%s is no answer', async (given, due) => {
  expect(await failureOf(`export default () => (${given})`)).toEqual([['custom-code-failed', due]])
})

test('what it throws ends the request; the operator learns where, and nothing of what it says', async () => {
  const module = "\n\nexport default () => { throw new RangeError('secret') }"
  expect(await failureOf(module)).toEqual([['custom-code-failed', 'RangeError', 'own.ts:4']])
  expect(await failureOf("export default () => { throw 'secret' }")).toEqual([['custom-code-failed', 'string']])
})

test('refusals in the form of the gateway', async () => {
  const module = `import { HttpProblems } from '@zuplo/runtime'
export default (request, context) => HttpProblems.forbidden(request, context,
  { detail: 'Not with this plan', plan: 'free', status: 200 }, { 'X-Plan': 'free' })`
  const { policy, clock } = await policyOf(module)
  const verdict = await policy(testRequest({ id: 'id-1', path: '/orders/7' }))
  const body = verdict && 'body' in verdict ? (JSON.parse(verdict.body) as unknown) : undefined
  expect(verdict).toMatchObject({
    status: 403,
    headers: [
      ['cache-control', 'no-store'],
      ['content-type', 'application/problem+json'],
      ['x-plan', 'free'],
    ],
  })
  expect(body).toEqual({
    type: 'https://httpproblems.com/http-status/403',
    title: 'Forbidden',
    status: 403,
    detail: 'Not with this plan',
    plan: 'free',
    instance: '/orders/7',
    trace: { timestamp: new Date(clock.nowMs()).toISOString(), requestId: 'id-1' },
  })
})

test('names of statuses', async () => {
  const names = 'badRequest unauthorized notFound tooManyRequests internalServerError imATeapot uriTooLong ok noContent'
  const module = `import { HttpProblems, HttpStatusCode } from '@zuplo/runtime'
export default async (request, context) => {
  const all = await Promise.all('${names}'.split(' ').map((name) => HttpProblems[name](request, context)))
  return Response.json([...all.map(({ status }) => status), HttpStatusCode.NotFound, HttpStatusCode.NOT_FOUND,
    HttpProblems.continue, HttpProblems.useProxy])
}`
  const { policy } = await policyOf(module)
  expect(await answerOf(policy)).toEqual([400, 401, 404, 429, 500, 418, 414, 200, 204, 404, 404, null, null])
})

test('policies of one request share a context', async () => {
  const files = {
    'modules/second.ts': show('[context.custom, context === globalThis.seen, request.user ?? null]'),
  }
  const first = await policyOf(
    'export default (request, context) => { context.custom.team = { id: 7 }; globalThis.seen = context }',
    { files },
  )
  const second = await policyOf(files['modules/second.ts'])
  const request = testRequest()
  await first.policy(request)
  expect(await answerOf(second.policy, request)).toEqual([{ team: { id: 7 } }, true, null])
  expect(await answerOf(second.policy)).toEqual([{}, false, null])
  Reflect.deleteProperty(globalThis, 'seen')
})

test('logs, and work that goes on behind the answer', async () => {
  const { policy, events } = await policyOf(`export default (request, context) => {
  context.log.info('plan', { plan: 'free' }, new RangeError('too far'))
  context.waitUntil(Promise.reject(new Error('secret')))
}`)
  await policy(testRequest({ id: 'id-1' }))
  expect(events).toEqual([
    {
      event: 'project-log',
      level: 'info',
      requestId: 'id-1',
      message: 'plan {"plan":"free"} RangeError: too far',
    },
    { event: 'project-work-failed', requestId: 'id-1' },
  ])
})

test('what the context of this gateway has not is told by name', async () => {
  const module = "export default (request, context) => context.invokeInboundPolicy('other', request)"
  expect(await failureOf(module)).toEqual([['custom-code-failed', 'The gateway has no context.invokeInboundPolicy']])
})

test('a context of nobody is none', async () => {
  const module =
    "import { HttpProblems } from '@zuplo/runtime'\nexport default (request) => HttpProblems.forbidden(request, {})"
  expect(await failureOf(module)).toEqual([['custom-code-failed', 'This is no context of the gateway']])
})
