import type { Suite } from '../harness/model/case.ts'
import chain from './chain/chain.ts'
import faults from './gateway/faults.ts'
import gatewayObserved from './gateway/observed.ts'
import jwks from './gateway/jwks.ts'
import keyAuth from './gateway/key-auth.ts'
import leakage from './gateway/leakage.ts'
import leakedKeys from './gateway/leaked-keys.ts'
import rateLimits from './gateway/rate-limits.ts'
import spoofing from './gateway/spoofing.ts'
import token from './gateway/token.ts'
import bypass from './origin/bypass.ts'
import challenge from './origin/challenge.ts'
import claims from './origin/claims.ts'
import expiredTokens from './origin/expired-tokens.ts'
import format from './origin/format.ts'
import jwksCaching from './origin/jwks-caching.ts'
import kidRotation from './origin/kid-rotation.ts'
import load from './origin/load.ts'
import observed from './origin/observed.ts'
import signature from './origin/signature.ts'

/** Every suite about origins, in the order of reports. */
export const SUITES: readonly Suite[] = [
  signature,
  observed,
  format,
  expiredTokens,
  claims,
  kidRotation,
  jwksCaching,
  challenge,
  bypass,
  load,
]

/** Every suite about gateways, in the order of reports. */
export const GATEWAY_SUITES: readonly Suite<'gateway'>[] = [
  keyAuth,
  gatewayObserved,
  leakage,
  token,
  jwks,
  spoofing,
  rateLimits,
  faults,
  leakedKeys,
]

/** Every suite about a gateway and its origin together, in the order of reports. */
export const CHAIN_SUITES: readonly Suite<'chain'>[] = [chain]

/** A suite about whatever subject. */
export type AnySuite = Suite | Suite<'gateway'> | Suite<'chain'>

/** Every suite, in the order of reports. */
export const ALL_SUITES: readonly AnySuite[] = [...SUITES, ...GATEWAY_SUITES, ...CHAIN_SUITES]

/** A case with the suite that it is part of. */
export interface CatalogEntry<S extends AnySuite = Suite> {
  /** Full id, `origin/claims/iss-wrong`. */
  readonly id: string
  readonly suite: S
  readonly case: S['cases'][number]
}

/** Every case of the suites, in order. */
export function allCases<S extends AnySuite = Suite>(
  suites: readonly S[] = SUITES as readonly S[],
): readonly CatalogEntry<S>[] {
  return suites.flatMap((suite) => suite.cases.map((item) => ({ id: `${suite.id}/${item.id}`, suite, case: item })))
}
