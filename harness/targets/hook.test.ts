import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { embeddedKeys } from '../../fixtures/keys/keys.ts'
import { SUITES } from '../../suites/catalog.ts'
import { movableClock } from '../clock/clock.ts'
import type { MovableClock } from '../clock/clock.ts'
import { hookClock } from '../clock/hook.ts'
import type { Report } from '../model/result.ts'
import { answer } from '../origin/answer.ts'
import { REFERENCE_PROFILE } from '../origin/profile.ts'
import { startReferenceOrigin } from '../origin/server.ts'
import { runOrigin } from '../runner/run.ts'
import type { Selection } from '../runner/options.ts'
import type { Target, TargetSettings } from './target.ts'
import { urlTarget } from './url.ts'

async function listening(handle: (request: http.IncomingMessage, response: http.ServerResponse) => Promise<void>) {
  const server = http.createServer((request, response) => void handle(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/clock`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** The hook that the README documents, in front of a clock. */
async function startHook(clock: MovableClock) {
  return await listening(async (request, response) => {
    if (request.method === 'POST')
      await clock.advance(((await json(request)) as { advanceSeconds: number }).advanceSeconds)
    response.end(JSON.stringify({ now: Math.floor(clock.nowMs() / 1000) }))
  })
}

/** An origin by URL that judges tokens by its clock; its Date is the machine's, as that of any HTTP server is. */
async function startOrigin({ issuer, jwksUrl, audience }: TargetSettings, clock: MovableClock, hookUrl: string) {
  const options = { issuer, jwksUrl, audience, profile: REFERENCE_PROFILE, clock, port: 0 }
  const origin = await startReferenceOrigin(options, {
    answer(outcome, request, response) {
      response.removeHeader('date')
      response.sendDate = true
      answer(outcome, request, response)
    },
  })
  return {
    ...urlTarget(`${origin.url}/protected`, await hookClock(hookUrl)),
    profile: REFERENCE_PROFILE,
    [Symbol.asyncDispose]: () => origin[Symbol.asyncDispose](),
  } satisfies Target
}

async function reportOf(judging: MovableClock, hooked: MovableClock, select: Selection): Promise<Report> {
  await using hook = await startHook(hooked)
  return await runOrigin({
    suites: SUITES,
    select,
    start: (settings) => startOrigin(settings, judging, hook.url),
    control: { kind: 'issuer', keys: embeddedKeys(), port: 0 },
    profile: {},
    seed: 1,
    deadlineMs: 5_000,
    on: () => undefined,
    signal: new AbortController().signal,
  })
}

test('the hook of an origin by URL moves time: what rotates, is cached or expires is judged', async () => {
  const clock = movableClock()
  const { preflight, cases } = await reportOf(clock, clock, {
    suites: ['kid-rotation', 'jwks-caching', 'expired-tokens'],
  })

  expect(preflight.checks).toContainEqual({ name: 'time can be moved', ok: true, detail: 'hook' })
  expect(cases.filter(({ verdict }) => !['pass', 'info', 'skip'].includes(verdict))).toEqual([])
  expect(cases.filter(({ missing }) => missing.length > 0).map(({ id }) => id)).toEqual([
    'origin/jwks-caching/discovery-issuer-mismatch',
  ])
})

test('a hook that moves another clock than the one that tokens are judged by is found out', async () => {
  const { preflight, cases } = await reportOf(movableClock(), movableClock(), { cases: ['new-kid-picked-up'] })

  expect(preflight.checks).toContainEqual({
    name: 'time can be moved',
    ok: false,
    detail: expect.stringMatching(/^The clock of the origin did not move when it was told to: /u) as string,
  })
  expect(cases.map(({ verdict }) => verdict)).toEqual(['skip'])
})

test.each([
  ['answers something else', '{"time": 1}', 200],
  ['answers no JSON', 'now', 200],
  ['is not there', '', 404],
])('a hook that %s is a mistake of the user', async (_, body, status) => {
  await using hook = await listening(async (_request, response) => {
    response.writeHead(status).end(body)
  })

  await expect(hookClock(hook.url)).rejects.toMatchObject({
    code: 'ERR_USAGE',
    message: 'The clock hook does not do what it should',
    fields: { '--clock-url': hook.url },
  })
})
