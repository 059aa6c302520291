import { TrustspecError } from '../../model/errors.ts'
import type { GatewayRequest } from '../request.ts'

/** What a request adds to named limits, where custom code says so; forgotten with the request. */
const increments = new WeakMap<GatewayRequest, Map<string, number>>()

/** Limits that have counted a request already. */
const counted = new WeakMap<GatewayRequest, Set<string>>()

/**
 * Sets what a request adds to named limits of complex-rate-limit-inbound in place of 1. Throws ERR_USAGE for anything
 * but whole numbers from 0, and for a limit that has counted the request before: what came too late would be lost.
 */
export function setIncrements(request: GatewayRequest, amounts: Readonly<Record<string, number>>): void {
  const known = increments.get(request) ?? new Map<string, number>()
  for (const [name, amount] of Object.entries(amounts)) {
    if (!Number.isSafeInteger(amount) || amount < 0) {
      throw new TrustspecError('ERR_USAGE', 'The increment of a limit is a whole number from 0', {
        limit: name,
        given: String(amount),
        instead: 'count in a smaller unit',
      })
    }
    if (counted.get(request)?.has(name) === true) {
      throw new TrustspecError('ERR_USAGE', 'The increment of a limit comes after it was counted', {
        limit: name,
        instead: 'list the policy that sets it before the rate limit',
      })
    }
    known.set(name, amount)
  }
  increments.set(request, known)
}

/** What the request adds to that limit; from now on that is settled. */
export function incrementOf(request: GatewayRequest, name: string): number {
  const settled = counted.get(request) ?? new Set<string>()
  counted.set(request, settled.add(name))
  return increments.get(request)?.get(name) ?? 1
}
