import type { GatewayMutant } from './mutant.ts'

/** Flaws that the suite gateway/key-auth finds. */
export const keyAuthMutants: readonly GatewayMutant[] = []
