import type { Arrival, TokenExpectation, TokenPlace, TokenProblem, VerifiedToken } from '../model/capture.ts'
import type { Json } from '../model/json.ts'
import { verifyGatewayToken } from './verify.ts'

/** The token that a request carries in its place, and what is wrong with how it does. */
export interface Carried {
  /** The first one, where there are several. */
  readonly compact?: string
  readonly problems: readonly TokenProblem[]
}

/** Reads the token off a request, which has to have one line with one token. */
export function carriedToken(arrival: Pick<Arrival, 'header'>, { header, scheme }: TokenPlace): Carried {
  const lines = arrival.header(header)
  // Octets that no token has are for the verifier to find: here a word with two dots is one.
  const tokens = lines.flatMap((line) => line.split(/[\s,]+/u).filter((word) => word.split('.').length > 2))
  const [compact] = tokens
  if (compact === undefined) return { problems: [{ kind: 'token-missing', detail: `no token is in ${header}` }] }
  const problems: TokenProblem[] = []
  if (lines.length > 1)
    problems.push({ kind: 'token-header-repeated', detail: `${header} is there ${lines.length} times` })
  if (tokens.length > 1) problems.push({ kind: 'several-tokens', detail: `${tokens.length} tokens are in ${header}` })
  else if (!lines.some((line) => isAlone(line, scheme, compact)))
    problems.push({ kind: 'scheme', detail: 'the value is not the declared scheme and one token' })
  return { compact, problems }
}

/** RFC 9110 section 11.1: schemes are compared without regard to case, and spaces may follow. */
function isAlone(line: string, scheme: string | undefined, compact: string): boolean {
  if (scheme === undefined) return line === compact
  const [, given = '', rest = ''] = /^(\S+) +(\S+)$/u.exec(line) ?? []
  return given.toLowerCase() === scheme.toLowerCase() && rest === compact
}

/** Whether a request carries exactly one valid token at its arrival; `aheadSec`: the gateway's clock before ours. */
export function verifyArrival(
  arrival: Pick<Arrival, 'header' | 'atMs'>,
  place: TokenPlace,
  jwks: Json,
  expected: Omit<TokenExpectation, 'nowSec'>,
  aheadSec = 0,
): VerifiedToken & Carried {
  const carried = carriedToken(arrival, place)
  if (carried.compact === undefined) return carried
  const nowSec = arrival.atMs / 1000 + aheadSec
  const verified = verifyGatewayToken(carried.compact, jwks, { ...expected, nowSec })
  return { ...verified, compact: carried.compact, problems: [...carried.problems, ...verified.problems] }
}
