import http from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { embeddedKeys } from '../../fixtures/keys/keys.ts'
import type { OriginBench } from '../model/bench.ts'
import type { ConformanceCase, Suite } from '../model/case.ts'
import { octets, segmentsOf } from '../model/compact.ts'
import type { JsonObject } from '../model/json.ts'
import type { CaseResult, Report } from '../model/result.ts'
import { FAILS_BY_DEFAULT, FAILURES } from '../model/verdict.ts'
import { runOrigin } from '../runner/run.ts'
import type { Control, RunOptions } from '../runner/options.ts'
import type { Target } from '../targets/target.ts'

/** How a tiny origin answers: `claims` is undefined without a token, and nothing is verified. */
type Handler = (claims: JsonObject | undefined, response: ServerResponse, request: IncomingMessage) => void

const TIGHT_MS = 250
const keys = embeddedKeys()

/** Accepts tokens of the subject `ada`, whoever signed them, and refuses all others. */
const sensible: Handler = (claims, response) => {
  const isAda = claims?.['sub'] === 'ada'
  response
    .writeHead(isAda ? 200 : 401, { 'www-authenticate': 'Bearer' })
    .end(JSON.stringify({ sub: claims?.['sub'] ?? '' }))
}

/** The sensible origin, but for tokens of this subject. */
function but(subject: string, handle: Handler): Handler {
  return (claims, response, request) => {
    if (claims?.['sub'] === subject) handle(claims, response, request)
    else sensible(claims, response, request)
  }
}

const status =
  (code: number, body = ''): Handler =>
  (_, response) => {
    response.writeHead(code).end(body)
  }

function claimsOf(request: IncomingMessage): JsonObject | undefined {
  const token = request.headers.authorization?.split(' ')[1]
  if (token === undefined) return undefined
  try {
    return JSON.parse(Buffer.from(octets(segmentsOf(token).payload)).toString()) as JsonObject
  } catch {
    return {}
  }
}

