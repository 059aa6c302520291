import type { GatewayMutant } from './mutant.ts'

/** Flaws that the suite gateway/faults finds. */
export const faultsMutants: readonly GatewayMutant[] = []
