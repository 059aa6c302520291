import type { ApiKey, GatewayProfile, GatewayRoute } from '../model/gateway-profile.ts'
import type { OriginProfile } from '../model/profile.ts'
import type { GateConfig } from './gate-shape.ts'
import type { HooksConfig } from './hooks-config.ts'

export type { GateConfig } from './gate-shape.ts'
export type { ActionHook, CommandHook, HooksConfig, HttpHook, IssueHook, OutageHook, Wish } from './hooks-config.ts'

/** An API key, or what is known of it; `${NAME}` in its text stands for a variable of the environment. */
export type KeyConfig = string | (Omit<ApiKey, 'consumer'> & { readonly consumer?: string })

type WithKeys = 'keys' | 'revokedKeys' | 'expiredKeys' | 'disabledKeys' | 'spareKeys' | 'pairOfKeys' | 'entitlement'

/** A gateway to be put under test: what it declares, and how it is reached and operated. */
export interface GatewayConfig extends Omit<GatewayProfile, WithKeys> {
  readonly $schema?: string
  /** URL of a protected route. */
  readonly url?: string
  /** Keys that work; two without a consumer are taken to be of two consumers. */
  readonly keys?: readonly KeyConfig[]
  readonly revokedKeys?: readonly KeyConfig[]
  readonly expiredKeys?: readonly KeyConfig[]
  readonly disabledKeys?: readonly KeyConfig[]
  readonly spareKeys?: readonly KeyConfig[]
  readonly pairOfKeys?: readonly [KeyConfig, KeyConfig]
  readonly entitlement?: { readonly route: GatewayRoute; readonly otherKeys?: readonly KeyConfig[] }
  readonly hooks?: HooksConfig
  /** Port on which the run plays the origin, to which the gateway has to forward. */
  readonly capturePort?: number
  /** The same for the second origin. */
  readonly secondCapturePort?: number
  /** Port on which the run serves the key list of its secret scanner. */
  readonly scannerPort?: number
  /** A hook that moves the clock of the gateway. */
  readonly clockUrl?: string
}

/** An origin to be put under test. */
export interface OriginConfig extends OriginProfile {
  readonly $schema?: string
  /** URL of a protected route. */
  readonly url?: string
  /** Port of the run's issuer, which the origin has to trust. */
  readonly issuerPort?: number
  /** Prints a token of its own issuer. */
  readonly tokenCommand?: string
  /** A hook that moves the clock of the origin. */
  readonly clockUrl?: string
  /** Instead of `url`: the command that starts it, as --exec; `{port}`, `{issuer}` and the rest are filled in. */
  readonly exec?: string
  /** Path of a protected route of what `exec` starts; default /. */
  readonly path?: string
}

/** A gateway and the origin behind it, to be put under test together. */
export interface ChainConfig {
  readonly $schema?: string
  readonly gateway: GatewayConfig
  readonly origin: Omit<OriginConfig, 'exec' | 'path'>
  /** Port on which the run listens between the two, where the gateway forwards to it. */
  readonly tapPort?: number
  /** Port on which the run passes the JWKS on, where the origin fetches it there. */
  readonly jwksProxyPort?: number
}

/** A configuration with the word that says what is under test; files without code write it themselves. */
export type Config =
  | (GatewayConfig & GateConfig & { readonly subject: 'gateway' })
  | (OriginConfig & GateConfig & { readonly subject: 'origin' })
  | (ChainConfig & GateConfig & { readonly subject: 'chain' })

/** Types the configuration of a gateway: `export default defineGateway({ … })` in trustspec.config.ts. */
export function defineGateway(config: GatewayConfig & GateConfig): Extract<Config, { subject: 'gateway' }> {
  return { ...config, subject: 'gateway' }
}

/** Types the configuration of an origin. */
export function defineOrigin(config: OriginConfig & GateConfig): Extract<Config, { subject: 'origin' }> {
  return { ...config, subject: 'origin' }
}

/** Types the configuration of a gateway and its origin. */
export function defineChain(config: ChainConfig & GateConfig): Extract<Config, { subject: 'chain' }> {
  return { ...config, subject: 'chain' }
}
