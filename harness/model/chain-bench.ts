import type { Judgement } from './bench.ts'
import type { Capability } from './capabilities.ts'
import type { Arrival } from './capture.ts'
import type { ApiKey, ResolvedGatewayProfile } from './gateway-profile.ts'
import type { Call, GatewayHooks } from './gateway-bench.ts'
import type { Answer, Connection, HeaderLines } from './http.ts'
import type { OriginProfile } from './profile.ts'

/** What a case about gateway and origin together can need. */
export const CHAIN_CAPABILITIES = {
  key: { says: 'an API key that works', unlock: '--api-key KEY' },
} as const satisfies Record<string, Capability>

export type ChainCapability = keyof typeof CHAIN_CAPABILITIES

/** What a chain case is given. As with OriginBench, steps do not throw, and each has to be awaited. */
export interface ChainBench {
  readonly now: () => number
  readonly gateway: ResolvedGatewayProfile
  readonly origin: OriginProfile
  readonly keys: readonly ApiKey[]
  readonly hooks: GatewayHooks
  readonly judge: (holds: boolean, judgement: Judgement) => void
  readonly guard: (holds: boolean, otherwise: string) => void
  readonly records: (name: string, value: string | number | boolean) => void
  readonly can: (capability: ChainCapability, stimulus: string) => boolean
  readonly notProven: (stimulus: string, reason: string, unlock: string) => void
  /** Through the gateway to the origin. */
  readonly accepts: (call: Call, stimulus: string) => Promise<Answer>
  readonly observes: (call: Call, stimulus: string) => Promise<Answer>
  /** Straight to the origin, past the gateway. */
  readonly direct: (headers: HeaderLines, stimulus: string) => Promise<Answer>
  /** Requests that a tap between the two has seen. */
  readonly tapped: () => readonly Arrival[]
  readonly connect: () => Promise<Connection>
  readonly nonce: () => string
}
