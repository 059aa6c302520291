import type { GatewayProfile } from '../model/gateway-profile.ts'
import type { GatewayMeasurement } from '../model/behaviour.ts'
import type { Suite } from '../model/case.ts'
import type { GatewayTarget, GatewayTargetSettings } from '../targets/gateway-target.ts'
import type { GateOptions, RunOptions } from './options.ts'

/** How a run against a gateway is made. */
export interface GatewayRunOptions extends Pick<
  RunOptions,
  'select' | 'seed' | 'deadlineMs' | 'on' | 'signal' | keyof GateOptions
> {
  readonly suites: readonly Suite<'gateway'>[]
  readonly start: (settings: GatewayTargetSettings) => Promise<GatewayTarget>
  /** Declarations of the command line and of the configuration; they win over those of the target. */
  readonly profile: GatewayProfile
  /** Ports of what the gateway has to reach, where it is set up by hand; 0 takes a free one. */
  readonly ports?: { readonly capture?: number; readonly secondCapture?: number; readonly scanner?: number }
  /** What is measured besides the cases; default: nothing. */
  readonly measurements?: readonly GatewayMeasurement[]
}
