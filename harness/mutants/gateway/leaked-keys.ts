import type { GatewayMutant } from './mutant.ts'

/** Flaws that the suite gateway/leaked-keys finds. */
export const leakedKeysMutants: readonly GatewayMutant[] = []
