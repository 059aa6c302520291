import { faultsMutants } from './faults.ts'
import { jwksMutants } from './jwks.ts'
import { keyAuthMutants } from './key-auth.ts'
import { leakageMutants } from './leakage.ts'
import { leakedKeysMutants } from './leaked-keys.ts'
import type { GatewayMutant } from './mutant.ts'
import { rateLimitsMutants } from './rate-limits.ts'
import { spoofingMutants } from './spoofing.ts'
import { tokenMutants } from './token.ts'

/** All mutants of the reference gateway, by id. */
export const GATEWAY_MUTANTS: readonly GatewayMutant[] = [
  ...keyAuthMutants,
  ...leakageMutants,
  ...tokenMutants,
  ...jwksMutants,
  ...spoofingMutants,
  ...rateLimitsMutants,
  ...faultsMutants,
  ...leakedKeysMutants,
].toSorted((one, other) => one.id.localeCompare(other.id, 'en', { numeric: true }))
