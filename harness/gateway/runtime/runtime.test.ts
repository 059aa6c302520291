import { expect, test } from 'vitest'
import { loadProject } from '../config/project.ts'
import { complaintOf, goodProject, writeProject } from '../config/projects.testing.ts'
import type { ProjectFiles } from '../config/projects.testing.ts'
import { getUsage, keepUsage, metersOf } from '../limits/meters.ts'
import { incrementOf } from '../limits/increments.ts'
import type { JsonObject } from '../../model/json.ts'
import type { PolicyContext, TokenService } from '../policy.ts'
import { testContext, testRequest } from '../policies/policies.testing.ts'
import type { GatewayRequest } from '../request.ts'

/** A project whose modules beside its own are these. */
function projectOf(files: ProjectFiles): ProjectFiles {
  return { ...goodProject(), ...files }
}

/** The own policy of a project, loaded for one more gateway. */
async function policyIn(folder: string, outside = {}, given: Partial<PolicyContext> = {}) {
  const { policies } = await loadProject(folder, outside)
  const own = policies.find(({ name }) => name === 'own')
  const { context, events } = testContext({ name: 'own', ...given })
  const policy = own?.kind.create({}, context)
  return {
    events,
    answer: async (request: GatewayRequest = testRequest()): Promise<unknown> => {
      const verdict = await policy?.(request)
      return verdict && 'body' in verdict ? (JSON.parse(verdict.body) as unknown) : verdict
    },
  }
}

const CALLER = 'export const callerOf = () => undefined\n'

test('two gateways of one project share no state of its modules, also not of those that they import', async () => {
  await using project = await writeProject(
    projectOf({
      'modules/own.ts': `${CALLER}import { next } from './counter'
let count = 0
export default () => Response.json([(count += 1), next()])`,
      'modules/counter.ts': 'let count = 0\nexport const next = () => (count += 1)',
    }),
  )
  const one = await policyIn(project.folder)
  const other = await policyIn(project.folder)
  expect([await one.answer(), await one.answer(), await other.answer(), await one.answer()]).toEqual([
    [1, 1],
    [2, 2],
    [1, 1],
    [3, 3],
  ])
})

test('modules of one gateway share what they import', async () => {
  await using project = await writeProject(
    projectOf({
      'modules/own.ts': `${CALLER}import { next } from './counter.ts'
import { next as same } from './deep'
export default () => Response.json([next(), same()])`,
      'modules/deep/index.ts': "export * from '../counter'",
      'modules/counter.ts': 'let count = 0\nexport const next = () => (count += 1)',
    }),
  )
  expect(await (await policyIn(project.folder)).answer()).toEqual([1, 2])
})

test('each gateway has its own environment, the file .env within', async () => {
  await using project = await writeProject(
    projectOf({
      '.env': 'ORIGIN_URL=https://a.example.com\nPLAN=free\n',
      'modules/own.ts': `${CALLER}import { environment } from '@zuplo/runtime'
const atLoad = environment.PLAN
export default () => Response.json([atLoad, environment.PLAN, environment.NONE ?? null, Object.isFrozen(environment)])`,
    }),
  )
  const one = await policyIn(project.folder)
  const other = await policyIn(project.folder, { PLAN: 'gold' })
  expect(await one.answer()).toEqual(['free', 'free', null, true])
  expect(await other.answer()).toEqual(['gold', 'gold', null, true])
})

test('every documented name can be imported, types too', async () => {
  await using project = await writeProject(
    projectOf({
      'modules/own.ts': `${CALLER}import * as runtime from '@zuplo/runtime'
import { ConfigurationError, CustomRateLimitDetails, InboundPolicyHandler, RuntimeError, ZuploContext } from '@zuplo/runtime'
const kinds = Object.entries(runtime).map(([name, value]) => name + ': ' + typeof value)
const error = new ConfigurationError('x')
const info = new RuntimeError({ message: 'y', extensionMembers: { a: 1 } }, { cause: error })
export default () => Response.json([kinds, error.name, error instanceof RuntimeError, info.message, info.extensionMembers])`,
    }),
  )
  expect(await (await policyIn(project.folder)).answer()).toEqual([
    [
      'ComplexRateLimitInboundPolicy: object',
      'ConfigurationError: function',
      'CustomRateLimitDetails: undefined',
      'HttpProblems: object',
      'HttpStatusCode: object',
      'InboundPolicyHandler: undefined',
      'JwtServicePlugin: function',
      'JwtServicePluginOptions: undefined',
      'Logger: undefined',
      'ProblemDetails: undefined',
      'QuotaInboundPolicy: object',
      'RuntimeError: function',
      'RuntimeExtensions: undefined',
      'ZuploContext: undefined',
      'ZuploRequest: function',
      'ZuploRequestInit: undefined',
      'environment: object',
    ],
    'ConfigurationError',
    true,
    'y',
    { a: 1 },
  ])
})

test('other imports are as Node has them, in the project and outside of it', async () => {
  await using project = await writeProject(
    projectOf({
      'modules/own.ts': `${CALLER}import { createHash } from 'node:crypto'
import { answer } from 'some-package'
export default () => Response.json([createHash('sha256').digest('hex').length, answer])`,
      'node_modules/some-package/package.json': { name: 'some-package', type: 'module', exports: './main.js' },
      'node_modules/some-package/main.js': "import { part } from './part.js'\nexport const answer = part",
      'node_modules/some-package/part.js':
        "export const part = await import('@zuplo/runtime').catch(({ code }) => code)",
    }),
  )
  expect(await (await policyIn(project.folder)).answer()).toEqual([64, 'ERR_MODULE_NOT_FOUND'])
})

