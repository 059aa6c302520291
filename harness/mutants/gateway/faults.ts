import { Readable } from 'node:stream'
import type { IncomingMessage } from 'node:http'
import { apiKey } from '../../gateway/policies/api-key-inbound.ts'
import { rateLimitInbound } from '../../gateway/policies/rate-limit-inbound.ts'
import { upstreamJwt } from '../../gateway/policies/upstream-zuplo-jwt-auth-inbound.ts'
import type { PolicyKind, Services } from '../../gateway/policy.ts'
import { problem } from '../../gateway/reply.ts'
import type { Problem, Verdict } from '../../gateway/reply.ts'
import { referenceSteps } from '../../gateway/server.ts'
import type { GatewaySteps } from '../../gateway/steps.ts'
import type { GatewayFlaw } from '../../targets/embedded-gateway.ts'
import type { GatewayMutant } from './mutant.ts'
import { bodyOf, plainExchange } from './parts.ts'

/** Statuses with which policies say that a store or the signer is away. */
const isAway = (verdict: Verdict | undefined): boolean =>
  verdict !== undefined && 'problem' in verdict && verdict.problem === 503

/** A kind of policy that lets requests through where the reference answers 503. */
const permissive = (
  kind: PolicyKind,
  permit: (...given: Parameters<ReturnType<PolicyKind['create']>>) => void,
): PolicyKind => ({
  ...kind,
  create(options, context) {
    const inbound = kind.create(options, context)
    return (request) => {
      const verdict = inbound(request)
      if (verdict instanceof Promise || !isAway(verdict)) return verdict
      permit(request)
      return undefined
    }
  },
})

const exchanging = (exchange: GatewaySteps['exchange']): GatewayFlaw => ({ options: { steps: { exchange } } })

/** Answers faults of the origin in another way. */
const answering = (other: Problem): GatewayFlaw =>
  exchanging(async (given, steps, context) => {
    const ended = await referenceSteps.exchange(given, steps, context)
    return 'problem' in ended ? { ...ended, problem: other } : ended
  })

/** Answers with as much of a body as there is. */
const completing: GatewaySteps['exchange'] = async (given, steps, context) =>
  given.tunnel
    ? await referenceSteps.exchange(given, steps, context)
    : await plainExchange(given, steps, await bodyOf(given.incoming))

/** Flaws that the suite gateway/faults finds. */
export const faultsMutants: readonly GatewayMutant[] = [
  {
    id: 'G79',
    flaw: 'answers 200 where the origin fails',
    make: () => answering(problem(200)),
    kills: ['gateway/faults/origin-down', 'gateway/faults/origin-misbehaves'],
  },
  {
    id: 'G157',
    flaw: 'answers 401 where the origin fails',
    make: () => answering(problem(401)),
    kills: ['gateway/faults/origin-down', 'gateway/faults/origin-misbehaves'],
  },
  {
    id: 'G80',
    flaw: 'waits for ever for an origin, and completes what it broke off',
    make: () => exchanging(completing),
    kills: ['gateway/faults/origin-misbehaves'],
  },
  {
    id: 'G156',
    flaw: 'waits for ever for an origin',
    make: () => ({ options: { limits: { answerMs: 3_600_000 } } }),
    kills: ['gateway/faults/origin-misbehaves'],
  },
  {
    id: 'G158',
    flaw: 'completes an answer that its origin broke off',
    make: () =>
      exchanging(async (given, steps, context) => {
        const late = new Promise<{ problem: Problem; fault: string }>((resolve) => {
          setTimeout(
            () => resolve({ problem: problem(504), fault: 'ERR_ANSWER_TIMEOUT' }),
            context.limits.answerMs,
          ).unref()
        })
        return await Promise.race([completing(given, steps, context), late])
      }),
    kills: ['gateway/faults/origin-misbehaves'],
  },
  {
    id: 'G81',
    flaw: 'sends every request again that its origin did not answer',
    make: () =>
      exchanging(async (given, steps, context) => {
        if (given.tunnel) return await referenceSteps.exchange(given, steps, context)
        const body = await bodyOf(given.incoming)
        const again = async () => {
          const incoming = Object.assign(Readable.from([body], { objectMode: false }), { complete: true })
          const request = { ...given.request, contentLength: body.length }
          const replayed = { ...given, request, incoming: incoming as unknown as IncomingMessage }
          return await referenceSteps.exchange(replayed, steps, context)
        }
        const first = await again()
        return 'problem' in first && first.fault !== 'ERR_ANSWER_TIMEOUT' ? await again() : first
      }),
    kills: ['gateway/faults/no-retry-of-post'],
  },
  {
    id: 'G82',
    flaw: 'lets everybody in while its key store is away',
    make: () => ({
      kinds: [
        permissive(apiKey, (request) => {
          request.headers.remove('authorization')
        }),
      ],
    }),
    kills: ['gateway/faults/key-store-down'],
  },
  {
    id: 'G83',
    flaw: 'skips all policies of a route with a limit while its store of limits is away',
    make() {
      let limits: Services['limits'] | undefined
      return {
        options: {
          adapt(services) {
            ;({ limits } = services)
            return services
          },
          steps: {
            async inbound(route, request, incoming) {
              if (!route.inbound.includes('rate-limit')) return await referenceSteps.inbound(route, request, incoming)
              try {
                await limits?.take([{ key: 'probe', rule: { limit: 1, windowMs: 1_000 }, cost: 0 }])
              } catch {
                return undefined
              }
              return await referenceSteps.inbound(route, request, incoming)
            },
          },
        },
      }
    },
    kills: ['gateway/faults/limit-store-down', 'gateway/faults/every-forward-is-signed'],
  },
  {
    id: 'G159',
    flaw: 'refuses everybody while its store of limits is away, against what it declares',
    make: () => ({
      kinds: [
        {
          ...rateLimitInbound,
          create: (options, context) => rateLimitInbound.create({ ...options, throwOnFailure: true }, context),
        },
      ],
    }),
    kills: ['gateway/faults/limit-store-down'],
  },
  {
    id: 'G84',
    flaw: 'forwards without a token while it cannot sign',
    make: () => ({
      kinds: [
        permissive(upstreamJwt, (request) => {
          request.headers.remove('authorization')
        }),
      ],
    }),
    kills: ['gateway/faults/signer-down', 'gateway/faults/every-forward-is-signed'],
  },
  {
    id: 'G85',
    flaw: 'lets requests wait without end, however many there are',
    make: () => ({ options: { limits: { concurrency: 8, queue: 1_000_000, queueMs: 3_600_000 } } }),
    kills: ['gateway/faults/overload'],
  },
  {
    id: 'G142',
    flaw: 'sends the token of another caller when many ask at once',
    make() {
      let active = 0
      let last: string | undefined
      return exchanging(async (given, steps, context) => {
        active += 1
        try {
          const at = given.lines.findIndex((name) => name.toLowerCase() === 'authorization') + 1
          const lines = given.lines.map((line, index) => (active > 50 && index === at ? (last ?? line) : line))
          last ??= active > 1 ? given.lines[at] : undefined
          return await referenceSteps.exchange({ ...given, lines }, steps, context)
        } finally {
          active -= 1
        }
      })
    },
    kills: ['gateway/token/subject-per-consumer', 'gateway/faults/overload', 'gateway/faults/every-forward-is-signed'],
  },
]
