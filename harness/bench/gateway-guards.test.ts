import http from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { embeddedGateway } from '../targets/embedded-gateway.ts'
import type { GatewayFlaw } from '../targets/embedded-gateway.ts'
import type { GatewayTarget, GatewayTargetSettings } from '../targets/gateway-target.ts'
import { runGateway } from '../runner/gateway-run.ts'
import type { ConformanceCase, Suite } from '../model/case.ts'
import type { CaseResult, Report } from '../model/result.ts'

type Run = ConformanceCase<'gateway'>['run']
type Start = (settings: GatewayTargetSettings) => Promise<GatewayTarget>

const TIGHT_MS = 400
const KEY = 'a-key-of-a-test-0123456789abcdef'

/** What a tiny gateway does with a request: answers, forwards, or both. */
type Handler = (
  request: IncomingMessage,
  response: ServerResponse,
  forward: (silently?: boolean) => Promise<void>,
) => Promise<void>

/** A gateway that forwards what has the key, and refuses the rest. */
const sensible: Handler = async (request, response, forward) => {
  if (request.headers.authorization === `Bearer ${KEY}`) await forward()
  else response.writeHead(401, { 'www-authenticate': 'Bearer' }).end('{}')
}

/** Starts a gateway that is one function. */
function tiny(handle: Handler, change: Partial<GatewayTarget> = {}): Start {
  return async ({ capture }) => {
    const server = http.createServer((request, response) => {
      const forward = async (silently = false): Promise<void> => {
        const { host: _, connection: __, ...headers } = request.headers
        const onward = http.request(`${capture}${request.url}`, { method: request.method, headers })
        if (silently) onward.end()
        else request.pipe(onward)
        const [answer] = (await once(onward, 'response')) as [IncomingMessage]
        if (silently) {
          answer.resume()
          return
        }
        response.writeHead(answer.statusCode ?? 502)
        answer.pipe(response)
      }
      void handle(request, response, forward)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return {
      kind: 'url',
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/orders`,
      profile: { keys: [{ key: KEY, consumer: 'ada' }] },
      expected: [],
      hooks: {},
      captured: true,
      [Symbol.asyncDispose]: async () => {
        const closed = once(server, 'close')
        server.close()
        server.closeAllConnections()
        await closed
      },
      ...change,
    }
  }
}

async function reportOf(run: Run, start: Start, change: Partial<ConformanceCase<'gateway'>> = {}): Promise<Report> {
  const suite: Suite<'gateway'> = {
    id: 'gateway/probe',
    title: 'Probe',
    cases: [
      {
        id: 'probe',
        title: 'is probed',
        level: 'MUST',
        clause: ['owasp/api2'],
        needs: [],
        rationale: 'None.',
        remedy: 'Do nothing.',
        run,
        ...change,
      },
    ],
  }
  return await runGateway({
    suites: [suite],
    select: {},
    start,
    profile: {},
    seed: 1,
    deadlineMs: TIGHT_MS,
    on: () => undefined,
    signal: new AbortController().signal,
  })
}

async function resultOf(run: Run, start: Start, change: Partial<ConformanceCase<'gateway'>> = {}): Promise<CaseResult> {
  const { cases } = await reportOf(run, start, change)
  const [only] = cases
  if (!only) throw new Error('The case gave no result')
  return only
}

const refusesNone: Run = async ({ refuses }) => {
  await refuses({ key: null }, 'no key')
}

describe('refuses', () => {
  test('passes where the call is refused, reaches nothing, and a control gets through on both sides of it', async () => {
    expect(await resultOf(refusesNone, tiny(sensible))).toMatchObject({ verdict: 'pass', stimuli: 1 })
  })

  test.each<readonly [string, Handler, Partial<CaseResult>]>([
    ['forwarded', (_, __, forward) => forward(), { verdict: 'fail-open' }],
    [
      'refused, but forwarded as well',
      async (request, response, forward) => {
        if (request.headers.authorization !== undefined) await forward()
        else {
          await forward(true)
          response.writeHead(401).end()
        }
      },
      { verdict: 'fail-open' },
    ],
    [
      'answered 500',
      async (request, response, forward) => {
        if (request.headers.authorization === undefined) response.writeHead(500).end()
        else await forward()
      },
      { verdict: 'fail-crash' },
    ],
    [
      'answered 429',
      async (request, response, forward) => {
        if (request.headers.authorization === undefined) response.writeHead(429).end()
        else await forward()
      },
      { verdict: 'inconclusive' },
    ],
    [
      'answered 200 without the origin',
      async (request, response, forward) => {
        if (request.headers.authorization === undefined) response.writeHead(200).end('{}')
        else await forward()
      },
      { verdict: 'fail-open' },
    ],
  ])('%s', async (_, handle, expected) => {
    expect(await resultOf(refusesNone, tiny(handle))).toMatchObject(expected)
  })

  test('proves nothing where a valid key is no longer let in afterwards', async () => {
    let refused = 0
    const start = tiny(async (request, response, forward) => {
      if (request.headers.authorization === undefined) refused += 1
      // The first is the one that asks whether anything answers, the second whether it still does.
      if (refused > 2) response.writeHead(401).end()
      else await sensible(request, response, forward)
    })

    expect(await resultOf(refusesNone, start, { runs: 'alone' })).toMatchObject({
      verdict: 'inconclusive',
      reason: 'A call with a valid key was no longer forwarded afterwards (status 401).',
    })
  })
})

describe('forwards', () => {
  const forwards: Run = async (bench) => {
    await bench.forwards({ query: 'a=1' }, 'a query')
  }

  test.each<readonly [string, Handler, Partial<CaseResult>]>([
    ['forwarded once', sensible, { verdict: 'pass' }],
    [
      'forwarded twice',
      async (request, response, forward) => {
        if (request.url?.includes('a=1')) await forward(true)
        await sensible(request, response, forward)
      },
      { verdict: 'fail' },
    ],
    [
      'answered without the origin',
      async (request, response, forward) => {
        if (request.url?.includes('a=1')) response.writeHead(200).end('{}')
        else await sensible(request, response, forward)
      },
      { verdict: 'fail' },
    ],
    [
      'refused',
      async (request, response, forward) => {
        if (request.url?.includes('a=1')) response.writeHead(403).end('{}')
        else await sensible(request, response, forward)
      },
      { verdict: 'fail-closed' },
    ],
  ])('%s', async (_, handle, expected) => {
    expect(await resultOf(forwards, tiny(handle))).toMatchObject(expected)
  })
})

describe('guards', () => {
  test.each<readonly [string, Run, string]>([
    ['judges nothing', () => Promise.resolve(), 'The case judged nothing.'],
    [
      'forgets to await a step',
      ({ refuses }) => {
        void refuses({ key: null }, 'no key')
        return Promise.resolve()
      },
      'The case returned with 1 steps that it did not await.',
    ],
    [
      'moves a clock that there is not',
      ({ elapse }) => elapse(60),
      'The clock of the gateway cannot be moved, and 60 s are too long to wait.',
    ],
  ])('a case that %s is inconclusive', async (_, run, reason) => {
    expect(await resultOf(run, tiny(sensible))).toMatchObject({ verdict: 'inconclusive', reason })
  })

  test('a search whose decoy does not arrive proves nothing', async () => {
    const start = tiny(async (request, response, forward) => {
      delete request.headers['x-decoy']
      await sensible(request, response, forward)
    })
    const run: Run = async ({ search, observes, judge }) => {
      const { arrivals } = await observes({}, 'a call')
      const places = await search(arrivals(), { name: 'key', value: 'a-secret-that-is-nowhere' })
      judge(places.length === 0, { stimulus: 'a call', expected: 'nothing', observed: 'something' })
    }

    expect(await resultOf(run, start)).toMatchObject({
      verdict: 'inconclusive',
      reason: 'The search for secrets does not find the decoy that was planted.',
    })
    expect(await resultOf(run, tiny(sensible))).toMatchObject({ verdict: 'pass' })
  })

  test('a programme of the capture origin ends with its case', async () => {
    const run: Run = async ({ capture, observes, judge }) => {
      capture.answer({ status: 404 })
      const { answer } = await observes({}, 'a call')
      judge(answer.status === 404, { stimulus: 'a call', expected: '404', observed: `${answer.status}` })
    }
    const { cases } = await reportOf(run, tiny(sensible))

    expect(cases[0]).toMatchObject({ verdict: 'pass' })
  })

  test('a gateway that forwards elsewhere is judged by what its caller sees', async () => {
    const start = tiny(
      async (request, response) => {
        if (request.headers.authorization === `Bearer ${KEY}`) response.writeHead(200).end('orders of ada')
        else response.writeHead(401).end()
      },
      { captured: false, profile: { keys: [{ key: KEY, consumer: 'ada' }], marker: 'orders of ada' } },
    )

    expect(await resultOf(refusesNone, start)).toMatchObject({ verdict: 'pass' })
    expect(await resultOf(refusesNone, start, { needs: ['capture'] })).toMatchObject({
      verdict: 'skip',
      missing: [{ capability: 'capture' }],
    })
  })
})

describe('evidence', () => {
  test('shows no key, no variant of one and no token', async () => {
    const run: Run = async ({ forwards, keys }) => {
      const { key = '' } = keys[0] ?? {}
      await forwards({ key: key.slice(0, -1) }, 'the key without its last character')
      await forwards({ key: Buffer.from(key).toString('base64') }, 'the key in base64')
      await forwards(
        { headers: [['X-Token', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl']], key: 'wrong' },
        'a token',
      )
    }
    const report = await reportOf(run, tiny(sensible))

    const text = JSON.stringify(report)
    expect(report.cases[0]?.findings).toHaveLength(3)
    expect(text).not.toContain(KEY.slice(0, 12))
    expect(text).not.toContain(Buffer.from(KEY).toString('base64').slice(0, 16))
    expect(text).not.toContain('eyJhbGci')
    expect(text).toContain('a variant of $API_KEY')
    expect(text).toContain('$GATEWAY_TOKEN')
  })
})

describe('pre-flight', () => {
  test.each<readonly [string, Handler, string]>([
    ['refuses its key', async (_, response) => void response.writeHead(401).end(), 'is not let in (status 401)'],
    ['fails', async (_, response) => void response.writeHead(502).end(), 'is answered with status 502'],
    [
      'forwards elsewhere',
      async (_, response) => void response.writeHead(200).end(),
      'nothing reached the capture origin',
    ],
    ['says nothing', () => new Promise(() => undefined), 'The gateway does not answer a request without a key'],
  ])('a gateway that %s: one cause, and no verdict', async (_, handle, cause) => {
    const report = await reportOf(refusesNone, tiny(handle))

    expect(report.preflight.cause).toContain(cause)
    expect(report.cases[0]?.verdict).toBe('inconclusive')
    expect(report.exit.code).toBe(1)
  })

  test('nothing that listens ends the run', async () => {
    const start: Start = async (settings) => {
      const target = await tiny(sensible)(settings)
      await target[Symbol.asyncDispose]()
      return { ...target, [Symbol.asyncDispose]: () => Promise.resolve() }
    }

    await expect(reportOf(refusesNone, start)).rejects.toMatchObject({ code: 'ERR_TARGET_UNREACHABLE' })
  })
})

describe('embedded gateway', () => {
  const inEmbedded = (run: Run, flaw: () => GatewayFlaw = () => ({})) =>
    resultOf(run, (settings) => embeddedGateway(settings, flaw))

  test('hooks issue and revoke keys, for both instances', async () => {
    const result = await inEmbedded(async ({ hooks, forwards, refuses }) => {
      const key = await hooks.issueKey()
      await forwards({ key }, 'a new key')
      await forwards({ key, instance: 1 }, 'a new key at the second instance')
      await hooks.revokeKey(key)
      await refuses({ key }, 'the key when it is revoked')
      await refuses({ key, instance: 1 }, 'the key at the second instance')
    })

    expect(result).toMatchObject({ verdict: 'pass', stimuli: 4 })
  })

  test('a key ends when the clock is moved, and tokens go on being valid', async () => {
    const result = await inEmbedded(async ({ hooks, forwards, refuses, elapse, verify, judge }) => {
      const key = await hooks.issueKey({ expiresInSec: 100 })
      await forwards({ key }, 'before')
      await elapse(200)
      await refuses({ key }, 'after')
      const { arrivals } = await forwards({}, 'another key')
      for (const arrival of arrivals()) {
        const { problems } = await verify(arrival)
        judge(problems.length === 0, {
          stimulus: 'token',
          expected: 'valid',
          observed: problems.map(({ kind }) => kind).join(),
        })
      }
    })

    expect(result).toMatchObject({ verdict: 'pass' })
  })

  test('outages end with the case, and a restart keeps keys', async () => {
    const result = await inEmbedded(async ({ hooks, keys, observes, forwards, judge }) => {
      {
        await using _ = await hooks.keyStoreDown()
        const { answer } = await observes({}, 'the key store is down')
        judge(answer.status === 503, { stimulus: 'down', expected: '503', observed: `${answer.status}` })
      }
      await hooks.restart()
      await forwards({ key: keys[1] ?? null }, 'after the restart')
    })

    expect(result).toMatchObject({ verdict: 'pass' })
  })

  test('a burst goes out at once', async () => {
    const result = await inEmbedded(async ({ burst, capture, judge }) => {
      const held = capture.hold()
      const sent = burst(
        Array.from({ length: 40 }, () => ({})),
        'a burst',
      )
      const reached = await held.reached(40, 1_000)
      held.open()
      const passages = await sent
      const statuses = passages.filter(({ answer }) => answer.status === 200).length
      judge(reached && statuses === 40, {
        stimulus: 'a burst',
        expected: '40',
        observed: `${statuses}, held ${held.most()}`,
      })
    })

    expect(result).toMatchObject({ verdict: 'pass' })
  })
})

test('a token is judged by what was published when it arrived, however often keys changed since', async () => {
  const { verdict, findings } = await resultOf(
    async ({ forwards, hooks, elapse, allArrivals, verify, judge }) => {
      for (let turn = 0; turn < 4; turn += 1) {
        await forwards({}, `turn ${turn}, before`)
        await hooks.rotateSigningKey()
        await elapse(100)
        await forwards({}, `turn ${turn}, after`)
        await elapse(400)
      }
      for (const arrival of allArrivals()) {
        const { problems } = await verify(arrival)
        judge(problems.length === 0, { stimulus: 'one of all', expected: 'valid', observed: JSON.stringify(problems) })
      }
    },
    embeddedGateway,
    { runs: 'alone' },
  )

  expect([verdict, findings]).toEqual(['pass', []])
})
