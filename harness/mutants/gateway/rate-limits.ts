import type { GatewayMutant } from './mutant.ts'

/** Flaws that the suite gateway/rate-limits finds. */
export const rateLimitsMutants: readonly GatewayMutant[] = []
