import { TrustspecError } from '../../model/errors.ts'
import type { Meters } from '../policy.ts'
import type { GatewayRequest } from '../request.ts'

/** What a quota had counted for a caller when the request came; the request itself is not part of it yet. */
export interface QuotaUsage {
  /** ISO 8601. */
  readonly anchorDate: string
  /** ISO 8601. */
  readonly nextResetDate: string
  /** Meters that nothing was counted on are left out. */
  readonly meters: Meters
}

const meters = new WeakMap<GatewayRequest, Meters>()

const usages = new WeakMap<GatewayRequest, Map<string, QuotaUsage>>()

/**
 * Sets what a request counts on meters of quotas, besides or in place of its 1 on `requests`. What is set before the
 * quota policy is reserved there; what is set later counts with the answer. Throws ERR_USAGE for anything but numbers
 * from 0.
 */
export function setMeters(request: GatewayRequest, amounts: Meters): void {
  for (const [meter, amount] of Object.entries(amounts)) {
    if (Number.isFinite(amount) && amount >= 0) continue
    throw new TrustspecError('ERR_USAGE', 'A meter counts numbers from 0', { meter, given: String(amount) })
  }
  meters.set(request, { ...meters.get(request), ...amounts })
}

/** What a request counts, as far as it is known. */
export function metersOf(request: GatewayRequest): Meters {
  return { requests: 1, ...meters.get(request) }
}

/** Amount of a meter, whatever it is called; 0 where nothing is said of it. */
export function amountOf(amounts: Meters, meter: string): number {
  return Object.hasOwn(amounts, meter) ? (amounts[meter] ?? 0) : 0
}

/** Usage by a quota policy, once it ran for this request. */
export function getUsage(request: GatewayRequest, policy: string): QuotaUsage | undefined {
  return usages.get(request)?.get(policy)
}

/** Keeps what `getUsage` tells. */
export function keepUsage(request: GatewayRequest, policy: string, usage: QuotaUsage): void {
  const known = usages.get(request) ?? new Map<string, QuotaUsage>()
  usages.set(request, known.set(policy, usage))
}
