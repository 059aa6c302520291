import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Json } from '../model/json.ts'
import { judgeWith, strictRules } from '../origin/claims.ts'
import type { Judged, Rules } from '../origin/claims.ts'
import { referenceSteps } from '../origin/server.ts'
import { INVALID_TOKEN } from '../origin/steps.ts'
import type { Refusal, Steps } from '../origin/steps.ts'
import type { Mutant } from './mutant.ts'

const judging = (rules: Partial<Rules>): (() => Partial<Steps>) => {
  return () => ({ judgeClaims: judgeWith({ ...strictRules, ...rules }) })
}

/** The rule applied to claims with some of them replaced. */
function seeing(name: keyof Rules, change: (judged: Judged) => Record<string, Json | undefined>) {
  return (judged: Judged): Refusal | undefined => {
    const claims = Object.fromEntries(
      Object.entries({ ...judged.claims, ...change(judged) }).filter((member) => member[1] !== undefined),
    ) as Judged['claims']
    return strictRules[name]({ ...judged, claims })
  }
}

const none = (): undefined => undefined
const unparsable = (value: Json | undefined): boolean => value !== undefined && typeof value !== 'number'

/** A required claim that counts as there whatever it holds. */
const requiredByName = ({ claims, context }: Judged): Refusal | undefined =>
  (context.profile.requiredClaims ?? []).every((name) => Object.hasOwn(claims, name)) ? undefined : INVALID_TOKEN

