import { setIncrements } from '../limits/increments.ts'
import { getUsage, setMeters } from '../limits/meters.ts'
import type { QuotaUsage } from '../limits/meters.ts'
import type { Meters } from '../policy.ts'
import { requestOf } from './context.ts'
import type { ZuploContext } from './context.ts'
import { ConfigurationError, RuntimeError } from './errors.ts'
import { HttpProblems, HttpStatusCode } from './http-problems.ts'
import { JwtServicePlugin } from './jwt-service-plugin.ts'
import { ZuploRequest } from './request.ts'

/** What custom code can tell complex rate limits. */
const ComplexRateLimitInboundPolicy = {
  /** What the request adds to named limits in place of 1. */
  setIncrements(context: ZuploContext, increments: Readonly<Record<string, number>>): void {
    setIncrements(requestOf(context), increments)
  },
} as const

/** What custom code can tell and ask quotas. */
const QuotaInboundPolicy = {
  /** What the request adds to meters besides itself. */
  setMeters(context: ZuploContext, meters: Meters): void {
    setMeters(requestOf(context), meters)
  },
  /** Use of the period by the caller, as the policy of that name counted it. */
  getUsage: (context: ZuploContext, policyName: string): QuotaUsage | undefined =>
    getUsage(requestOf(context), policyName),
} as const

/** What modules of projects can import from `@zuplo/runtime` as a value, besides `environment`. */
export const RUNTIME_VALUES = {
  ComplexRateLimitInboundPolicy,
  ConfigurationError,
  HttpProblems,
  HttpStatusCode,
  JwtServicePlugin,
  QuotaInboundPolicy,
  RuntimeError,
  ZuploRequest,
} as const

/**
 * Names that are types in the documented runtime. Node takes types out of a module but leaves what it imports, so a
 * module that is written as documented, `import { ZuploContext } from '@zuplo/runtime'`, must find them.
 */
export const RUNTIME_TYPES = [
  'CustomRateLimitDetails',
  'InboundPolicyHandler',
  'JwtServicePluginOptions',
  'Logger',
  'ProblemDetails',
  'RuntimeExtensions',
  'ZuploContext',
  'ZuploRequestInit',
] as const
