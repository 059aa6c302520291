import type { GatewayMutant } from './mutant.ts'

/** Flaws that the suite gateway/leakage finds. */
export const leakageMutants: readonly GatewayMutant[] = []