/** Findings about time and the other claims. */
export const claimsMutants: readonly Mutant[] = [
  {
    id: 'O03',
    flaw: 'compares aud as one string alone',
    steps: judging({ aud: ({ claims, context }) => (claims['aud'] === context.audience ? undefined : INVALID_TOKEN) }),
    kills: ['origin/claims/aud-array-with-self'],
  },
  {
    id: 'O04',
    flaw: 'takes exp only when its text is a whole number',
    steps: judging({
      exp: (judged) =>
        /"exp"\s*:\s*\d+\s*[,}]/u.test(judged.parsed.claimsText) ? strictRules.exp(judged) : INVALID_TOKEN,
    }),
    kills: ['origin/expired-tokens/exp-number-forms'],
  },
  {
    id: 'O45',
    flaw: 'does not look at exp',
    steps: judging({ exp: none }),
    kills: [
      'origin/expired-tokens/exp-past',
      'origin/expired-tokens/exp-past-beyond-leeway',
      'origin/expired-tokens/exp-wrong-type',
      'origin/expired-tokens/exp-number-forms',
      'origin/expired-tokens/expires-while-cached',
      'origin/expired-tokens/per-request-not-per-connection',
      'origin/challenge/bearer-error-codes',
      'origin/bypass/no-side-effect',
      'origin/load/verdicts-under-concurrency',
    ],
  },
  {
    id: 'O46',
    flaw: 'grants a leeway of a day',
    steps: judging({
      exp: (judged) => strictRules.exp({ ...judged, nowSec: judged.nowSec - 86_400 }),
    }),
    kills: [
      'origin/expired-tokens/exp-past',
      'origin/expired-tokens/exp-past-beyond-leeway',
      'origin/expired-tokens/expires-while-cached',
      'origin/expired-tokens/per-request-not-per-connection',
      'origin/challenge/bearer-error-codes',
      'origin/bypass/no-side-effect',
      'origin/load/verdicts-under-concurrency',
    ],
  },
  {
    id: 'O48',
    flaw: 'treats exp and nbf that it cannot read as absent',
    steps: judging({
      required: requiredByName,
      exp: seeing('exp', ({ claims }) => (unparsable(claims['exp']) ? { exp: undefined } : {})),
      nbf: seeing('nbf', ({ claims }) => (unparsable(claims['nbf']) ? { nbf: undefined } : {})),
      lifetime: (judged) => (unparsable(judged.claims['exp']) ? undefined : strictRules.lifetime(judged)),
    }),
    kills: [
      'origin/expired-tokens/exp-wrong-type',
      'origin/expired-tokens/exp-numeric-string-future',
      'origin/expired-tokens/nbf-wrong-type',
      'origin/claims/required-claims',
    ],
  },
  {
    id: 'O49',
    flaw: 'turns a string in exp into a number',
    steps: judging({
      required: seeing('required', numberInExp),
      exp: seeing('exp', numberInExp),
      lifetime: seeing('lifetime', numberInExp),
    }),
    kills: ['origin/expired-tokens/exp-numeric-string-future'],
  },
  {
    id: 'O50',
    flaw: 'does not require exp',
    steps: judging({
      required: seeing('required', ({ claims, nowSec }) => ({ exp: claims['exp'] ?? nowSec })),
      lifetime: (judged) => (judged.claims['exp'] === undefined ? undefined : strictRules.lifetime(judged)),
    }),
    kills: ['origin/expired-tokens/exp-missing', 'origin/claims/required-claims'],
  },
  {
    id: 'O51',
    flaw: 'drops its longest lifetime and age without a word',
    steps: judging({ lifetime: none, age: none }),
    kills: ['origin/expired-tokens/max-age'],
  },
  {
    id: 'O52',
    flaw: 'does not look at nbf',
    steps: judging({ nbf: none }),
    kills: ['origin/expired-tokens/nbf-future', 'origin/expired-tokens/nbf-wrong-type'],
  },
  {
    id: 'O53',
    flaw: 'compares iss in part, without case, or as a member of an array',
    steps: judging({
      required: seeing('required', ({ context }) => ({ iss: context.issuer })),
      iss({ claims, context }) {
        const all = Array.isArray(claims['iss']) ? (claims['iss'] as readonly Json[]) : [claims['iss']]
        const right = context.issuer.toLowerCase()
        return all.some((one) => String(one).toLowerCase().startsWith(right)) ? undefined : INVALID_TOKEN
      },
    }),
    kills: ['origin/claims/iss-wrong'],
  },
  {
    id: 'O54',
    flaw: 'checks iss and the other required claims only when they are there',
    steps: judging({
      required: none,
      iss: (judged) => (judged.claims['iss'] === undefined ? undefined : strictRules.iss(judged)),
    }),
    kills: ['origin/claims/required-claims'],
  },
  {
    id: 'O55',
    flaw: 'looks for the audience inside the text of aud',
    steps: judging({
      aud: ({ claims, context }) =>
        JSON.stringify(claims['aud'] ?? '').includes(context.audience) ? undefined : INVALID_TOKEN,
      required: seeing('required', ({ context }) => ({ aud: context.audience })),
    }),
    kills: ['origin/claims/aud-wrong'],
  },
  {
    id: 'O56',
    flaw: 'checks aud only when it is there, and takes an empty list',
    steps: judging({
      required: seeing('required', ({ context }) => ({ aud: context.audience })),
      aud(judged) {
        const { aud } = judged.claims
        return aud === undefined || (Array.isArray(aud) && aud.length === 0) ? undefined : strictRules.aud(judged)
      },
    }),
    kills: ['origin/claims/required-claims', 'origin/claims/aud-missing'],
  },
  {
    id: 'O57',
    flaw: 'gives an unknown subject a default user',
    steps: judging({ sub: none }),
    kills: ['origin/claims/sub-unknown'],
  },
  {
    id: 'O58',
    flaw: 'ignores typ, although it declares one',
    steps: judging({ typ: none }),
    kills: ['origin/claims/typ-wrong'],
  },
  {
    id: 'O59',
    flaw: 'does not enforce scopes',
    steps: judging({ scope: none }),
    kills: ['origin/claims/scope-insufficient'],
  },
  {
    id: 'O60',
    flaw: 'keeps a verified token for ten minutes whatever its exp',
    steps() {
      const until = new Map<string, number>()
      return {
        judgeClaims(claims, parsed, route, context) {
          const now = context.clock.nowMs()
          if (route.once !== true && (until.get(parsed.compact) ?? 0) > now) return undefined
          const refusal = referenceSteps.judgeClaims(claims, parsed, route, context)
          if (!refusal) until.set(parsed.compact, now + 600_000)
          return refusal
        },
      }
    },
    kills: ['origin/expired-tokens/expires-while-cached'],
  },
  {
    id: 'O61',
    flaw: 'remembers for a connection that it was authenticated',
    steps() {
      const known = new WeakMap<Socket, string>()
      return {
        readCredential: (request) => known.get(request.socket) ?? referenceSteps.readCredential(request),
        answer(outcome, request: IncomingMessage, response: ServerResponse) {
          const token = request.headers.authorization?.replace(/^Bearer +/iu, '')
          if ('claims' in outcome && token !== undefined) known.set(request.socket, token)
          referenceSteps.answer(outcome, request, response)
        },
      }
    },
    kills: ['origin/expired-tokens/per-request-not-per-connection'],
    spills: true,
  },
  {
    id: 'O63',
    flaw: 'never records a jti, although it declares replay protection',
    steps: judging({ once: none }),
    kills: ['origin/claims/jti-replay'],
  },
  {
    id: 'O64',
    flaw: 'turns exp into a date, which a huge number breaks',
    steps: judging({
      required(judged) {
        const { exp } = judged.claims
        if (typeof exp === 'number') new Date(exp * 1000).toISOString()
        return strictRules.required(judged)
      },
    }),
    kills: ['origin/expired-tokens/exp-number-forms'],
  },
]

function numberInExp({ claims }: Judged): Record<string, Json> {
  const { exp } = claims
  return typeof exp === 'string' && exp !== '' ? { exp: Number(exp) } : {}
}
