import { hash } from 'node:crypto'
import { objectOf, oneOf, text } from '../options.ts'
import type { OptionCheck } from '../options.ts'
import { TrustspecError } from '../../model/errors.ts'
import type { PolicyContext } from '../policy.ts'
import { problem } from '../reply.ts'
import type { Problem } from '../reply.ts'
import type { GatewayRequest } from '../request.ts'
import { networkOf } from './address.ts'
import { whenThere } from './maybe.ts'

/** Whose counter a request is counted on, and what applies to that caller where custom code said so. */
export interface Caller {
  readonly key: string
  readonly requestsAllowed?: number
  readonly timeWindowMinutes?: number
}

/** A caller, nobody (then nothing is limited), or a refusal. */
export type FoundCaller = Caller | undefined | Problem

/** Options by which a policy tells callers apart. */
export interface CallerOptions {
  readonly rateLimitBy: 'user' | 'ip' | 'function' | 'all'
  readonly identifier?: { readonly module: string; readonly export: string }
}

/** A number above 0. */
export const positive: OptionCheck = (value) =>
  typeof value === 'number' && Number.isFinite(value) && value > 0 ? undefined : 'a number above 0'

/** The table of `CallerOptions`. */
export const CALLER_OPTIONS = {
  rateLimitBy: oneOf('user', 'ip', 'function', 'all'),
  identifier: objectOf({ module: text, export: text }, ['module', 'export']),
} satisfies Readonly<Record<keyof CallerOptions, OptionCheck>>

/** Characters of a key beyond which its digest stands for it: callers may choose what a key is made of. */
const LONGEST_KEY = 200

/** Finds the caller by what the policy is told to go by; throws ERR_USAGE where that is not said in full. */
export function createFindCaller(
  { rateLimitBy, identifier }: CallerOptions,
  context: PolicyContext,
): (request: GatewayRequest) => FoundCaller | Promise<FoundCaller> {
  if (rateLimitBy === 'function') {
    if (!identifier) {
      throw new TrustspecError('ERR_USAGE', 'A limit by function has no function', {
        policy: context.name,
        instead: '"identifier": { "module": "$import(./modules/my-module)", "export": "name" }',
      })
    }
    const identify = context.own(identifier.module, identifier.export)
    const check = createCheck(context)
    return (request) => whenThere(identify(request, context.name), check)
  }
  if (rateLimitBy === 'user') {
    const withoutUser = createWithoutUser(context)
    return ({ user }) => (user ? { key: short(user.sub) } : withoutUser())
  }
  if (rateLimitBy === 'ip') return ({ clientAddress }) => ({ key: networkOf(clientAddress) })
  const everybody: Caller = { key: '' }
  return () => everybody
}

/** A refusal for requests of nobody on a route that counts by user: a mistake in the project, so it is told once. */
export function createWithoutUser({ name, report }: PolicyContext): () => Problem {
  let isTold = false
  return () => {
    if (!isTold) report({ event: 'limit-without-user', policy: name })
    isTold = true
    return problem(500, { detail: 'The route counts by user, but no policy before told who calls' })
  }
}

/** A key in a length that a store may keep. */
export function short(key: string): string {
  return key.length > LONGEST_KEY ? `sha256:${hash('sha256', key, 'base64url')}` : key
}

/** Checks what a function of the project gave; undefined stands for no limit. */
function createCheck({ name, report }: PolicyContext): (details: unknown) => FoundCaller {
  return (details) => {
    if (details === undefined) return undefined
    const wrong = fault(details)
    if (wrong === undefined) {
      const caller = details as Caller
      return { ...caller, key: short(caller.key) }
    }
    report({ event: 'limit-identifier-invalid', policy: name, member: wrong })
    return problem(500, { detail: 'The function that tells callers apart gave no usable answer' })
  }
}

/** Name of the member that cannot be used. */
function fault(details: unknown): string | undefined {
  if (typeof details !== 'object' || details === null) return 'all'
  const { key, requestsAllowed, timeWindowMinutes } = details as Readonly<Record<keyof Caller, unknown>>
  if (typeof key !== 'string' || key === '') return 'key'
  if (requestsAllowed !== undefined && !(Number.isSafeInteger(requestsAllowed) && Number(requestsAllowed) >= 0)) {
    return 'requestsAllowed'
  }
  return timeWindowMinutes === undefined || positive(timeWindowMinutes) === undefined ? undefined : 'timeWindowMinutes'
}
