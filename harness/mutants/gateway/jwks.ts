import type { GatewayMutant } from './mutant.ts'

/** Flaws that the suite gateway/jwks finds. */
export const jwksMutants: readonly GatewayMutant[] = []
