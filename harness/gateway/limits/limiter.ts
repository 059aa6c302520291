import { flag, oneOf } from '../options.ts'
import type { OptionCheck } from '../options.ts'
import type { Inbound, PolicyContext, Take, Taken } from '../policy.ts'
import { problem } from '../reply.ts'
import type { Problem } from '../reply.ts'
import type { GatewayRequest } from '../request.ts'
import { CALLER_OPTIONS, createFindCaller, positive } from './caller.ts'
import type { Caller, CallerOptions, FoundCaller } from './caller.ts'
import { rateLimitFields, seconds } from './fields.ts'
import type { Counted } from './fields.ts'
import { whenThere } from './maybe.ts'
import { createOutage } from './outage.ts'
import { createVerdicts } from './verdicts.ts'

/** Options that both rate limits have. */
export interface LimitOptions extends CallerOptions {
  readonly timeWindowMinutes: number
  readonly headerMode?: 'retry-after' | 'none' | 'ratelimit'
  readonly throwOnFailure?: boolean
  readonly mode?: 'strict' | 'async'
}

/** The table of `LimitOptions`. */
export const LIMIT_OPTIONS = {
  ...CALLER_OPTIONS,
  timeWindowMinutes: positive,
  headerMode: oneOf('retry-after', 'none', 'ratelimit'),
  throwOnFailure: flag,
  mode: oneOf('strict', 'async'),
} satisfies Readonly<Record<keyof LimitOptions, OptionCheck>>

/** One limit of a policy, as it applies to a request. */
export interface Limit {
  /** Name for the caller to read. */
  readonly label: string
  /** Names of policy and limit, in a form in which no others look the same. */
  readonly counter: string
  readonly limit: number
  readonly cost: number
}

/** Limits requests by caller; which limits, and what a request costs, is the policy's to say. */
export function createLimiter(
  options: LimitOptions,
  context: PolicyContext,
  limitsOf: (request: GatewayRequest, caller: Caller) => readonly Limit[],
): Inbound {
  const { headerMode = 'retry-after', throwOnFailure = false, mode = 'strict' } = options
  const { limits, clock } = context
  const findCaller = createFindCaller(options, context)
  const outage = createOutage('limit-store', context)
  const verdicts = createVerdicts(clock)

  const tell = (request: GatewayRequest, caller: Caller, counted: readonly Counted[]): Problem | undefined => {
    const refusing = counted.filter(({ taken }) => !taken.allowed)
    if (headerMode === 'ratelimit') {
      // The moment to retry must not lie before one that another field of the answer names (section 6 of the draft).
      if (refusing.length > 0) dropField(request.answerLines, 'RateLimit')
      const shown = refusing.length > 0 ? refusing : counted
      request.answerLines.push(...rateLimitFields(caller.key, counted, shown).flat())
    }
    if (refusing.length === 0) return undefined
    const retryMs = Math.max(...refusing.map(({ taken }) => taken.retryMs))
    const isHopeless = retryMs === Number.POSITIVE_INFINITY
    return problem(429, {
      detail: isHopeless ? 'The request needs more than the rate limit ever allows' : 'Rate limit exceeded',
      headers: headerMode === 'none' || isHopeless ? [] : [['Retry-After', String(seconds(retryMs))]],
    })
  }

  const failed = (error: unknown): Problem | undefined => {
    outage.away(error)
    return throwOnFailure ? problem(503, { detail: 'The rate limit cannot be checked' }) : undefined
  }

  const limited = (
    request: GatewayRequest,
    caller: FoundCaller,
  ): Problem | undefined | Promise<Problem | undefined> => {
    if (!caller || 'problem' in caller) return caller
    const windowMs = windowMsOf(caller.timeWindowMinutes ?? options.timeWindowMinutes)
    const asked = limitsOf(request, caller)
    const takes = asked.map(({ counter, limit, cost }): Take => {
      return { key: `${counter} ${windowMs} ${caller.key}`, rule: { limit, windowMs }, cost }
    })
    const told = (taken: readonly Taken[]): Problem | undefined => {
      if (headerMode !== 'ratelimit' && taken.every(({ allowed }) => allowed)) return undefined
      return tell(request, caller, counted(asked, takes, taken))
    }
    const late = mode === 'async' ? verdicts.of(caller.key) : undefined
    if (late) return told(late)
    const taken = limits.take(takes)
    // A store that answers at once keeps nobody waiting, so that its verdict counts in either mode.
    if (!(taken instanceof Promise)) return told(taken)
    const answered = taken.then((told) => {
      outage.back()
      return told
    })
    if (mode === 'strict') return answered.then(told, failed)
    answered.then((late) => {
      const refusing = late.filter(({ allowed }) => !allowed)
      // What one request asked for in vain for ever says nothing of the next.
      const isHeld = refusing.every(({ retryMs }) => Number.isFinite(retryMs))
      if (refusing.length > 0 && isHeld) verdicts.keep(caller.key, late)
    }, outage.away)
    return undefined
  }

  return (request) => whenThere(findCaller(request), (caller) => limited(request, caller))
}

function counted(limits: readonly Limit[], takes: readonly Take[], taken: readonly Taken[]): Counted[] {
  return limits.flatMap(({ label }, nth) => {
    const [take, one] = [takes[nth], taken[nth]]
    return take && one ? [{ label, rule: take.rule, taken: one }] : []
  })
}

/** Windows are whole milliseconds, whatever part of a minute they are. */
function windowMsOf(minutes: number): number {
  return Math.max(1, Math.round(minutes * 60_000))
}

function dropField(lines: string[], name: string): void {
  for (let at = lines.length - 2; at >= 0; at -= 2) if (lines[at] === name) lines.splice(at, 2)
}
