import { AsyncLocalStorage } from 'node:async_hooks'
import type { IncomingMessage } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { request as send } from 'undici'
import { createMemoryLimits } from '../../gateway/limits/memory-limits.ts'
import { createMemoryQuotas } from '../../gateway/limits/memory-quotas.ts'
import { apiKey } from '../../gateway/policies/api-key-inbound.ts'
import type { LimitStore, Services, Take, Taken } from '../../gateway/policy.ts'
import { problem } from '../../gateway/reply.ts'
import type { Reply, Verdict } from '../../gateway/reply.ts'
import { referenceSteps } from '../../gateway/server.ts'
import type { GatewaySteps } from '../../gateway/steps.ts'
import type { GatewayFlaw } from '../../targets/embedded-gateway.ts'
import type { GatewayMutant } from './mutant.ts'

const IDS = 'gateway/rate-limits/'

/** Milliseconds between the reading of a count and its writing. */
const LATER_MS = 20

/** The reference gateway with another store of limits, made of its own. */
const withLimits = (change: (limits: LimitStore, services: Services) => LimitStore) => (): GatewayFlaw => ({
  options: { adapt: (services) => ({ ...services, limits: change(services.limits, services) }) },
})

/** Every counter is asked for under changed names or rules. */
const withTakes = (change: (take: Take) => Take) =>
  withLimits((limits) => ({ take: (takes) => limits.take(takes.map(change)) }))

/** Counts under a name to which something of the request is added. */
const byRequest = (part: (incoming: IncomingMessage) => string) => (): GatewayFlaw => {
  const current = new AsyncLocalStorage<string>()
  return {
    options: {
      steps: {
        inbound: (route, request, incoming) =>
          current.run(part(incoming), () => referenceSteps.inbound(route, request, incoming)),
      },
      adapt: (services) => ({
        ...services,
        limits: {
          take: (takes) =>
            services.limits.take(takes.map((take) => ({ ...take, key: `${take.key} ${current.getStore() ?? ''}` }))),
        },
      }),
    },
  }
}

type Inbound = GatewaySteps['inbound']

/** The policies of the reference with something before or behind them. */
const withInbound = (make: () => (run: Inbound) => Inbound) => (): GatewayFlaw => ({
  options: { steps: { inbound: make()(referenceSteps.inbound) } },
})

const isThrottle = (verdict: Verdict | undefined): boolean =>
  verdict !== undefined && 'problem' in verdict && verdict.problem === 429

/** Refusals written otherwise. */
const withRefusals = (change: (reply: Reply) => Reply) => (): GatewayFlaw => ({
  options: { steps: { refuse: (fault, context) => change(referenceSteps.refuse(fault, context)) } },
})

const withRetryAfter = (reply: Reply, value: string): Reply => ({
  ...reply,
  headers: reply.headers.map(([name, old]) => [name, name.toLowerCase() === 'retry-after' ? value : old]),
})

const free: Taken = { allowed: true, remaining: 1, retryMs: 0, moreMs: 0 }

