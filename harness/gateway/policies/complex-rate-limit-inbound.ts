import { incrementOf } from '../limits/increments.ts'
import { createLimiter, LIMIT_OPTIONS } from '../limits/limiter.ts'
import type { LimitOptions } from '../limits/limiter.ts'
import { mapOf, wholeFrom } from '../options.ts'
import type { PolicyKind } from '../policy.ts'

interface Options extends LimitOptions {
  readonly limits: Readonly<Record<string, number>>
}

/**
 * Limits a caller by several counters at once: a request passes if it fits all of them, and otherwise counts on none.
 * It adds 1 to each where custom code set nothing else; what a function says of `requestsAllowed` is for one limit and
 * means nothing here.
 */
export const complexRateLimitInbound: PolicyKind = {
  type: 'complex-rate-limit-inbound',
  exported: 'ComplexRateLimitInboundPolicy',
  options: {
    known: { ...LIMIT_OPTIONS, limits: mapOf(wholeFrom(1)) },
    required: ['rateLimitBy', 'limits', 'timeWindowMinutes'],
  },
  create(given, context) {
    const options = given as unknown as Options
    const limits = Object.entries(options.limits).map(([name, limit]) => ({
      name,
      limit,
      label: `${context.name}.${name}`,
      counter: JSON.stringify([context.name, name]),
    }))
    return createLimiter(options, context, (request) =>
      limits.map(({ name, ...limit }) => ({ ...limit, cost: incrementOf(request, name) })),
    )
  },
}
