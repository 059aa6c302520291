import { LONGEST_WAIT_SEC } from '../bench/passage.ts'
import type { ChainOrigin } from '../model/chain-bench.ts'
import type { ChainCapability } from '../model/chain-capabilities.ts'
import type { GatewayHooks } from '../model/gateway-bench.ts'
import type { ResolvedGatewayProfile } from '../model/gateway-profile.ts'

/** What a run against a gateway with its origin has in hand besides the profiles. */
export interface ChainMeans {
  /** There is a key that ought to work. */
  readonly given: boolean
  /** Keys that worked in the pre-flight, of different consumers. */
  readonly working: number
  readonly originUrl: boolean
  /** The origin answers the run past the gateway. */
  readonly direct: boolean
  /** A request of the pre-flight passed the tap. */
  readonly tapped: boolean
  /** The origin fetched the JWKS through the proxy. */
  readonly proxied: boolean
  readonly jwks: boolean
  /** The clocks of both sides were proven to move. */
  readonly movable: boolean
  readonly hooks: Partial<GatewayHooks>
}

/** The one place that decides what can be tested of a gateway with its origin. */
export function chainCapabilities(
  gateway: ResolvedGatewayProfile,
  origin: ChainOrigin,
  means: ChainMeans,
): ReadonlySet<ChainCapability> {
  const { movable, hooks } = means
  const passable = (seconds: number | undefined): boolean =>
    seconds !== undefined && (movable || seconds <= LONGEST_WAIT_SEC)
  const { maxLifetimeSec, rotationOverlapSec, instances = [] } = gateway
  const { leewaySec, jwks: { maxAgeSec, cooldownSec } = {} } = origin
  const life = maxLifetimeSec === undefined || leewaySec === undefined ? undefined : maxLifetimeSec + leewaySec
  const met: Readonly<Record<ChainCapability, boolean>> = {
    key: means.given,
    'second-consumer': means.working > 1,
    'identity-echo': origin.identityEcho !== undefined,
    'origin-url': means.originUrl,
    direct: means.direct,
    tap: means.tapped,
    'jwks-proxy': means.proxied,
    jwks: means.jwks,
    'token-passage': movable || passable(life),
    'rotation-passage': passable(maxLifetimeSec),
    overlap: rotationOverlapSec !== undefined && cooldownSec !== undefined && rotationOverlapSec >= cooldownSec,
    'jwks-cooldown': passable(cooldownSec),
    'jwks-max-age': passable(maxAgeSec),
    leeway: leewaySec !== undefined && leewaySec > 10,
    'max-lifetime': maxLifetimeSec !== undefined,
    clocks: movable,
    'rotate-signing-key': hooks.rotateSigningKey !== undefined,
    'revoke-signing-key': hooks.revokeSigningKey !== undefined,
    restart: hooks.restart !== undefined,
    instances: instances.length > 0,
  }
  return new Set((Object.keys(met) as ChainCapability[]).filter((name) => met[name]))
}
