import type { TokenExpectation, TokenProblem, TokenProblemKind, VerifiedToken } from '../model/capture.ts'
import type { Json, JsonObject } from '../model/json.ts'
import { canonicalOctets } from './algorithms.ts'
import { readObject } from './json.ts'
import { signatureProblems } from './signature.ts'

/** Seconds that a token may be ahead of its arrival. */
const AHEAD_SEC = 2

const DETAILS = {
  utf8: 'is not UTF-8',
  'not-json': 'is not JSON',
  'not-object': 'is not an object',
  'duplicate-member': 'names a member twice',
  'too-deep': 'is nested too deeply',
} as const

const problem = (kind: TokenProblemKind, detail: string): TokenProblem => ({ kind, detail })

/**
 * Verifies a gateway token with everything that is declared, and reports all that is wrong, not the first thing
 * alone. The keys are those published when it arrived.
 */
export function verifyGatewayToken(compact: string, jwks: Json, expected: TokenExpectation): VerifiedToken {
  const [first = '', second = '', third = '', ...more] = compact.split('.')
  if (first === '' || second === '' || third === '' || more.length > 0)
    return { problems: [problem('not-compact', 'it has not three segments, each with content')] }
  const header = readSegment(first, 'the header')
  const claims = readSegment(second, 'the claims')
  const canonical = canonicalOctets(third) !== undefined
  const input = Buffer.from(`${first}.${second}`)
  return {
    ...(header.value ? { header: header.value } : {}),
    ...(claims.value ? { claims: claims.value } : {}),
    problems: [
      ...header.problems,
      ...claims.problems,
      ...(canonical ? [] : [problem('base64url', 'the signature is not canonical base64url')]),
      ...(header.value
        ? [
            ...headerProblems(header.value, expected),
            ...signatureProblems(header.value, input, Buffer.from(third, 'base64url'), jwks),
          ]
        : []),
      ...(claims.value ? claimProblems(claims.value, expected) : []),
    ],
  }
}

function readSegment(segment: string, what: string): { value?: JsonObject; problems: readonly TokenProblem[] } {
  const octets = canonicalOctets(segment)
  const { value, problem: wrong } = readObject(octets ?? Buffer.from(segment, 'base64url'))
  return {
    ...(value ? { value } : {}),
    problems: [
      ...(octets ? [] : [problem('base64url', `${what} is not canonical base64url`)]),
      ...(wrong ? [problem(wrong, `${what} ${DETAILS[wrong]}`)] : []),
    ],
  }
}

function headerProblems(header: JsonObject, { algorithms, typ }: TokenExpectation): readonly TokenProblem[] {
  const { alg } = header
  const undeclared = typeof alg === 'string' && algorithms && !algorithms.includes(alg)
  return [
    ...(['crit', 'b64', 'zip'] as const)
      .filter((name) => Object.hasOwn(header, name))
      .map((name) => problem(name, `the header has ${name}`)),
    ...(undeclared ? [problem('alg-undeclared', 'the algorithm is not one of those declared')] : []),
    ...(typ === undefined || mediaType(header['typ']) === mediaType(typ)
      ? []
      : [problem('typ', 'typ is not the one declared')]),
  ]
}

/** RFC 7515 section 4.1.9: in any case, and "application/" may be left out where there is no other slash. */
function mediaType(typ: Json | undefined): string | undefined {
  if (typeof typ !== 'string') return undefined
  return (typ.includes('/') ? typ : `application/${typ}`).toLowerCase()
}

function claimProblems(claims: JsonObject, expected: TokenExpectation): readonly TokenProblem[] {
  const { iss } = claims
  const foreign = expected.issuer !== undefined && iss !== expected.issuer
  return [
    ...typeProblems(claims),
    ...(foreign ? [problem('issuer', 'iss is not the declared issuer, octet for octet')] : []),
    ...audienceProblems(claims['aud'], expected),
    ...timeProblems(claims, expected),
  ]
}

/** RFC 7519 section 4.1: times are numbers, iss, sub and jti strings, aud a string or an array of strings. */
function typeProblems(claims: JsonObject): readonly TokenProblem[] {
  const wrong = (names: readonly string[], is: (value: Json) => boolean, due: string): readonly TokenProblem[] =>
    names.flatMap((name) => {
      const value = Object.hasOwn(claims, name) ? claims[name] : undefined
      return value === undefined || is(value) ? [] : [problem('claim-type', `${name} is not ${due}`)]
    })
  return [
    ...wrong(['exp', 'nbf', 'iat'], isTime, 'a finite number'),
    ...wrong(['iss', 'sub', 'jti'], (value) => typeof value === 'string', 'a string'),
    ...wrong(['aud'], (value) => audiencesOf(value) !== undefined, 'a string or an array of strings'),
  ]
}

function audienceProblems(aud: Json | undefined, expected: TokenExpectation): readonly TokenProblem[] {
  const { audience, alsoAudiences = [] } = expected
  if (audience === undefined) return []
  const all = audiencesOf(aud) ?? []
  const undeclared = all.some((one) => one !== audience && !alsoAudiences.includes(one))
  return [
    ...(all.includes(audience) ? [] : [problem('audience-missing', 'aud does not contain the declared audience')]),
    ...(undeclared ? [problem('audience-undeclared', 'aud contains an audience that is not declared')] : []),
  ]
}

function audiencesOf(aud: Json | undefined): readonly string[] | undefined {
  const all: readonly (Json | undefined)[] = Array.isArray(aud) ? (aud as readonly Json[]) : [aud]
  return all.every((one) => typeof one === 'string') ? all : undefined
}

function timeProblems({ exp, nbf, iat }: JsonObject, expected: TokenExpectation): readonly TokenProblem[] {
  const { nowSec, maxLifetimeSec } = expected
  const ahead = (time: Json | undefined): boolean => isTime(time) && time > nowSec + AHEAD_SEC
  const lifetime = isTime(exp) ? exp - (isTime(iat) ? iat : nowSec) : 0
  return [
    ...(exp === undefined ? [problem('exp-missing', 'there is no exp')] : []),
    ...(isTime(exp) && exp <= nowSec ? [problem('expired', `exp is ${seconds(nowSec - exp)} before the arrival`)] : []),
    ...(ahead(iat) ? [problem('iat-ahead', `iat is more than ${AHEAD_SEC} s after the arrival`)] : []),
    ...(ahead(nbf) ? [problem('nbf-ahead', `nbf is more than ${AHEAD_SEC} s after the arrival`)] : []),
    ...(maxLifetimeSec !== undefined && lifetime > maxLifetimeSec
      ? [problem('lifetime', `it lives ${seconds(lifetime)}, declared are ${seconds(maxLifetimeSec)}`)]
      : []),
  ]
}

function isTime(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function seconds(value: number): string {
  return `${Math.round(value * 1000) / 1000} s`
}
