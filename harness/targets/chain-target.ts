import type { MovableClock } from '../clock/clock.ts'
import type { GatewayHooks } from '../model/gateway-bench.ts'
import type { GatewayProfile } from '../model/gateway-profile.ts'
import type { OriginProfile } from '../model/profile.ts'
import type { ExpectedFinding } from '../model/result.ts'

/** Clocks of the two sides, where the harness has a means to move them. */
export interface ChainClocks {
  readonly gateway?: MovableClock
  readonly origin?: MovableClock
}

/** A gateway with the origin behind it under test, and how much of them the harness holds. */
export interface ChainTarget extends AsyncDisposable {
  readonly kind: 'embedded' | 'url' | 'process'
  readonly name?: string
  /** URL of a route of the gateway that reaches the origin. */
  readonly url: string
  /** URL of what that route reaches, past the gateway and the tap; absent where nobody told it. */
  readonly originUrl?: string
  /** What the gateway declares; `jwksUrl` is its own, not that of the proxy. */
  readonly gateway: GatewayProfile
  readonly origin: OriginProfile
  readonly expected: readonly ExpectedFinding[]
  readonly clocks: ChainClocks
  /** Why time cannot be moved, where it could be: one sentence. */
  readonly noClock?: string
  /** What the operator of the gateway can do. */
  readonly hooks: Partial<GatewayHooks>
  /** Stops and starts the origin; its URL stays the same. */
  readonly restartOrigin?: () => Promise<void>
  /** The gateway forwards to the tap of the run. */
  readonly tapped: boolean
  /** The origin fetches the JWKS through the proxy of the run. */
  readonly proxied: boolean
  /** Last lines of the output of both, oldest first, at most 200. */
  readonly logTail?: () => readonly string[]
}

/** What a chain is told before it starts. */
export interface ChainTargetSettings {
  /** Where the gateway has to forward to, without a slash at the end. */
  readonly tapUrl: string
  /** What takes the place of scheme, host and port in the JWKS URL of the origin, without a slash at the end. */
  readonly jwksProxyUrl: string
  /** Tells the tap where the origin is, and the proxy where the JWKS is; until then both refuse. */
  readonly tapTo: (originUrl: string) => void
  readonly jwksFrom: (jwksUrl: string) => void
}

/** What somebody who runs a chain by himself tells of it. */
export interface UrlChain extends Partial<Pick<ChainTarget, 'name' | 'originUrl' | 'restartOrigin' | 'noClock'>> {
  readonly url: string
  readonly gateway: GatewayProfile
  readonly origin: OriginProfile
  readonly clocks?: ChainClocks
  readonly hooks?: Partial<GatewayHooks>
  /** The gateway was pointed at the tap; needs `originUrl`. */
  readonly tapped: boolean
  /** The origin was pointed at the proxy; needs `jwksUrl` of the gateway. */
  readonly proxied: boolean
  readonly expected?: readonly ExpectedFinding[]
}

/** A chain that is neither started nor stopped; the tap and the proxy are aimed before anything is sent. */
export function urlChain(chain: UrlChain, settings: ChainTargetSettings): ChainTarget {
  const { originUrl, gateway } = chain
  const tapped = chain.tapped && originUrl !== undefined
  const proxied = chain.proxied && gateway.jwksUrl !== undefined
  if (tapped) settings.tapTo(originUrl)
  if (proxied) settings.jwksFrom(gateway.jwksUrl)
  return {
    clocks: {},
    hooks: {},
    expected: [],
    ...chain,
    kind: 'url',
    tapped,
    proxied,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
