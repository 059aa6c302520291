import { CHAINED, embeddedTarget } from './embedded.ts'
import { embeddedGateway } from './embedded-gateway.ts'
import type { ChainTarget, ChainTargetSettings } from './chain-target.ts'
import { AsyncDisposableStack } from '../model/stack.ts'

/** What is done otherwise on either side than by the reference, made anew for every start. */
export interface ChainFlaw {
  readonly origin?: Parameters<typeof embeddedTarget>[1]
  readonly gateway?: Parameters<typeof embeddedGateway>[1]
}

/** Where no scanner lists its keys: nobody reports leaked keys to a chain. */
const NO_KEY_LIST = 'http://127.0.0.1:9/'

/**
 * The reference gateway in front of the reference origin in this process, with the tap between them and the proxy in
 * front of the JWKS, and with clocks that can be moved together or apart.
 */
export async function embeddedChain(
  { tapUrl, jwksProxyUrl, tapTo, jwksFrom }: ChainTargetSettings,
  flaw: ChainFlaw = {},
): Promise<ChainTarget> {
  await using stack = new AsyncDisposableStack()
  const gateway = stack.use(
    await embeddedGateway({ capture: tapUrl, secondCapture: tapUrl, keyListUrl: NO_KEY_LIST }, flaw.gateway),
  )
  const { issuer = '', jwksUrl = '', audience = '' } = gateway.profile
  jwksFrom(jwksUrl)
  const proxied = `${jwksProxyUrl}${new URL(jwksUrl).pathname}`
  const origin = stack.use(await embeddedTarget({ issuer, jwksUrl: proxied, audience }, flaw.origin, CHAINED))
  tapTo(origin.url)
  const kept = stack.move()
  return {
    kind: 'embedded',
    url: gateway.url,
    originUrl: origin.url,
    gateway: gateway.profile,
    origin: origin.profile,
    expected: [],
    clocks: {
      ...(gateway.clock ? { gateway: gateway.clock } : {}),
      ...(origin.clock ? { origin: origin.clock } : {}),
    },
    hooks: gateway.hooks,
    ...(origin.restart ? { restartOrigin: origin.restart } : {}),
    tapped: true,
    proxied: true,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}
