import { createLimiter, LIMIT_OPTIONS } from '../limits/limiter.ts'
import type { LimitOptions } from '../limits/limiter.ts'
import { wholeFrom } from '../options.ts'
import type { PolicyKind } from '../policy.ts'

interface Options extends LimitOptions {
  readonly requestsAllowed: number
}

/** Limits the requests of a caller in a sliding window. */
export const rateLimitInbound: PolicyKind = {
  type: 'rate-limit-inbound',
  exported: 'RateLimitInboundPolicy',
  options: {
    known: { ...LIMIT_OPTIONS, requestsAllowed: wholeFrom(1) },
    required: ['rateLimitBy', 'requestsAllowed', 'timeWindowMinutes'],
  },
  create(given, context) {
    const options = given as unknown as Options
    const label = context.name
    const counter = JSON.stringify(label)
    return createLimiter(options, context, (_request, caller) => [
      { label, counter, limit: caller.requestsAllowed ?? options.requestsAllowed, cost: 1 },
    ])
  },
}
