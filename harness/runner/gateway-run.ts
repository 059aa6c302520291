import { runGatewayCase } from '../bench/gateway-bench.ts'
import { requestOf } from '../bench/calls.ts'
import { Keyring } from '../bench/keyring.ts'
import { Proofs } from '../bench/proofs.ts'
import { watchKeys } from '../bench/tokens.ts'
import { createRandom } from '../bench/random.ts'
import type { GatewaySession } from '../bench/gateway-session.ts'
import { startCapture } from '../capture/server.ts'
import { createClient } from '../client/client.ts'
import type { Client } from '../client/client.ts'
import { GATEWAY_CAPABILITIES } from '../model/gateway-capabilities.ts'
import type { ApiKey, GatewayProfile, ResolvedGatewayProfile } from '../model/gateway-profile.ts'
import type { Report } from '../model/result.ts'
import { AsyncDisposableStack } from '../model/stack.ts'
import { startScanner } from '../scanner/scanner.ts'
import { gatewayTime } from '../targets/gateway-target.ts'
import type { GatewayTarget } from '../targets/gateway-target.ts'
import { measureGateway } from './behaviour.ts'
import { gatewayCapabilities } from './gateway-capabilities.ts'
import { gatewayPreflight, reachGateway } from './gateway-preflight.ts'
import type { GatewayRunOptions } from './gateway-options.ts'
import { clockOffset } from './preflight.ts'
import { Budget } from './budget.ts'
import { suitesIn } from './edition.ts'
import { flightOf, gateContext, reportOf } from './results.ts'
import type { Context } from './results.ts'
import { runAll } from './schedule.ts'
import type { Field } from './schedule.ts'
import { plan } from './select.ts'

/** Keys that the pre-flight issues, where a hook can: three consumers. */
const ISSUED = 3

/**
 * Tests one gateway: capture origins, target, pre-flight, cases, report. Throws a TrustspecError for what the user has
 * to mend first; whatever the gateway does is a verdict.
 */
