import type { ChainMutant } from './mutant.ts'
export const CHAIN_MUTANTS: readonly ChainMutant[] = []
