import { randomUUID } from 'node:crypto'
import { Headers } from '../headers.ts'
import { createMemoryLimits } from '../limits/memory-limits.ts'
import { createMemoryQuotas } from '../limits/memory-quotas.ts'
import { stillClock } from '../limits/still-clock.testing.ts'
import type { Inbound, OperatorEvent, PolicyContext, PolicyKind } from '../policy.ts'
import type { Verdict } from '../reply.ts'
import type { GatewayRequest } from '../request.ts'

/** A context with stores in memory and a clock to move; `events` are those reported so far. */
export function testContext(
  given: Partial<PolicyContext> & { readonly functions?: Readonly<Record<string, (...args: never[]) => unknown>> } = {},
) {
  const clock = stillClock()
  const events: OperatorEvent[] = []
  const nothing = { find: () => undefined, silentMs: () => 0 }
  const context: PolicyContext = {
    name: 'policy',
    clock,
    keys: nothing,
    limits: createMemoryLimits(clock),
    quotas: createMemoryQuotas(clock),
    tokens: undefined,
    report: (event) => {
      events.push(event)
    },
    own(module, exported) {
      const found = given.functions?.[`${module}#${exported}`]
      if (!found) throw new Error(`The test has no ${module}#${exported}`)
      return found as (...args: readonly unknown[]) => unknown
    },
    ...given,
  }
  return { clock, events, context }
}

/** A request of nobody, to be changed. */
export function testRequest(given: Partial<GatewayRequest> = {}): GatewayRequest {
  return {
    id: randomUUID(),
    method: 'GET',
    path: '/orders',
    search: '',
    route: '/orders',
    headers: new Headers([]),
    params: {},
    clientAddress: '192.0.2.1',
    contentLength: 0,
    url: 'https://api.example.com/orders',
    user: undefined,
    answerLines: [],
    bodyLimit: undefined,
    onStatus: [],
    ...given,
  }
}

/** A request of a consumer. */
export function requestOf(sub: string, given: Partial<GatewayRequest> = {}): GatewayRequest {
  return testRequest({ user: { sub, data: {} }, ...given })
}

/** What is wrong with options, by the table of the kind; undefined where nothing is. */
export function faultOf({ options: { known, required = [] } }: PolicyKind, options: Readonly<Record<string, unknown>>) {
  const missing = required.find((name) => !Object.hasOwn(options, name))
  if (missing !== undefined) return `${missing} is missing`
  for (const [name, value] of Object.entries(options)) {
    const check = Object.hasOwn(known, name) ? known[name] : undefined
    const due = check ? check(value) : 'not known'
    if (due !== undefined) return `${name}: ${due}`
  }
  return undefined
}

/** Makes a policy of options that pass its table; throws otherwise. */
export function testPolicy(
  kind: PolicyKind,
  options: Readonly<Record<string, unknown>>,
  context: PolicyContext,
): Inbound {
  const fault = faultOf(kind, options)
  if (fault !== undefined) throw new Error(fault)
  return kind.create(options, context)
}

/** Status of a refusal; 200 where the request goes on. */
export function statusOf(verdict: Verdict | undefined): number {
  if (verdict === undefined) return 200
  return 'problem' in verdict ? verdict.problem : verdict.status
}

/** Value of a header of a refusal. */
export function headerOf(verdict: Verdict | undefined, name: string): string | undefined {
  return verdict?.headers?.find(([known]) => known === name)?.[1]
}

/** Runs a policy for so many requests at once: none of them before all are there. */
export async function burst(policy: Inbound, requests: readonly GatewayRequest[]): Promise<readonly number[]> {
  const { promise: barrier, resolve: release } = Promise.withResolvers<undefined>()
  const statuses = requests.map(async (request) => {
    await barrier
    return statusOf(await policy(request))
  })
  release(undefined)
  return await Promise.all(statuses)
}
