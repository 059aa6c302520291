import http from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { embeddedKeys } from '../../fixtures/keys/keys.ts'
import { CHAIN_SUITES, GATEWAY_SUITES, SUITES } from '../../suites/catalog.ts'
import type { ConformanceCase, Suite } from '../model/case.ts'
import type { GatewayProfile } from '../model/gateway-profile.ts'
import type { CaseResult, Report } from '../model/result.ts'
import { FAILURES } from '../model/verdict.ts'
import { startTap } from '../tap/tap.ts'
import type { Tap } from '../tap/tap.ts'
import { embeddedTarget } from '../targets/embedded.ts'
import { embeddedChain } from '../targets/embedded-chain.ts'
import { embeddedGateway } from '../targets/embedded-gateway.ts'
import { monotonicMs } from './budget.ts'
import { runChain } from './chain-run.ts'
import { runGateway } from './gateway-run.ts'
import type { RunOptions } from './options.ts'
import { runOrigin } from './run.ts'

const keys = embeddedKeys()
const common = { select: {}, seed: 1, deadlineMs: 2_000, on: () => undefined, signal: new AbortController().signal }

/** What stands in front of servers and counts the requests that pass, wherever they go. */
class Counter implements AsyncDisposable {
  readonly #taps = new Map<string, Tap>()

