import type { Json, JsonObject } from '../model/json.ts'
import type { Route } from '../model/profile.ts'
import { INVALID_TOKEN } from './steps.ts'
import type { OriginContext, Parsed, Refusal, Steps } from './steps.ts'

/** What a rule looks at. */
export interface Judged {
  readonly claims: JsonObject
  readonly parsed: Parsed
  readonly route: Route
  readonly context: OriginContext
  readonly nowSec: number
}

/** Refuses, or has nothing to say. */
export type Rule = (judged: Judged) => Refusal | undefined

/** The rules by name, in the order in which they are applied; each can be replaced. */
export interface Rules {
  readonly typ: Rule
  readonly required: Rule
  readonly iss: Rule
  readonly aud: Rule
  readonly sub: Rule
  readonly exp: Rule
  readonly nbf: Rule
  readonly iat: Rule
  readonly lifetime: Rule
  readonly age: Rule
  readonly scope: Rule
  readonly once: Rule
}

/** Token ids that are remembered at most. */
const MOST_USED = 100_000

const refuseUnless = (holds: boolean): Refusal | undefined => (holds ? undefined : INVALID_TOKEN)
const isTime = (value: Json | undefined): value is number => typeof value === 'number' && Number.isFinite(value)
const leeway = ({ context }: Judged): number => context.profile.leewaySec ?? 0

export const strictRules: Rules = {
  typ({ parsed, context }) {
    const due = context.profile.typ?.toLowerCase()
    const { typ } = parsed.header
    if (due === undefined) return undefined
    // RFC 7515 section 4.1.9: a media type, its "application/" left out or not, in any case.
    return refuseUnless(typeof typ === 'string' && typ.toLowerCase().replace(/^application\//u, '') === due)
  },
  required({ claims, context }) {
    const names = context.profile.requiredClaims ?? ['iss', 'aud', 'exp', 'sub']
    return refuseUnless(names.every((name) => Object.hasOwn(claims, name) && isOfItsType(name, claims[name])))
  },
  iss: ({ claims, context }) => refuseUnless(claims['iss'] === context.issuer),
  aud({ claims, context }) {
    const { aud } = claims
    const all = Array.isArray(aud) ? (aud as readonly Json[]) : [aud]
    return refuseUnless(all.every((one) => typeof one === 'string') && all.includes(context.audience))
  },
  sub({ claims, context }) {
    const { knownSubjects, subjects } = context.profile
    return refuseUnless(knownSubjects !== true || (subjects ?? []).some((subject) => subject === claims['sub']))
  },
  exp(judged) {
    const { exp } = judged.claims
    return refuseUnless(exp === undefined || (isTime(exp) && judged.nowSec < exp + leeway(judged)))
  },
  nbf(judged) {
    const { nbf } = judged.claims
    return refuseUnless(nbf === undefined || (isTime(nbf) && nbf <= judged.nowSec + leeway(judged)))
  },
  iat(judged) {
    const { iat } = judged.claims
    return refuseUnless(iat === undefined || (isTime(iat) && iat <= judged.nowSec + leeway(judged)))
  },
  lifetime({ claims, context }) {
    const { exp, iat } = claims
    const most = context.profile.maxLifetimeSec
    return refuseUnless(most === undefined || (isTime(exp) && isTime(iat) && exp - iat <= most))
  },
  age(judged) {
    const { iat } = judged.claims
    const most = judged.context.profile.maxTokenAgeSec
    return refuseUnless(most === undefined || (isTime(iat) && judged.nowSec - iat <= most + leeway(judged)))
  },
  scope({ claims, route }) {
    if (route.scope === undefined) return undefined
    const held = typeof claims['scope'] === 'string' ? claims['scope'].split(' ') : []
    return held.includes(route.scope) ? undefined : { status: 403, error: 'insufficient_scope', scope: route.scope }
  },
  once(judged) {
    const { claims, route, context, nowSec } = judged
    if (route.once !== true) return undefined
    const { jti, exp } = claims
    if (typeof jti !== 'string' || !isTime(exp)) return INVALID_TOKEN
    const { used } = context
    if (used.size >= MOST_USED) for (const [id, until] of used) if (until < nowSec) used.delete(id)
    // A full memory refuses: to forget a token that still lives would let it be replayed.
    if (used.has(jti) || used.size >= MOST_USED) return INVALID_TOKEN
    used.set(jti, exp + leeway(judged))
    return undefined
  },
}

/** Names of the claims that hold a NumericDate (RFC 7519 section 2). */
const TIMES = ['exp', 'nbf', 'iat']

function isOfItsType(name: string, value: Json | undefined): boolean {
  if (TIMES.includes(name)) return isTime(value)
  if (name === 'aud') return typeof value === 'string' || Array.isArray(value)
  return ['iss', 'sub', 'jti'].includes(name)
    ? typeof value === 'string' && value !== ''
    : value !== null && value !== undefined
}

/** The step made of these rules. */
export function judgeWith(rules: Rules): Steps['judgeClaims'] {
  const all = Object.values(rules) as Rule[]
  return (claims, parsed, route, context) => {
    const judged: Judged = { claims, parsed, route, context, nowSec: context.clock.nowMs() / 1000 }
    for (const rule of all) {
      const refusal = rule(judged)
      if (refusal) return refusal
    }
    return undefined
  }
}
