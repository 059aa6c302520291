import { carriedToken } from '../capture/carried.ts'
import { verifyGatewayToken } from '../capture/verify.ts'
import type {
  Arrival,
  CaptureOrigin,
  TokenExpectation,
  TokenPlace,
  TokenProblemKind,
  VerifiedToken,
} from '../model/capture.ts'
import { Inconclusive } from '../model/errors.ts'
import type { ResolvedGatewayProfile } from '../model/gateway-profile.ts'
import { audienceAt } from './gateway-session.ts'
import type { GatewaySession } from './gateway-session.ts'
import type { Keyring } from './keyring.ts'

/** Where the gateway puts its token. */
export function placeOfToken({ token: { header, scheme } }: Pick<ResolvedGatewayProfile, 'token'>): TokenPlace {
  return scheme === '' ? { header } : { header, scheme }
}

/** Problems with which the verifier has not found the signature to be good. */
const UNSIGNED: ReadonlySet<TokenProblemKind> = new Set([
  'not-compact',
  'alg-missing',
  'alg-not-asymmetric',
  'jwks',
  'key-type',
  'key-invalid',
  'signature-size',
  'signature',
])

/** Judges the token of a captured request by all that is declared, with the keys published when it arrived. */
export async function verifyCaptured(session: GatewaySession, arrival: Arrival): Promise<VerifiedToken> {
  const { profile, keyring, proofs } = session
  const carried = carriedToken(arrival, placeOfToken(profile))
  const { compact } = carried
  if (compact === undefined) return { problems: carried.problems }
  const expected = expectationOf(profile, arrival)
  const kid = verifyGatewayToken(compact, { keys: [] }, expected).header?.['kid']
  await keyring.learn(kid)
  if (keyring.publications.length === 0) await keyring.fetch()
  const sets = [...new Set(keyring.at(arrival, kid))]
  const results = (sets.length === 0 ? [{ keys: [] }] : sets).map(
    (jwks) => [jwks, verifyGatewayToken(compact, jwks, expected)] as const,
  )
  const [jwks, verified] = results.reduce((best, next) =>
    next[1].problems.length < best[1].problems.length ? next : best,
  )
  const isSigned = verified.header !== undefined && !verified.problems.some(({ kind }) => UNSIGNED.has(kind))
  if (isSigned) proofs.verifier(compact, jwks, expected)
  return { ...verified, problems: [...carried.problems, ...verified.problems] }
}

/**
 * Looks at the JWKS as soon as a request arrives whose token names a key that no look has seen: once the run is over,
 * that key may be published no more.
 */
export function watchKeys(
  origin: Pick<CaptureOrigin, 'onArrival'>,
  keyring: Keyring,
  profile: Pick<ResolvedGatewayProfile, 'token'>,
): Disposable {
  const known = new Set<string>()
  return origin.onArrival((arrival) => {
    const { compact = '' } = carriedToken(arrival, placeOfToken(profile))
    const header = compact.slice(0, compact.indexOf('.'))
    if (header === '' || known.has(header)) return
    const kid = verifyGatewayToken(compact, { keys: [] }, { nowSec: 0 }).header?.['kid']
    if (typeof kid === 'string' && keyring.knows(kid)) known.add(header)
    else {
      keyring.learn(kid).catch((error: unknown) => {
        // Whoever judges the token asks again, and is told then.
        if (!(error instanceof Inconclusive)) throw error
      })
    }
  })
}

function expectationOf(profile: ResolvedGatewayProfile, arrival: Arrival): TokenExpectation {
  const audience = audienceAt(arrival, profile)
  const { issuer, alsoAudiences, algorithms, maxLifetimeSec, typ } = profile
  return {
    nowSec: arrival.atMs / 1000,
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
    ...(alsoAudiences ? { alsoAudiences } : {}),
    ...(algorithms ? { algorithms } : {}),
    ...(maxLifetimeSec === undefined ? {} : { maxLifetimeSec }),
    ...(typ === undefined ? {} : { typ }),
  }
}