/** A service that signs nothing and tells what it was asked for. */
function tokensThat(asked: (readonly [JsonObject, number])[]): TokenService {
  return {
    issuer: 'https://api.example.com/__zuplo/issuer',
    lifetimeSec: 300,
    longestLifetimeSec: 3_600,
    generation: () => 0,
    sign(claims, lifetimeSec) {
      asked.push([claims, lifetimeSec])
      return `token-${asked.length}`
    },
  }
}

const signing = (options: string) => `${CALLER}import { JwtServicePlugin } from '@zuplo/runtime'
export default async (request) => Response.json(await JwtServicePlugin.signJwt(${options}))`

test('signJwt signs with the keys of the gateway that handles the request', async () => {
  const module = signing(
    "{ subject: request.user.sub, audience: 'https://a.example.com', expiresIn: '2 min', plan: 'gold' }",
  )
  await using project = await writeProject(projectOf({ 'modules/own.ts': module }))
  const [asked, others]: [JsonObject, number][][] = [[], []]
  const one = await policyIn(project.folder, {}, { tokens: tokensThat(asked ?? []) })
  const other = await policyIn(project.folder, {}, { tokens: tokensThat(others ?? []) })
  const request = testRequest({ user: { sub: 'consumer-1', data: {} } })
  // At once: each call has to find its own gateway.
  expect(await Promise.all([one.answer(request), other.answer(request), one.answer(request)])).toEqual([
    'token-1',
    'token-1',
    'token-2',
  ])
  const claims = { sub: 'consumer-1', aud: 'https://a.example.com', plan: 'gold' }
  expect([asked?.length, others?.length, asked?.[0]]).toEqual([2, 1, [claims, 120]])
})

test.each([
  ["{ subject: 'a', audience: 'b' }", undefined],
  ["{ subject: 'a', audience: 'b', expiresIn: 3601 }", 'expiresIn of signJwt is 1 second to 3600 seconds'],
  ["{ subject: 'a', audience: 'b', expiresIn: 'long' }", 'expiresIn of signJwt is 1 second to 3600 seconds'],
  ["{ subject: 'a', audience: 'b', iss: 'me' }", 'signJwt sets iss itself'],
  ["{ subject: 'a', audience: 'b', exp: 1 }", 'signJwt sets exp itself'],
  ["{ subject: 'a', audience: 'b', iat: 1 }", 'signJwt sets iat itself'],
  ["{ audience: 'b' }", 'signJwt needs a subject and an audience'],
  ["{ subject: 'a', audience: '' }", 'signJwt needs a subject and an audience'],
])('signJwt(%s)', async (options, due) => {
  await using project = await writeProject(projectOf({ 'modules/own.ts': signing(options) }))
  const { answer, events } = await policyIn(project.folder, {}, { tokens: tokensThat([]) })
  const said = await answer().catch(() => events[0]?.['error'])
  expect(said).toBe(due ?? 'token-1')
})

test('signJwt without the plugin, and before there is a request', async () => {
  const options = "{ subject: 'a', audience: 'b' }"
  await using project = await writeProject(projectOf({ 'modules/own.ts': signing(options) }))
  const { answer, events } = await policyIn(project.folder)
  await expect(answer()).rejects.toThrow('signJwt needs')
  expect(events[0]?.['error']).toBe('signJwt needs new JwtServicePlugin() in modules/zuplo.runtime.ts')
  const early = `${CALLER}import { JwtServicePlugin } from '@zuplo/runtime'
export const token = await JwtServicePlugin.signJwt(${options})
export default () => undefined`
  await using other = await writeProject(projectOf({ 'modules/own.ts': early }))
  expect(await complaintOf(loadProject(other.folder, {}))).toContain(
    'reason This is there while a policy handles a request, and not before)',
  )
})

test('what custom code tells limits and quotas, and asks of them', async () => {
  const module = `${CALLER}import { ComplexRateLimitInboundPolicy, QuotaInboundPolicy } from '@zuplo/runtime'
export default (request, context) => {
  ComplexRateLimitInboundPolicy.setIncrements(context, { compute: 5 })
  QuotaInboundPolicy.setMeters(context, { tokens: 7 })
  return Response.json([QuotaInboundPolicy.getUsage(context, 'quota'), QuotaInboundPolicy.getUsage(context, 'no') ?? null])
}`
  await using project = await writeProject(projectOf({ 'modules/own.ts': module }))
  const request = testRequest()
  const usage = {
    anchorDate: '2026-01-01T00:00:00.000Z',
    nextResetDate: '2026-02-01T00:00:00.000Z',
    meters: { requests: 3 },
  }
  keepUsage(request, 'quota', usage)
  expect(await (await policyIn(project.folder)).answer(request)).toEqual([usage, null])
  expect([incrementOf(request, 'compute'), metersOf(request), getUsage(request, 'quota')]).toEqual([
    5,
    { requests: 1, tokens: 7 },
    usage,
  ])
})