  get count(): number {
    return [...this.#taps.values()].reduce((sum, tap) => sum + tap.all().length, 0)
  }

  /** The URL by way of the counter. */
  async before(url: string): Promise<string> {
    const { origin } = new URL(url)
    const tap = this.#taps.get(origin) ?? (await startTap())
    if (!this.#taps.has(origin)) tap.to(origin)
    this.#taps.set(origin, tap)
    return url.replace(origin, tap.url)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const tap of this.#taps.values()) await tap[Symbol.asyncDispose]()
  }
}

/** A run against the embedded origin, gateway or chain, with every request to it counted on its way. */
const COUNTED: Readonly<Record<string, (counter: Counter, requests: number) => Promise<Report>>> = {
  origin: (counter, requests) =>
    runOrigin({
      ...common,
      suites: SUITES,
      budget: { requests },
      control: { kind: 'issuer', keys, port: 0 },
      profile: {},
      async start(settings) {
        const target = await embeddedTarget(settings)
        return { ...target, url: await counter.before(target.url), [Symbol.asyncDispose]: endOf(target) }
      },
    }),
  gateway: (counter, requests) =>
    runGateway({
      ...common,
      suites: GATEWAY_SUITES,
      budget: { requests },
      profile: {},
      async start(settings) {
        const target = await embeddedGateway(settings)
        const profile = await gatewayBefore(counter, target.profile)
        return { ...target, profile, url: await counter.before(target.url), [Symbol.asyncDispose]: endOf(target) }
      },
    }),
  chain: (counter, requests) =>
    runChain({
      ...common,
      suites: CHAIN_SUITES,
      budget: { requests },
      gateway: {},
      origin: {},
      async start(settings) {
        const target = await embeddedChain(settings)
        return {
          ...target,
          gateway: await gatewayBefore(counter, target.gateway),
          originUrl: await counter.before(target.originUrl ?? ''),
          url: await counter.before(target.url),
          [Symbol.asyncDispose]: endOf(target),
        }
      },
    }),
}

/** Whatever else a run asks of a gateway. */
async function gatewayBefore(counter: Counter, profile: GatewayProfile): Promise<GatewayProfile> {
  const { jwksUrl = '', instances = [] } = profile
  return {
    ...profile,
    jwksUrl: await counter.before(jwksUrl),
    instances: await Promise.all(instances.map((url) => counter.before(url))),
  }
}

function endOf(target: AsyncDisposable): () => PromiseLike<void> {
  return () => target[Symbol.asyncDispose]()
}

function isForBudget({ verdict, missing }: CaseResult): boolean {
  return verdict === 'skip' && missing[0]?.capability === 'budget'
}

describe('a budget of requests', () => {
  test.each([
    ['origin', 25],
    ['origin', 130],
    ['gateway', 60],
    ['gateway', 170],
    ['chain', 45],
  ])('against the %s: no more than %d reach it, nothing is failed for it, and it is not green', async (name, most) => {
    await using counter = new Counter()
    const report = await COUNTED[name]?.(counter, most)
    const cases = report?.cases ?? []

    expect(counter.count).toBeGreaterThan(most / 2)
    expect(counter.count).toBeLessThanOrEqual(most)
    expect(report?.requests).toBeLessThanOrEqual(most)
    expect(cases.filter(({ verdict }) => !['pass', 'skip', 'inconclusive'].includes(verdict))).toEqual([])
    expect(cases.filter(({ verdict }) => verdict === 'inconclusive').length).toBeLessThanOrEqual(1)
    expect(cases.filter(isForBudget).length).toBeGreaterThan(0)
    expect(report?.exit).toMatchObject({ code: 1, meaning: expect.stringContaining('for want of a budget') })
  })

  test('is spent on the same cases every time, requirements first', async () => {
    const told: string[][] = []
    for (let run = 0; run < 2; run += 1) {
      await using counter = new Counter()
      const { cases = [] } = (await COUNTED['origin']?.(counter, 130)) ?? {}
      told.push(cases.map(({ id, verdict }) => `${id} ${verdict}`))
      const begun = cases.filter((result) => result.verdict !== 'skip')
      expect(begun.every(({ level }) => level === 'MUST')).toBe(true)
    }

    expect(told[0]).toEqual(told[1])
  })

  test('that is too small for the pre-flight is a mistake of whoever gave it', async () => {
    await using counter = new Counter()

    await expect(COUNTED['origin']?.(counter, 2)).rejects.toMatchObject({
      code: 'ERR_BUDGET_SPENT',
      fields: { spent: 2, instead: 'more than 2 requests (--max-requests N)' },
    })
    expect(counter.count).toBe(2)
  })
})

/** An origin that accepts tokens whoever signed them, unless they are of bob. */
async function tiny(handle: (isBob: boolean) => number): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = http.createServer((request, response) => {
    const [, payload = ''] = (request.headers.authorization ?? '').split('.')
    const { sub } = JSON.parse(Buffer.from(payload, 'base64url').toString() || '{}') as { sub?: string }
    response.writeHead(sub === undefined ? 401 : handle(sub === 'bob'), { 'www-authenticate': 'Bearer' }).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

const probe = (id: string, change: Partial<ConformanceCase> = {}): ConformanceCase => ({
  id,
  title: 'is probed',
  level: 'MUST',
  clause: ['rfc7519/exp'],
  needs: [],
  rationale: 'None.',
  remedy: 'Do nothing.',
  async run({ mint, refuses }) {
    await refuses(mint({ sub: 'bob' }), 'bob')
  },
  ...change,
})

async function report(
  cases: readonly ConformanceCase[],
  handle: (isBob: boolean) => number,
  change: Partial<RunOptions>,
) {
  const suite: Suite = { id: 'origin/probe', title: 'Probe', cases }
  return await runOrigin({
    ...common,
    suites: [suite],
    start: async () => {
      const server = await tiny(handle)
      const profile = { algorithms: ['RS256'], subjects: ['ada', 'bob'] } as const
      return { kind: 'url', url: server.url, profile, expected: [], [Symbol.asyncDispose]: endOf(server) }
    },
    control: { kind: 'issuer', keys, port: 0 },
    profile: {},
    ...change,
  })
}

const refusing = (isBob: boolean): number => (isBob ? 401 : 200)

describe('a case that no longer fits', () => {
  const two = [probe('first', { level: 'SHOULD' }), probe('second')]
  // Pre-flight, then for each case a look whether the origin lives, a control, the stimulus and a control again.
  const whole = 8

  test('is skipped, a recommendation before a requirement, and green if only that is', async () => {
    const enough = await report(two, refusing, {})
    const { cases, exit } = await report(two, refusing, { budget: { requests: whole } })

    expect(enough).toMatchObject({ exit: { code: 0 }, summary: { pass: 2 } })
    expect(cases.map(({ id, verdict }) => [id, verdict])).toEqual([
      ['origin/probe/first', 'skip'],
      ['origin/probe/second', 'pass'],
    ])
    expect(cases[0]).toMatchObject({
      reason: `The budget of ${whole} requests was spent before it began.`,
      missing: [{ capability: 'budget', says: `more than ${whole} requests`, unlock: '--max-requests N' }],
    })
    expect(exit.code).toBe(0)
  })

  test('but was begun is inconclusive, unless it let somebody in', async () => {
    const cut = { budget: { requests: whole - 1 } }
    const lax = await report([probe('only')], refusing, { ...cut, failOn: FAILURES })
    const results = [
      await report([probe('only')], refusing, cut),
      await report([probe('only')], () => 200, cut),
      await report([probe('only')], (isBob) => (isBob ? 500 : 200), { budget: { requests: whole - 1 } }),
    ]

    expect(results.map(({ cases: [only] }) => only?.verdict)).toEqual(['inconclusive', 'fail-open', 'inconclusive'])
    expect(results[0]?.cases[0]?.reason).toBe(`The budget of ${whole - 1} requests was spent while the case ran.`)
    expect(results.map(({ exit }) => exit.code)).toEqual([1, 1, 1])
    expect(lax.exit).toEqual({ code: 1, meaning: 'Nothing was judged, so nothing is proven.' })
  })

  test('for want of time is skipped as well, and what does not count yet comes last', async () => {
    const time = { seconds: 1, untilMs: monotonicMs() - 1 }
    const { cases, exit, requests } = await report(two, refusing, { budget: { time } })
    const upcoming = { 'origin/probe/second': '2026.2' }
    const late = await report(two, refusing, {
      budget: { requests: whole },
      edition: { name: '2026.1', cases: {}, upcoming },
    })

    expect(requests).toBeGreaterThan(0)
    expect(cases.every(isForBudget)).toBe(true)
    expect(cases[0]?.reason).toBe('The time budget of 1 s was over before it began.')
    expect(exit).toEqual({ code: 1, meaning: '1 requirement not judged for want of a budget.' })
    expect(late.cases.map(({ verdict }) => verdict)).toEqual(['pass', 'skip'])
    expect(late.exit.code).toBe(0)
  })
})
