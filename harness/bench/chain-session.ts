import type { Client } from '../client/client.ts'
import type { WireRequest } from '../client/wire.ts'
import type { MovableClock } from '../clock/clock.ts'
import type { ChainOrigin, Direct } from '../model/chain-bench.ts'
import type { ChainCapability } from '../model/chain-capabilities.ts'
import type { GatewayHooks } from '../model/gateway-bench.ts'
import type { ApiKey, ResolvedGatewayProfile } from '../model/gateway-profile.ts'
import type { HeaderLines } from '../model/http.ts'
import type { JwksProxy } from '../tap/jwks-proxy.ts'
import type { Tap } from '../tap/tap.ts'
import type { Keyring } from './keyring.ts'
import type { Proofs } from './proofs.ts'

/** What all cases of a run against a gateway with its origin share. */
export interface ChainSession {
  readonly gateway: ResolvedGatewayProfile
  readonly origin: ChainOrigin
  /** One for each instance of the gateway, the one under test first. */
  readonly clients: readonly [Client, ...Client[]]
  /** Past the gateway; absent where the run does not reach the origin. */
  readonly direct?: { readonly client: Client; readonly base: string }
  /** Why the run does not reach the origin past the gateway. */
  readonly unreachable?: string
  readonly tap?: Tap
  readonly proxy?: JwksProxy
  /** For the JWKS of the gateway; absent where nobody told its URL. */
  readonly keyring?: Keyring
  readonly proofs: Proofs
  /** Both clocks, where both can be moved. */
  readonly clocks?: { readonly gateway: MovableClock; readonly origin: MovableClock }
  /** Milliseconds since the epoch at the gateway and at the origin. */
  readonly gatewayMs: () => number
  readonly originMs: () => number
  readonly hooks: Partial<GatewayHooks>
  readonly restartOrigin?: () => Promise<void>
  readonly keys: readonly ApiKey[]
  readonly capabilities: ReadonlySet<ChainCapability>
  /** The origin takes forged tokens, so that nothing that it accepts proves anything. */
  readonly believes: boolean
  /** Every key of the run, for redaction; grows. */
  readonly secrets: Set<string>
  readonly seed: number
  /** A case has failed that had the chain for itself: what it has left behind is mended before the next one. */
  readonly state: { disturbed: boolean }
}

/** The request of a step past the gateway. */
export function directRequest(direct: Direct, { routes, token: { header, scheme } }: ChainOrigin): WireRequest {
  const route = direct.route ?? routes[0]
  const method = direct.method ?? route.methods[0] ?? 'GET'
  const { token, query } = direct
  const credential: HeaderLines = token === undefined ? [] : [[header, scheme === '' ? token : `${scheme} ${token}`]]
  const body = ['GET', 'HEAD', 'OPTIONS'].includes(method)
    ? undefined
    : (route.body ?? { contentType: 'application/json', text: '{"item":"1"}' })
  return {
    method,
    target: query === undefined ? route.path : `${route.path}${route.path.includes('?') ? '&' : '?'}${query}`,
    headers: [
      ['Accept', '*/*'],
      ['User-Agent', 'trustspec'],
      ...credential,
      ...(direct.headers ?? []),
      ...(route.headers ?? []),
      ...(body ? [['Content-Type', body.contentType] as const] : []),
    ],
    ...(body ? { body: body.text } : {}),
  }
}
