import { TrustspecError } from '../../model/errors.ts'
import { numberFrom } from '../options.ts'
import type { Meters, PolicyContext } from '../policy.ts'
import { problem } from '../reply.ts'
import type { Problem } from '../reply.ts'
import type { GatewayRequest } from '../request.ts'
import { createWithoutUser, short } from './caller.ts'
import { whenThere } from './maybe.ts'
import type { Period } from './period.ts'

/** Options of quota-inbound. */
export interface QuotaOptions {
  readonly period: Period
  readonly quotaBy: 'user' | 'function'
  readonly quotaAnchorMode?: 'first-api-call' | 'function'
  readonly allowances?: Meters
  readonly quotaOnStatusCodes?: string
  readonly identifier?: {
    readonly module: string
    readonly getAnchorDateExport?: string
    readonly getQuotaDetailExport?: string
  }
}

/** Whose quota a request is counted on. */
export interface Quota {
  readonly key: string
  readonly allowances: Meters
}

/** Finds the quota of a request, or a refusal; throws ERR_USAGE where the options do not say how. */
export function createFindQuota(
  { quotaBy, allowances = {}, identifier }: QuotaOptions,
  context: PolicyContext,
): (request: GatewayRequest) => Quota | Problem | Promise<Quota | Problem> {
  if (quotaBy === 'user') {
    const withoutUser = createWithoutUser(context)
    return ({ user }) => (user ? { key: short(user.sub), allowances } : withoutUser())
  }
  const detail = ownOf(context, identifier?.module, identifier?.getQuotaDetailExport ?? 'getQuotaDetail')
  const invalid = createInvalid(context)
  return (request) =>
    whenThere(detail(request, context.name), (given) => {
      // The documents know of no answer that lifts a quota, so that none does.
      if (typeof given !== 'object' || given === null) return invalid('all')
      const { key, allowances: own } = given as { readonly key?: unknown; readonly allowances?: unknown }
      if (typeof key !== 'string' || key === '') return invalid('key')
      if (own === undefined) return { key: short(key), allowances }
      return isMeters(own) ? { key: short(key), allowances: own } : invalid('allowances')
    })
}

/** Gives the moment that the project's own code counts periods from, in milliseconds; undefined in the other mode. */
export function createOwnAnchor(
  { quotaAnchorMode = 'first-api-call', identifier }: QuotaOptions,
  context: PolicyContext,
): ((request: GatewayRequest) => number | Problem | Promise<number | Problem>) | undefined {
  if (quotaAnchorMode === 'first-api-call') return undefined
  const anchor = ownOf(context, identifier?.module, identifier?.getAnchorDateExport ?? 'getAnchorDate')
  const invalid = createInvalid(context)
  return (request) =>
    whenThere(anchor(request, context.name), (given) => {
      const anchorMs = given instanceof Date ? given.getTime() : Number.NaN
      return Number.isFinite(anchorMs) ? anchorMs : invalid('date')
    })
}

function ownOf(
  context: PolicyContext,
  module: string | undefined,
  exported: string,
): (...args: readonly unknown[]) => unknown {
  if (module !== undefined) return context.own(module, exported)
  throw new TrustspecError('ERR_USAGE', 'A quota by function has no function', {
    policy: context.name,
    instead: `"identifier": { "module": "$import(./modules/my-module)" }, a module that exports ${exported}`,
  })
}

function createInvalid({ name, report }: PolicyContext): (member: string) => Problem {
  return (member) => {
    report({ event: 'quota-identifier-invalid', policy: name, member })
    return problem(500, { detail: 'The function that tells quotas apart gave no usable answer' })
  }
}

function isMeters(value: unknown): value is Meters {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((amount) => numberFrom(0)(amount) === undefined)
  )
}
