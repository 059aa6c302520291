import type { GatewayMutant } from './mutant.ts'

/** Flaws that the suite gateway/token finds. */
export const tokenMutants: readonly GatewayMutant[] = []
