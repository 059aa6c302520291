import type { GatewayFlaw } from '../../targets/embedded-gateway.ts'

/** The reference gateway with one flaw. */
export interface GatewayMutant {
  readonly id: `G${string}`
  /** What it does wrong; completes "The gateway …". */
  readonly flaw: string
  /** What replaces a step, policy or part of the reference; made anew for every start, since some of it remembers. */
  readonly make: () => GatewayFlaw
  /** Full ids of exactly the cases of the gateway suites that it fails. */
  readonly kills: readonly string[]
  /** It fails further cases, which depend on what shared a connection by chance. */
  readonly spills?: true
  /** It fails some of them only where the cases of other suites ran before. */
  readonly whole?: true
  /** Full ids of the cases of the chain that it fails; those suites are run for it alone if it names any. */
  readonly chain?: readonly string[]
}