async function startTiny(handle: Handler): Promise<Target> {
  const server = http.createServer((request, response) => {
    handle(claimsOf(request), response, request)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    kind: 'url',
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    profile: { algorithms: ['RS256'], subjects: ['ada', 'bob'], identityEcho: '/sub' },
    expected: [],
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

type Run = ConformanceCase['run']

function caseOf(run: Run, change: Partial<ConformanceCase> = {}): ConformanceCase {
  return {
    id: 'probe',
    title: 'is probed',
    level: 'MUST',
    clause: ['rfc7519/exp'],
    needs: [],
    rationale: 'None.',
    remedy: 'Do nothing.',
    run,
    ...change,
  }
}

async function report(
  cases: readonly ConformanceCase[],
  handle: Handler,
  change: Partial<RunOptions> = {},
): Promise<Report> {
  const suite: Suite = { id: 'origin/probe', title: 'Probe', cases }
  return await runOrigin({
    suites: [suite],
    select: {},
    start: () => startTiny(handle),
    control: { kind: 'issuer', keys, port: 0 },
    profile: {},
    seed: 1,
    deadlineMs: TIGHT_MS,
    on: () => undefined,
    signal: new AbortController().signal,
    ...change,
  })
}

async function resultOf(run: Run, handle: Handler, change: Partial<ConformanceCase> = {}): Promise<CaseResult> {
  const { cases } = await report([caseOf(run, change)], handle)
  const [only] = cases
  if (!only) throw new Error('The case gave no result')
  return only
}

const refusesBob: Run = async ({ mint, refuses }) => {
  await refuses(mint({ sub: 'bob' }), 'bob')
}

const acceptsCleo: Run = async ({ mint, accepts }) => {
  await accepts(mint({ sub: 'cleo' }), 'cleo')
}

describe('what a refusal is', () => {
  test.each<readonly [string, Handler, CaseResult['verdict'], string]>([
    ['401', sensible, 'pass', ''],
    ['400', but('bob', status(400)), 'pass', ''],
    ['403', but('bob', status(403)), 'pass', ''],
    ['431', but('bob', status(431)), 'pass', ''],
    ['200', but('bob', status(200, '{"sub":"bob"}')), 'fail-open', 'status 200, given to "bob"'],
    ['204', but('bob', status(204)), 'fail-open', 'status 204'],
    ['500', but('bob', status(500)), 'fail-crash', 'status 500'],
    ['503', but('bob', status(503)), 'fail-crash', 'status 503'],
    ['reset', but('bob', (_, { req }) => req.socket.resetAndDestroy()), 'fail-crash', 'the connection was closed'],
    ['silence', but('bob', () => undefined), 'fail-crash', 'no answer within'],
    ['404', but('bob', status(404)), 'inconclusive', 'neither an acceptance nor a refusal'],
    ['302', but('bob', status(302)), 'inconclusive', 'a redirect is neither'],
    ['429', but('bob', status(429)), 'inconclusive', 'limits the rate'],
  ])('%s', async (_, handle, verdict, said) => {
    const result = await resultOf(refusesBob, handle)

    expect(result.verdict).toBe(verdict)
    expect(result.findings[0]?.observed ?? result.reason ?? '').toContain(said)
  })

  test('a text that must never occur makes it fail-open, in the body and in a header', async () => {
    const never: Run = async ({ mint, refuses }) => {
      await refuses(mint({ sub: 'bob' }), 'bob', 'forged-identity')
    }
    const inHeader: Handler = (_, response) => response.writeHead(401, { 'x-user': 'forged-identity' }).end()

    expect((await resultOf(never, but('bob', status(401, 'forged-identity')))).verdict).toBe('fail-open')
    expect((await resultOf(never, but('bob', inHeader))).verdict).toBe('fail-open')
    expect((await resultOf(never, sensible)).verdict).toBe('pass')
  })
})

describe('what an acceptance is', () => {
  test('a changed token that is refused while an unchanged one is accepted is fail-closed', async () => {
    expect(await resultOf(acceptsCleo, sensible)).toMatchObject({ verdict: 'fail-closed' })
  })

  test('it proves nothing where anyone is let in', async () => {
    const result = await resultOf(acceptsCleo, status(200, '{}'))

    expect(result.verdict).toBe('inconclusive')
    expect(result.reason).toContain('A request without a token is answered in the same way')
  })

  test('of another subject it is fail-open', async () => {
    const result = await resultOf(acceptsCleo, but('cleo', status(200, '{"sub":"bob"}')))

    expect(result.verdict).toBe('fail-open')
  })
})

describe('what a case cannot do', () => {
  test.each<readonly [string, (bench: OriginBench) => void | Promise<void>, string]>([
    ['forget to await', ({ mint, refuses }) => void refuses(mint({ sub: 'bob' }), 'bob'), 'did not await'],
    ['judge nothing', () => undefined, 'judged nothing'],
    ['only look', async ({ mint, observes }) => void (await observes(mint(), 'ada')), 'judged nothing'],
    ['go on without its guard', ({ guard }) => guard(false, 'The fault was never served.'), 'never served'],
  ])('%s', async (_, run, reason) => {
    const result = await resultOf(async (bench) => run(bench), sensible)

    expect(result.verdict).toBe('inconclusive')
    expect(result.reason).toContain(reason)
  })

  test('pass when its control fails afterwards', async () => {
    let refused = false
    const handle: Handler = (claims, response, request) => {
      if (refused) status(401)(claims, response, request)
      else sensible(claims, response, request)
      refused ||= claims?.['sub'] === 'bob'
    }
    const result = await resultOf(refusesBob, handle)

    expect(result.verdict).toBe('inconclusive')
    expect(result.reason).toContain('valid token')
  })

  test('throw: that is an error of the harness', async () => {
    const broken: Run = () => Promise.reject(new TypeError('A bug'))

    await expect(resultOf(broken, sensible)).rejects.toMatchObject({
      code: 'ERR_HARNESS',
      fields: { case: 'origin/probe/probe' },
    })
  })
})

describe('levels and conditions', () => {
  const open = but('bob', status(200))

  test('a broken SHOULD is a warning that keeps its nature, and fails the run where that is asked for', async () => {
    const should = caseOf(refusesBob, { level: 'SHOULD' })
    const lax = await report([should], open)
    const strict = await report([should], open, { failOn: [...FAILS_BY_DEFAULT, 'warn'] })

    expect(lax.cases[0]).toMatchObject({ verdict: 'warn', nature: 'fail-open' })
    expect([lax.exit.code, strict.exit.code]).toEqual([0, 1])
  })

  test('a level falls where its condition is missing', async () => {
    const drops = { without: 'leeway', to: 'SHOULD' } as const
    const dropped = await resultOf(refusesBob, open, { drops })

    expect(dropped).toMatchObject({ level: 'SHOULD', verdict: 'warn' })
    const { cases } = await report([caseOf(refusesBob, { drops })], open, { profile: { leewaySec: 5 } })
    expect(cases[0]).toMatchObject({ level: 'MUST', verdict: 'fail-open' })
  })

  test('an unmet need skips the case and names what would unlock it', async () => {
    const { cases, notProven } = await report([caseOf(refusesBob, { needs: ['typ'] })], sensible)

    expect(cases[0]).toMatchObject({
      verdict: 'skip',
      missing: [{ capability: 'typ', unlock: '"typ" in the profile' }],
    })
    expect(notProven).toEqual([
      { unlock: '"typ" in the profile', says: 'a declared explicit typ', cases: ['origin/probe/probe'] },
    ])
  })

  test('an inconclusive MUST is not green unless that is allowed', async () => {
    const strange = but('bob', status(404))
    const unclear = await report(
      [caseOf(refusesBob), caseOf(async ({ mint, accepts }) => void (await accepts(mint(), 'ada')), { id: 'fine' })],
      strange,
    )
    const allowed = await report(
      [caseOf(refusesBob), caseOf(async ({ mint, accepts }) => void (await accepts(mint(), 'ada')), { id: 'fine' })],
      strange,
      { failOn: FAILURES },
    )

    expect([unclear.exit.code, allowed.exit.code]).toEqual([1, 0])
  })
})

test('a crash that one case causes is not laid at the door of another', async () => {
  let downUntil = 0
  let asked = 0
  const handle: Handler = (claims, response, request) => {
    asked += 1
    if (claims?.['sub'] === 'bob') downUntil = asked + 3
    if (asked <= downUntil) request.socket.resetAndDestroy()
    else sensible(claims, response, request)
  }
  const innocent: Run = async ({ mint, refuses }) => {
    for (let turn = 0; turn < 8; turn += 1) await refuses(mint({ sub: 'dan' }), `dan ${turn}`)
  }
  const { cases } = await report([caseOf(refusesBob, { id: 'guilty' }), caseOf(innocent, { id: 'innocent' })], handle)

  expect(cases.map(({ id, verdict }) => [id, verdict])).toEqual([
    ['origin/probe/guilty', 'fail-crash'],
    ['origin/probe/innocent', 'pass'],
  ])
})

describe('with less than an issuer', () => {
  const forgedToo: Run = async ({ control, mint, refuses }) => {
    await refuses({ ...control(), compact: `${control().compact}x`, control: false }, 'altered')
    await refuses(mint({ sub: 'bob' }), 'bob')
  }
  const secret = `${Buffer.from('{"alg":"RS256","kid":"theirs"}').toString('base64url')}.${Buffer.from(
    JSON.stringify({ sub: 'ada', iss: 'theirs', exp: 4_000_000_000 }),
  ).toString('base64url')}.c2VjcmV0LXNpZ25hdHVyZS1vZi10aGUtdXNlcg`
  const token: Control = { kind: 'token', keys, token: () => Promise.resolve(secret) }

  test('a URL alone: what is let in fails, and nothing passes', async () => {
    const closed = await report([caseOf(refusesBob)], sensible, { control: { kind: 'none', keys } })
    const open = await report([caseOf(refusesBob)], but('bob', status(200)), { control: { kind: 'none', keys } })

    expect(closed.cases[0]).toMatchObject({ verdict: 'skip', missing: [{ capability: 'control' }] })
    expect(open.cases[0]).toMatchObject({ verdict: 'fail-open' })
  })

  test("the user's token is the control, and is never printed", async () => {
    const seen: string[] = []
    const handle: Handler = (claims, response, request) => {
      seen.push(request.headers.authorization ?? '')
      status(claims?.['sub'] === undefined ? 401 : 200, '{"sub":"ada"}')(claims, response, request)
    }
    const result = await report([caseOf(forgedToo)], handle, { control: token })

    expect(result.cases[0]).toMatchObject({ verdict: 'fail-open' })
    expect(seen).toContain(`Bearer ${secret}`)
    const text = JSON.stringify(result)
    for (const part of [secret, ...secret.split('.')]) expect(text).not.toContain(part)
    expect(text).toContain('$TOKEN')
  })
})