export async function runGateway(options: GatewayRunOptions): Promise<Report> {
  const started = { at: new Date(), ms: performance.now() }
  const planned = plan(suitesIn(options.suites, options.edition), options.select)
  const budget = new Budget(options.budget)
  const { on, ports = {} } = options
  const time = gatewayTime()
  await using first = await startCapture({ name: 'origin', port: ports.capture ?? 0, clock: time })
  await using second = await startCapture({ name: 'second origin', port: ports.secondCapture ?? 0, clock: time })
  await using scanner = await startScanner(ports.scanner)
  const settings = { capture: first.url, secondCapture: second.url, keyListUrl: scanner.keyListUrl }
  on({ type: 'captures', ...settings })
  await using target = await options.start(settings)
  on({ type: 'target', url: target.url })
  const profile = resolveGatewayProfile({ ...target.profile, ...options.profile }, target.url)
  await using stack = new AsyncDisposableStack()
  const connectTo = (url: string): Client => stack.use(createClient(new URL(url), options.deadlineMs, budget.take))
  const client = connectTo(target.url)
  const instances = (profile.instances ?? []).map(connectTo)
  const anonymous = await reachGateway(client, profile, target.url)
  const offsetSec = clockOffset(anonymous, Date.now())
  const { clock } = target
  time.follow(clock ?? { nowMs: () => Date.now() + (offsetSec ?? 0) * 1000 })

  const secrets = new Set<string>()
  const candidates = await candidatesOf(profile, target, secrets)
  const keyring =
    profile.jwksUrl === undefined ? undefined : new Keyring(connectTo(profile.jwksUrl), new URL(profile.jwksUrl))
  const captures = target.captured ? { first, second } : undefined
  if (captures && keyring) for (const origin of [first, second]) stack.use(watchKeys(origin, keyring, profile))
  const random = createRandom(options.seed, 'pre-flight')
  const found = await gatewayPreflight(
    {
      client,
      profile,
      candidates,
      nonce: random.nonce,
      logTail: () => target.logTail?.() ?? [],
      onCheck: (check) => {
        on({ type: 'check', check })
      },
      ...(captures ? { captures } : {}),
      ...(keyring ? { keyring } : {}),
    },
    anonymous,
  )
  const session: GatewaySession = {
    profile,
    host: new URL(target.url).host,
    clients: [client, ...instances],
    clientFor: (url) => createClient(url, options.deadlineMs, budget.take),
    ...(captures ? { captures } : {}),
    ...(clock ? { clock } : {}),
    nowMs: time.nowMs,
    hooks: target.hooks,
    // Where none works, the case about the control says so of the first.
    keys: found.working.length > 0 ? found.working : candidates.slice(0, 1),
    scanner,
    capabilities: gatewayCapabilities(profile, {
      given: candidates.length > 0,
      working: distinct(found.working),
      captured: captures !== undefined && found.captured,
      secondCaptured: found.secondCaptured,
      hooks: target.hooks,
      ...(target.wishes ? { wishes: target.wishes } : {}),
      movableClock: clock !== undefined,
      jwks: found.jwks,
      scanner: target.kind !== 'url' || ports.scanner !== undefined,
    }),
    keyring: keyring ?? new Keyring(client, new URL(target.url)),
    proofs: new Proofs(),
    secrets,
    answers: [],
    spares: { taken: 0 },
    seed: options.seed,
  }
  const context: Context = {
    origin: new URL(target.url).origin,
    capabilities: session.capabilities,
    says: GATEWAY_CAPABILITIES,
    ...gateContext(options, target.expected, started.at),
    noKey: 'key',
  }
  const field: Field<'gateway'> = {
    controlCase: 'gateway/key-auth/control-valid',
    run: (item, attempt) => runGatewayCase(session, item.suite.id, item.subject, attempt),
    isAlive: async () => {
      const wire = await client.send(requestOf({ key: null }, 'alive', profile, undefined))
      return wire.failure === undefined
    },
    ...(target.hooks.restart ? { restart: target.hooks.restart } : {}),
  }
  budget.begin()
  const cases = await runAll(planned, field, context, found.cause, { ...options, budget })
  const measurements = found.cause === undefined ? (options.measurements ?? []) : []
  const behaviour = await measureGateway(session, measurements, { ...options, budget })
  return reportOf(
    {
      subject: 'gateway',
      target,
      started,
      seed: options.seed,
      budget,
      expectations: context,
      preflight: flightOf(found, offsetSec),
      capabilities: session.capabilities,
      cases,
      behaviour,
    },
    options,
  )
}

/** Fills in the defaults. */
export function resolveGatewayProfile(declared: GatewayProfile, url: string): ResolvedGatewayProfile {
  const { pathname } = new URL(url)
  return {
    ...declared,
    keyLocations: declared.keyLocations ?? [{ in: 'header', name: 'Authorization', scheme: 'Bearer' }],
    routes: declared.routes ?? [{ path: pathname, methods: ['GET', 'POST'] }],
    publicRoutes: declared.publicRoutes ?? [],
    keys: declared.keys ?? [],
    token: declared.token ?? { header: 'Authorization', scheme: 'Bearer' },
    limits: declared.limits ?? [],
    keyPropagationSec: declared.keyPropagationSec ?? 0,
  }
}

/** The keys that are declared, or freshly issued ones; every key that is known is a secret from here on. */
export async function candidatesOf(
  profile: ResolvedGatewayProfile,
  { hooks }: Pick<GatewayTarget, 'hooks'>,
  secrets: Set<string>,
): Promise<readonly ApiKey[]> {
  const declared = [
    ...profile.keys,
    ...(profile.revokedKeys ?? []),
    ...(profile.expiredKeys ?? []),
    ...(profile.disabledKeys ?? []),
    ...(profile.entitlement?.otherKeys ?? []),
    ...(profile.spareKeys ?? []),
    ...(profile.pairOfKeys ?? []),
  ]
  for (const { key } of declared) secrets.add(key)
  if (profile.keys.length > 0 || !hooks.issueKey) return profile.keys
  const issued: ApiKey[] = []
  for (let count = 0; count < ISSUED; count += 1) {
    const made = await hooks.issueKey()
    secrets.add(made.key)
    issued.push(made)
  }
  return issued
}

/** How many consumers the keys are of. */
export function distinct(keys: readonly ApiKey[]): number {
  return new Set(keys.map(({ consumer }) => consumer)).size
}
