import type { Clock } from '../clock/clock.ts'
import { TrustspecError } from '../model/errors.ts'
import { AsyncDisposableStack } from '../model/stack.ts'
import { createAccessLog, createEventLog } from './access-log.ts'
import type { LineSink } from './access-log.ts'
import { createBuiltIns } from './built-in.ts'
import { trustIn } from './caller.ts'
import { createLeakReceiver } from './keys/leaks.ts'
import { startManagement } from './keys/management.ts'
import type { Management } from './keys/management.ts'
import type { KeyStore } from './keys/store.ts'
import { createMetrics } from './metrics.ts'
import type { Inbound, OperatorEvent, Services } from './policy.ts'
import { routeTable } from './routing.ts'
import { scopes } from './runtime/scope.ts'
import { DEFAULT_LIMITS, listen, referenceSteps } from './server.ts'
import type { GatewayServer } from './server.ts'
import type { GatewayProject } from './settings.ts'
import { openState } from './state.ts'
import type { State, StatePlace } from './state.ts'
import type { GatewayContext, GatewayLimits, GatewaySteps, Route } from './steps.ts'
import type { RingTimes } from './tokens/ring.ts'
import type { RingStore } from './tokens/ring-store.ts'
import { startJwtService } from './tokens/service.ts'
import type { JwtService } from './tokens/service.ts'

/** What a gateway is started with. */
export interface GatewayOptions {
  readonly project: GatewayProject
  readonly state: StatePlace
  readonly clock: Clock
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** How callers reach it, where that is not its own address: the issuer and the audience by default begin so. */
  readonly publicUrl?: string
  /** How API keys begin. */
  readonly keyPrefix: string
  readonly limits?: Partial<GatewayLimits>
  /** Times of signing keys. */
  readonly times?: Partial<RingTimes>
  /** Networks of proxies in front whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[]
  /** Where the access log goes; undefined: there is none. */
  readonly accessLog?: LineSink
  readonly events: LineSink
  readonly management?: { readonly port: number; readonly host: string; readonly credential: string }
  readonly alerts?: {
    readonly path: string
    readonly keyListUrl: string
    readonly type: string
    readonly fetchMs?: number
  }
  /** Steps in place of the reference's. */
  readonly steps?: Partial<GatewaySteps>
  /** Stores and services in place of the ones that were made. */
  readonly adapt?: (services: Services) => Services
  /** Parts in place of the ones that were made, for policies, endpoints and operators alike. */
  readonly wrap?: {
    readonly keys?: (made: KeyStore) => KeyStore
    readonly tokens?: (made: JwtService) => JwtService
    readonly ring?: (made: RingStore) => RingStore
    readonly receiver?: typeof createLeakReceiver
  }
}

/** A gateway that runs. */
export interface Gateway extends AsyncDisposable {
  /** `http://host:port`. */
  readonly url: string
  readonly keys: KeyStore
  /** Undefined where the project registers no JWT service. */
  readonly tokens: JwtService | undefined
  readonly management: Management | undefined
  /** Takes no new connections, answers what is open, and ends. */
  readonly stop: () => Promise<void>
}

