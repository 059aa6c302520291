import type { ChainFlaw } from '../../targets/embedded-chain.ts'

/** The reference gateway in front of the reference origin, with one flaw on one side. */
export interface ChainMutant extends ChainFlaw {
  readonly id: `${'O' | 'G'}${string}`
  /** What it does wrong; completes "The chain …". */
  readonly flaw: string
  /** Full ids of exactly the cases of the chain that it fails. */
  readonly kills: readonly string[]
}
