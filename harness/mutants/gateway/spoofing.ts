import type { GatewayMutant } from './mutant.ts'

/** Flaws that the suite gateway/spoofing finds. */
export const spoofingMutants: readonly GatewayMutant[] = []