/** Starts a gateway: when this resolves it serves its routes. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { clock, host, port, keyPrefix, wrap = {} } = options
  await using stack = new AsyncDisposableStack()
  const report = createEventLog(options.events, clock)
  const opened = stack.use(await openState(options.state, clock, keyPrefix))
  const state = wrap.keys ? { ...opened, keys: wrap.keys(opened.keys) } : opened
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  let tokens: JwtService | undefined
  const running: { server?: GatewayServer } = {}
  const metrics = createMetrics({
    gateway_requests_active: { help: 'Requests at the origins.', value: () => running.server?.admission.active() ?? 0 },
    gateway_requests_waiting: {
      help: 'Requests that wait for a place.',
      value: () => running.server?.admission.waiting() ?? 0,
    },
    gateway_tunnels: { help: 'Connections that became WebSockets.', value: () => running.server?.tunnels() ?? 0 },
  })
  const log = options.accessLog ? createAccessLog(options.accessLog, clock) : undefined
  const record: GatewaySteps['record'] = (request, route, outcome) => {
    metrics.record(request, route, outcome)
    log?.(request, route, outcome)
  }
  const server = stack.use(
    await listen({
      limits,
      steps: { ...referenceSteps, record, ...options.steps },
      host,
      port,
      prepare: async (url) => {
        const publicUrl = (options.publicUrl ?? url).replace(/\/$/u, '')
        tokens = await tokensOf(options, state, publicUrl, report, stack)
        if (tokens && wrap.tokens) tokens = wrap.tokens(tokens)
        const services = (options.adapt ?? same)({
          clock,
          keys: state.keys,
          limits: state.limits,
          quotas: state.quotas,
          tokens,
          report,
        })
        const alerts = options.alerts && {
          path: options.alerts.path,
          receive: (wrap.receiver ?? createLeakReceiver)({ ...options.alerts, store: state.keys, clock, report }),
        }
        const builtIns = createBuiltIns({ tokens: tokens?.answer, alerts })
        return { context: contextOf(options, services, publicUrl), builtIns }
      },
    }),
  )
  running.server = server
  const management = options.management
    ? stack.use(
        await startManagement({
          ...options.management,
          store: state.keys,
          ...(tokens ? { signing: tokens } : {}),
          metrics: metrics.text,
          nowMs: clock.nowMs,
        }),
      )
    : undefined
  const kept = stack.move()
  const { url, stop } = server
  return {
    url,
    keys: state.keys,
    tokens,
    management,
    async stop() {
      await stop()
      await kept.disposeAsync()
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

const same = (services: Services): Services => services

async function tokensOf(
  { project, clock, times, wrap }: GatewayOptions,
  { ring }: State,
  publicUrl: string,
  report: (event: OperatorEvent) => void,
  stack: AsyncDisposableStack,
): Promise<JwtService | undefined> {
  if (!project.jwtService) return undefined
  const settings = project.jwtService
  const store = wrap?.ring?.(ring) ?? ring
  return stack.use(await startJwtService({ settings, publicUrl, clock, store, report, ...(times ? { times } : {}) }))
}

/** Makes every policy once and hangs it into its routes. */
function contextOf(
  { project, trustedProxies }: GatewayOptions,
  services: Services,
  publicUrl: string,
): Omit<GatewayContext, 'origins' | 'limits'> {
  const policies = new Map<string, Inbound>()
  const reads = new Map<string, readonly string[]>()
  const managed = new Set<string>()
  for (const { name, kind, options } of project.policies) {
    policies.set(name, kind.create(options, { ...services, name, own: ownFunctions(project, services, name) }))
    const { reads: read = [], sets = [] } = kind.headers?.(options) ?? {}
    reads.set(
      name,
      read.map((header) => header.toLowerCase()),
    )
    for (const header of sets) managed.add(header.toLowerCase())
  }
  const routes = project.routes.map((route): Route => ({
    ...route,
    policies: route.inbound.flatMap((name) => policies.get(name) ?? []),
    credentials: new Set(route.inbound.flatMap((name) => reads.get(name) ?? [])),
  }))
  return { publicUrl, services, table: routeTable(routes), trusts: trustIn(trustedProxies), managed }
}

/** Functions of the project for the options of a policy; each runs in the scope of its request. */
function ownFunctions({ own }: GatewayProject, { clock, tokens, report }: Services, policy: string) {
  return (module: string, exported: string) => {
    const found = own.get(`${module}#${exported}`)
    if (!found) {
      throw new TrustspecError('ERR_GATEWAY_PROJECT', 'The module does not export this function', {
        policy,
        module,
        given: exported,
        instead: 'the name of a function that it exports',
      })
    }
    return (...args: readonly unknown[]): unknown =>
      scopes.run({ clock, tokens, report, request: args[0] as never }, () => found(...args))
  }
}
