import http from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { movableClock } from '../../clock/clock.ts'
import { embeddedProfile } from '../../targets/embedded-gateway-profile.ts'
import type { GatewayTarget, GatewayTargetSettings } from '../../targets/gateway-target.ts'

/** Gateways that are nothing but one thing that they do. */
export const GATEWAY_POLES = ['forwards-all', 'refuses-all', 'answers-itself', 'fails-all', 'hangs', 'dead'] as const

export type GatewayPole = (typeof GATEWAY_POLES)[number]

const KEYS = ['one', 'two', 'three'].map((name) => ({
  key: `tsk_key-of-a-pole-that-was-made-up-${name}`,
  consumer: name,
}))

/** Sends everything on as it came, without a token. */
function forward(request: IncomingMessage, response: ServerResponse, origin: string): void {
  const { connection: _, ...headers } = request.headers
  // The target as it came: a URL would be tidied, and not every target makes one.
  const onward = http.request(origin, { path: request.url, method: request.method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
  })
  onward.on('error', () => response.destroy())
  request.pipe(onward)
}

const ANSWERS: Readonly<
  Record<Exclude<GatewayPole, 'dead'>, (request: IncomingMessage, response: ServerResponse, origin: string) => void>
> = {
  'forwards-all': forward,
  'refuses-all': (_, response) => {
    response.writeHead(401, { 'www-authenticate': 'Bearer' }).end('{}')
  },
  'answers-itself': (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  },
  'fails-all': (_, response) => {
    response.writeHead(500).end('{}')
  },
  hangs: () => {
    // Nothing is ever answered.
  },
}

/** Starts a pole that declares what the embedded gateway declares, as far as it has no hooks. */
export async function startGatewayPole(pole: GatewayPole, settings: GatewayTargetSettings): Promise<GatewayTarget> {
  const server = http.createServer((request, response) => {
    if (pole !== 'forwards-all') request.resume()
    if (pole !== 'dead') ANSWERS[pole](request, response, settings.capture)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => {
      server.close(resolve)
    })
    server.closeAllConnections()
    await closed
  }
  if (pole === 'dead') await close()
  const { profile } = embeddedProfile(settings)
  return {
    kind: 'embedded',
    url: `${base}/orders`,
    profile: { ...profile(`${base}/__zuplo/issuer`), keys: KEYS },
    expected: [],
    clock: movableClock(),
    hooks: {},
    captured: true,
    [Symbol.asyncDispose]: pole === 'dead' ? () => Promise.resolve() : close,
  }
}
