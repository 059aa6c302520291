import net from 'node:net'
import { request } from 'undici'
import { movableClock } from '../clock/clock.ts'
import { startCapture } from '../capture/server.ts'
import type { Capture } from '../capture/server.ts'
import { forwardTo } from './config/handlers.ts'
import { startGateway } from './gateway.ts'
import type { Gateway, GatewayOptions } from './gateway.ts'
import type { Inbound } from './policy.ts'
import type { PolicySettings, RouteSettings } from './settings.ts'
import { POLICY_KINDS } from './policies/registry.ts'

/** A gateway of a test, with a capture origin behind it. */
export interface TestGateway extends AsyncDisposable {
  readonly gateway: Gateway
  readonly origin: Capture
  readonly port: number
  /** Key of the consumer `acme`. */
  readonly key: string
  readonly clock: ReturnType<typeof movableClock>
  /** Events that the operator was told, as JSON lines. */
  readonly events: string[]
  /** Lines of the access log. */
  readonly log: string[]
}

const CREDENTIAL = 'credential-of-a-test-and-nothing-else'

/** A policy by its type, under that name. */
export function policy(type: string, options: Readonly<Record<string, unknown>> = {}, name = type): PolicySettings {
  const kind = POLICY_KINDS.find((one) => one.type === type)
  if (!kind) throw new TypeError(`There is no ${type}`)
  return { name, kind, options }
}

/** API key and gateway token, as most routes have them. */
export const GUARDED = [
  policy('api-key-inbound'),
  policy('upstream-zuplo-jwt-auth-inbound', { audience: 'https://orders.example.com' }),
]

/** `/r` is guarded by all policies, `/public/*` by none, unless other routes are given. */
export async function testGateway(
  given: Partial<GatewayOptions> & {
    readonly policies?: readonly PolicySettings[]
    readonly routes?: (origin: string) => readonly RouteSettings[]
  } = {},
): Promise<TestGateway> {
  const { policies = GUARDED, routes, ...options } = given
  const origin = await startCapture()
  const clock = movableClock()
  const events: string[] = []
  const log: string[] = []
  const names = policies.map(({ name }) => name)
  const ordinary = (base: string): readonly RouteSettings[] => [
    ...['GET', 'POST', 'HEAD', 'PUT'].map((method) => route(method, '/r', base, names)),
    ...['GET', 'POST'].map((method) => route(method, '/r/{id}', base, names)),
    ...['GET', 'POST'].map((method) => matching(route(method, '/public/*', base, []))),
  ]
  const gateway = await startGateway({
    project: {
      routes: (routes ?? ordinary)(origin.url),
      policies,
      jwtService: { basePath: '/__zuplo/issuer', lifetimeSec: 300, algorithm: 'EdDSA' },
      own: new Map(),
    },
    state: { kind: 'memory' },
    clock,
    host: '127.0.0.1',
    port: 0,
    keyPrefix: 'tsk',
    trustedProxies: [],
    management: { port: 0, host: '127.0.0.1', credential: CREDENTIAL },
    events: { write: (text) => events.push(...text.trim().split('\n')) },
    accessLog: { write: (text) => log.push(...text.trim().split('\n')) },
    ...options,
    limits: { lingerMs: 50, ...options.limits },
  })
  const known = gateway.keys.consumers('default').some(({ name }) => name === 'acme')
  if (!known) await gateway.keys.createConsumer('default', 'acme', {})
  const { key } = await gateway.keys.createKey('default', 'acme')
  return {
    gateway,
    origin,
    port: Number(new URL(gateway.url).port),
    key,
    clock,
    events,
    log,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await origin[Symbol.asyncDispose]()
    },
  }
}

/** What the gateway counts, in the text format of Prometheus. */
export async function metricsOf({ gateway }: TestGateway): Promise<string> {
  const headers = { authorization: `Bearer ${CREDENTIAL}` }
  return await (await request(`${gateway.management?.url}/metrics`, { headers })).body.text()
}

/** A route that forwards to a base. */
export function route(method: string, pattern: string, base: string, inbound: readonly string[]): RouteSettings {
  return {
    method,
    path: { mode: 'open-api', pattern },
    cors: undefined,
    handler: forwardTo(base, ''),
    inbound,
    where: `${method} ${pattern}`,
  }
}

/** The route with its path in the syntax of URLPattern. */
export function matching(given: RouteSettings): RouteSettings {
  return { ...given, path: { ...given.path, mode: 'url-pattern' } }
}

/** A policy that does what it is told. */
export function doing(inbound: Inbound, name = 'doing'): PolicySettings {
  const kind = { ...policy('remove-headers-inbound').kind, create: () => inbound }
  return { name, kind, options: {} }
}

/** Sends octets on a connection of their own, and gives all that comes back until it is closed or `enough` says so. */
export function exchangeOctets(
  port: number,
  octets: string | Uint8Array,
  enough: (text: string) => boolean = () => false,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1')
    let text = ''
    const finish = (): void => {
      socket.destroy()
      resolve(text)
    }
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') finish()
      else reject(error)
    })
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (enough(text)) finish()
    })
    socket.on('close', finish)
    socket.write(typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets)
  })
}

/** A request of lines, closing its connection unless they say otherwise. */
export function requestText(first: string, lines: readonly string[] = [], body = ''): string {
  const own = lines.some((line) => /^connection:/iu.test(line)) ? [] : ['Connection: close']
  const host = lines.some((line) => /^host:/iu.test(line)) ? [] : ['Host: gateway.example.com']
  return `${[`${first} HTTP/1.1`, ...host, ...lines, ...own].join('\r\n')}\r\n\r\n${body}`
}

/** Statuses of all answers in the text. */
export function statusesIn(text: string): readonly number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /gu)].map((match) => Number(match[1]))
}

/** Status of the first answer in the text; 0 where there is none. */
export function statusIn(text: string): number {
  return statusesIn(text)[0] ?? 0
}
