import type { Suite } from '../model/case.ts'
import type { GatewayProfile } from '../model/gateway-profile.ts'
import type { OriginProfile } from '../model/profile.ts'
import type { ChainTarget, ChainTargetSettings } from '../targets/chain-target.ts'
import type { GateOptions, RunOptions } from './options.ts'

/** How a run against a gateway with its origin is made. */
export interface ChainRunOptions extends Pick<
  RunOptions,
  'select' | 'seed' | 'deadlineMs' | 'on' | 'signal' | keyof GateOptions
> {
  readonly suites: readonly Suite<'chain'>[]
  /** Starts both sides, or describes them with `urlChain`; called once, when the tap and the JWKS proxy listen. */
  readonly start: (settings: ChainTargetSettings) => Promise<ChainTarget>
  /** Declarations of the command line and of the configuration; they win over those of the target. */
  readonly gateway: GatewayProfile
  readonly origin: OriginProfile
  /** Ports of what is between the two, where they are set up by hand; 0 takes a free one. */
  readonly ports?: { readonly tap?: number; readonly jwksProxy?: number }
}