/** Flaws that the suite gateway/rate-limits finds. */
export const rateLimitsMutants: readonly GatewayMutant[] = [
  {
    id: 'G61',
    flaw: 'throttles the last request that a limit has',
    make: withTakes((take) => ({ ...take, rule: { ...take.rule, limit: take.rule.limit - 1 } })),
    kills: [
      `${IDS}under-limit`,
      `${IDS}over-limit`,
      `${IDS}window-resets`,
      `${IDS}partitioning`,
      `${IDS}others-cannot-burn`,
    ],
  },
  {
    id: 'G62',
    flaw: 'never throttles',
    make: () => ({
      options: {
        limits: { concurrency: 100_000 },
        adapt: (services) => ({
          ...services,
          limits: { take: (takes) => takes.map(() => free) },
          quotas: { ...services.quotas, reserve: ({ startMs }) => ({ allowed: true, startMs, used: {} }) },
        }),
      },
    }),
    kills: [`${IDS}over-limit`, `${IDS}parallel-burst`, `${IDS}quota`, `${IDS}concurrency`, `${IDS}auth-failures`],
  },
  {
    id: 'G63',
    flaw: 'forwards throttled requests, and throws the answer away',
    make: withInbound(() => (run) => async (route, request, incoming) => {
      const verdict = await run(route, request, incoming)
      if (!isThrottle(verdict)) return verdict
      const to = route.handler.destination(request)
      if ('origin' in to) await (await send(`${to.origin}${to.target}`)).body.dump()
      return verdict
    }),
    kills: [`${IDS}not-forwarded`, 'gateway/faults/every-forward-is-signed'],
  },
  {
    id: 'G64',
    flaw: 'answers a throttled request with 500 and without Retry-After',
    make: withInbound(() => (run) => async (route, request, incoming) => {
      const verdict = await run(route, request, incoming)
      return isThrottle(verdict) ? problem(500) : verdict
    }),
    kills: [`${IDS}throttle-response`, `${IDS}auth-failures`],
  },
  {
    id: 'G65',
    flaw: 'never forgets what a window has counted',
    make: withTakes((take) => ({ ...take, rule: { ...take.rule, windowMs: 1e11 } })),
    kills: [`${IDS}window-resets`, `${IDS}retry-after-honest`],
  },
  {
    id: 'G66',
    flaw: 'has one count for all consumers',
    make: withTakes((take) => ({ ...take, key: `all ${take.rule.limit}` })),
    kills: [`${IDS}over-limit`, `${IDS}partitioning`, `${IDS}others-cannot-burn`],
  },
  {
    id: 'G67',
    flaw: 'counts by the address in X-Forwarded-For',
    make: byRequest(({ headers }) => String(headers['x-forwarded-for'] ?? '')),
    kills: [`${IDS}client-ip-headers`],
  },
  {
    id: 'G68',
    flaw: 'counts by method, path and query as they were sent',
    make: byRequest(({ method, url = '' }) => `${method} ${url.replace(/[?&]trustspec=[^&]*/u, '')}`),
    kills: [`${IDS}cosmetic-variants`],
  },
  {
    id: 'G69',
    flaw: 'reads a count, and writes it later',
    make: withLimits((limits) => ({
      async take(takes) {
        const looked = await limits.take(takes.map((take) => ({ ...take, cost: 0 })))
        await wait(LATER_MS)
        const hasRoom = looked.every(({ remaining }, at) => remaining >= (takes[at]?.cost ?? 0))
        if (!hasRoom) return await limits.take(takes)
        // Written without another look.
        await limits.take(takes)
        return looked
      },
    })),
    kills: [`${IDS}parallel-burst`],
  },
  {
    id: 'G70',
    flaw: 'counts before it checks the key, by the first characters of it',
    make: () => {
      let clock: Services['clock'] = { nowMs: () => Date.now() }
      const limits = createMemoryLimits({ nowMs: () => clock.nowMs() })
      return {
        options: {
          adapt(services) {
            ;({ clock } = services)
            return services
          },
          steps: {
            async inbound(route, request, incoming) {
              const prefix = (incoming.headers.authorization ?? '').slice(0, 'Bearer tsk_'.length + 6)
              if (route.path.pattern === '/limited' && prefix !== '') {
                const [taken] = limits.take([{ key: prefix, rule: { limit: 12, windowMs: 60_000 }, cost: 1 }])
                if (taken?.allowed !== true) return problem(429, { headers: [['Retry-After', '60']] })
              }
              return await referenceSteps.inbound(route, request, incoming)
            },
          },
        },
      }
    },
    kills: [`${IDS}others-cannot-burn`],
  },
  {
    id: 'G71',
    flaw: 'writes Retry-After as 1.5s, and a problem whose status is 200',
    make: withRefusals((reply) => ({
      ...withRetryAfter(reply, '1.5s'),
      body: reply.body.replace(/"status":\d+/u, '"status":200'),
    })),
    kills: [`${IDS}response-syntax`],
  },
  {
    id: 'G72',
    flaw: 'tells everybody to come back after a second',
    make: withRefusals((reply) => withRetryAfter(reply, '1')),
    kills: [`${IDS}retry-after-honest`, `${IDS}ratelimit-fields`],
  },
  {
    id: 'G73',
    flaw: 'writes limit=10, remaining=-1 into RateLimit, and the key as the partition key',
    make: withInbound(() => (run) => async (route, request, incoming) => {
      const key = (incoming.headers.authorization ?? '').slice('Bearer '.length)
      const verdict = await run(route, request, incoming)
      const { answerLines: lines } = request
      for (let at = 0; at < lines.length; at += 2) {
        if (lines[at] === 'RateLimit') lines[at + 1] = 'limit=10, remaining=-1'
        if (lines[at] === 'RateLimit-Policy') lines[at + 1] = `"limit";q=10;w=60;pk=:${btoa(key)}:`
      }
      return verdict
    }),
    kills: [`${IDS}ratelimit-fields`],
  },
  {
    id: 'G74',
    flaw: 'keeps a throttled answer for the URL',
    make: withInbound(() => (run) => {
      const stored = new Map<string, Verdict>()
      return async (route, request, incoming) => {
        const name = `${incoming.url} ${incoming.headers.authorization}`
        const known = stored.get(name)
        if (known) return known
        const verdict = await run(route, request, incoming)
        if (verdict && isThrottle(verdict)) stored.set(name, verdict)
        return verdict
      }
    }),
    kills: [`${IDS}not-cached`],
  },
  {
    id: 'G75',
    flaw: 'forgets quotas when it is restarted',
    make: () => ({
      options: { adapt: (services) => ({ ...services, quotas: createMemoryQuotas(services.clock) }) },
    }),
    kills: [`${IDS}state-shared`],
  },
  {
    id: 'G76',
    flaw: 'begins the quota anew with the short window',
    make: () => ({
      options: {
        adapt: (services) => ({
          ...services,
          quotas: {
            ...services.quotas,
            reserve: (reservation) =>
              services.quotas.reserve({
                ...reservation,
                key: `${reservation.key} ${Math.floor(services.clock.nowMs() / 60_000)}`,
              }),
          },
        }),
      },
    }),
    kills: [`${IDS}quota`],
  },
  {
    id: 'G78',
    flaw: 'lets keys be guessed without end',
    make: () => ({
      kinds: [
        {
          ...apiKey,
          create: (options, context) => apiKey.create({ ...options, failedKeysAllowed: undefined }, context),
        },
      ],
    }),
    kills: [`${IDS}auth-failures`],
  },
  {
    id: 'G160',
    flaw: 'counts limits in each instance by itself',
    make: () => ({ second: (services) => ({ ...services, limits: createMemoryLimits(services.clock) }) }),
    kills: [`${IDS}state-shared`],
  },
  {
    id: 'G161',
    flaw: 'gives two keys of one consumer a count each',
    make: byRequest(({ headers }) => headers.authorization ?? ''),
    kills: [`${IDS}partitioning`, `${IDS}auth-failures`],
  },
  {
    id: 'G162',
    flaw: 'has places for one request more than it declares, and never gives one back',
    make: () => {
      let open = 0
      return {
        options: {
          limits: { concurrency: 100_000 },
          steps: {
            exchange(exchange, steps, context) {
              const limited = exchange.request.path === '/customers'
              if (limited) open += 1
              if (limited && open > 129) return Promise.resolve({ problem: problem(503), fault: 'full' })
              return referenceSteps.exchange(exchange, steps, context)
            },
          },
        },
      }
    },
    kills: [`${IDS}concurrency`],
  },
  {
    id: 'G163',
    flaw: 'counts by whatever a header says of the address, but X-Forwarded-For',
    make: byRequest(({ headers }) =>
      ['x-real-ip', 'forwarded', 'true-client-ip', 'cf-connecting-ip', 'x-client-ip']
        .map((name) => String(headers[name] ?? ''))
        .join(' '),
    ),
    kills: [`${IDS}client-ip-headers`],
  },
  {
    id: 'G164',
    flaw: 'counts by browser',
    make: byRequest(({ headers }) => headers['user-agent'] ?? ''),
    kills: [`${IDS}cosmetic-variants`],
  },
  {
    id: 'G165',
    flaw: 'counts by connection',
    make: byRequest(({ socket }) => String(socket.remotePort)),
    kills: [`${IDS}cosmetic-variants`, `${IDS}parallel-burst`, `${IDS}state-shared`, `${IDS}auth-failures`],
  },
  {
    id: 'G166',
    flaw: 'throttles without a Retry-After, and without a word',
    make: withRefusals((reply) => ({
      ...reply,
      headers: reply.headers.filter(([name]) => name !== 'Retry-After'),
      body: reply.status === 429 ? '' : reply.body,
    })),
    kills: [`${IDS}throttle-response`],
  },
  {
    id: 'G167',
    flaw: 'tells everybody to come back after an hour',
    make: withRefusals((reply) => withRetryAfter(reply, '3600')),
    kills: [`${IDS}retry-after-honest`],
  },
  {
    id: 'G168',
    flaw: 'writes the key into the partition key',
    make: withInbound(() => (run) => async (route, request, incoming) => {
      const key = (incoming.headers.authorization ?? '').slice('Bearer '.length)
      const verdict = await run(route, request, incoming)
      const { answerLines: lines } = request
      for (let at = 0; at < lines.length; at += 2) {
        if (lines[at] === 'RateLimit-Policy') lines[at + 1] = `"limit";q=10;w=60;pk=:${btoa(key)}:`
      }
      return verdict
    }),
    kills: [`${IDS}ratelimit-fields`],
  },
  {
    id: 'G169',
    flaw: 'tells another policy in each answer',
    make: withInbound(() => {
      let turn = 0
      return (run) => async (route, request, incoming) => {
        const verdict = await run(route, request, incoming)
        const { answerLines: lines } = request
        for (let at = 0; at < lines.length; at += 2) {
          if (lines[at] === 'RateLimit-Policy') lines[at + 1] = `"limit";q=${(turn += 1)};w=60`
        }
        return verdict
      }
    }),
    kills: [`${IDS}ratelimit-fields`],
  },
  {
    id: 'G170',
    flaw: 'refuses every key from an address that has sent many wrong ones',
    make: withInbound(() => {
      let failures = 0
      return (run) => async (route, request, incoming) => {
        if (route.path.pattern === '/guarded' && failures > 30) return problem(429)
        const verdict = await run(route, request, incoming)
        const isFailure = verdict !== undefined && 'problem' in verdict && [401, 429].includes(verdict.problem)
        if (route.path.pattern === '/guarded' && isFailure) failures += 1
        return verdict
      }
    }),
    kills: [`${IDS}auth-failures`],
  },
  {
    id: 'G171',
    flaw: 'gives back only some of its places',
    make: () => {
      let atOnce = 0
      return {
        options: {
          steps: {
            async exchange(exchange, steps, context) {
              atOnce += 1
              const isLost = exchange.request.path === '/customers' && atOnce > 120
              const exchanged = await referenceSteps.exchange(exchange, steps, context)
              atOnce -= 1
              return isLost ? await new Promise<never>(() => undefined) : exchanged
            },
          },
        },
      }
    },
    kills: [`${IDS}concurrency`],
  },
  {
    id: 'G172',
    flaw: 'counts wrong keys of an address against all of its callers',
    make: withInbound(() => {
      let failures = 0
      return (run) => async (route, request, incoming) => {
        const verdict = await run(route, request, incoming)
        if (route.path.pattern !== '/limited') return verdict
        const isFailure = verdict !== undefined && 'problem' in verdict && verdict.problem === 401
        if (isFailure) failures += 1
        return verdict === undefined && failures > 20 ? problem(429) : verdict
      }
    }),
    kills: [`${IDS}others-cannot-burn`],
  },
  {
    id: 'G173',
    flaw: 'forwards every request on a limited route twice',
    make: withInbound(() => (run) => async (route, request, incoming) => {
      const verdict = await run(route, request, incoming)
      if (verdict !== undefined || route.path.pattern !== '/limited') return verdict
      const to = route.handler.destination(request)
      const nonce = String(incoming.headers['x-trustspec-nonce'] ?? '')
      if ('origin' in to) {
        await (await send(`${to.origin}${to.target}`, { headers: { 'x-trustspec-nonce': nonce } })).body.dump()
      }
      return verdict
    }),
    kills: [
      `${IDS}not-forwarded`,
      `${IDS}state-shared`,
      'gateway/faults/limit-store-down',
      'gateway/faults/every-forward-is-signed',
    ],
  },
]
