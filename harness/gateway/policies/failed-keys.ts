import { networkOf } from '../limits/address.ts'
import { seconds } from '../limits/fields.ts'
import { createOutage } from '../limits/outage.ts'
import type { PolicyContext, Take, Taken } from '../policy.ts'
import { problem } from '../reply.ts'
import type { Problem } from '../reply.ts'
import type { GatewayRequest } from '../request.ts'

/** Keys that may fail from one address (IPv6: one /64) in a window. */
export interface FailedKeysOptions {
  /** Undefined: any number. */
  readonly failedKeysAllowed?: number
  /** Default 1. */
  readonly failedKeysWindowMinutes?: number
}

/** Answers a request whose key is no good: like any other such request, or with 429 where its address has sent many. */
export type RefuseKey = (request: GatewayRequest) => Problem | Promise<Problem>

/**
 * Counts keys that fail by address. A key that works is served from wherever it comes: who shares an address with
 * somebody that guesses must not be shut out by him.
 */
export function createRefuseKey(
  { failedKeysAllowed: limit, failedKeysWindowMinutes: minutes = 1 }: FailedKeysOptions,
  context: PolicyContext,
  refusal: Problem,
): RefuseKey {
  if (limit === undefined) return () => refusal
  const { limits, name } = context
  const outage = createOutage('limit-store', context)
  const rule = { limit, windowMs: Math.max(1, Math.round(minutes * 60_000)) }
  const counter = `${JSON.stringify(name)} failed keys ${rule.windowMs}`
  const told = ([taken]: readonly Taken[]): Problem => {
    outage.back()
    if (!taken || taken.allowed) return refusal
    return problem(429, {
      detail: 'Too many keys that are not valid came from this address',
      headers: [['Retry-After', String(seconds(taken.retryMs))]],
    })
  }
  // Uncounted, the key is as wrong as before.
  const failed = (error: unknown): Problem => {
    outage.away(error)
    return refusal
  }
  return ({ clientAddress }) => {
    const take: Take = { key: `${counter} ${networkOf(clientAddress)}`, rule, cost: 1 }
    try {
      const taken = limits.take([take])
      return taken instanceof Promise ? taken.then(told, failed) : told(taken)
    } catch (error) {
      return failed(error)
    }
  }
}
