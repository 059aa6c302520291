import type { Steps } from '../origin/steps.ts'

/** The reference origin with one flaw. */
export interface Mutant {
  readonly id: `O${string}`
  /** What it does wrong; completes "The origin …". */
  readonly flaw: string
  /** The steps that replace those of the reference; made anew for every start, since some of them remember. */
  readonly steps: () => Partial<Steps>
  /** Full ids of exactly the cases that it fails. */
  readonly kills: readonly string[]
  /** What it remembers of one case spoils others, which ones depends on the order: it fails its own at least. */
  readonly spills?: true
  /** It fails some of them only where the cases of other suites ran before. */
  readonly whole?: true
}
