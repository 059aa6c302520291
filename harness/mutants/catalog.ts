import { bypassMutants } from './bypass.ts'
import { challengeMutants } from './challenge.ts'
import { claimsMutants } from './claims.ts'
import { documentMutants } from './documents.ts'
import { formatMutants } from './format.ts'
import type { Mutant } from './mutant.ts'
import { rotationMutants } from './rotation.ts'
import { signatureMutants } from './signature.ts'

/** All mutants, by id. */
export const MUTANTS: readonly Mutant[] = [
  ...signatureMutants,
  ...formatMutants,
  ...claimsMutants,
  ...rotationMutants,
  ...documentMutants,
  ...challengeMutants,
  ...bypassMutants,
].toSorted((one, other) => one.id.localeCompare(other.id, 'en', { numeric: true }))
