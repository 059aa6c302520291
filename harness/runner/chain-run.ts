import { requestOf } from '../bench/calls.ts'
import { CHAIN_CONTROL, runChainCase } from '../bench/chain-bench.ts'
import { directRequest } from '../bench/chain-session.ts'
import type { ChainSession } from '../bench/chain-session.ts'
import { answerOf, seen } from '../bench/exchange.ts'
import { Keyring } from '../bench/keyring.ts'
import { Proofs } from '../bench/proofs.ts'
import { createRandom } from '../bench/random.ts'
import { createClient } from '../client/client.ts'
import type { Client } from '../client/client.ts'
import type { ChainOrigin } from '../model/chain-bench.ts'
import { CHAIN_CAPABILITIES } from '../model/chain-bench.ts'
import type { ResolvedGatewayProfile } from '../model/gateway-profile.ts'
import type { Answer } from '../model/http.ts'
import type { OriginProfile } from '../model/profile.ts'
import type { Report } from '../model/result.ts'
import { AsyncDisposableStack } from '../model/stack.ts'
import { startJwksProxy } from '../tap/jwks-proxy.ts'
import { startTap } from '../tap/tap.ts'
import { gatewayTime } from '../targets/gateway-target.ts'
import type { ChainTarget } from '../targets/chain-target.ts'
import { chainCapabilities } from './chain-capabilities.ts'
import type { ChainRunOptions } from './chain-options.ts'
import { chainPreflight } from './chain-preflight.ts'
import { reachGateway } from './gateway-preflight.ts'
import { candidatesOf, distinct, resolveGatewayProfile } from './gateway-run.ts'
import { clockOffset } from './preflight.ts'
import { Budget } from './budget.ts'
import { suitesIn } from './edition.ts'
import { flightOf, gateContext, reportOf } from './results.ts'
import type { Context } from './results.ts'
import { runAll } from './schedule.ts'
import type { Field } from './schedule.ts'
import { plan } from './select.ts'

/**
 * Tests one gateway with the origin behind it: tap and JWKS proxy, target, pre-flight, cases, report. Throws a
 * TrustspecError for what the user has to mend first; whatever the two do is a verdict.
 */
export async function runChain(options: ChainRunOptions): Promise<Report> {
  const started = { at: new Date(), ms: performance.now() }
  const planned = plan(suitesIn(options.suites, options.edition), options.select)
  const budget = new Budget(options.budget)
  const { on, ports = {} } = options
  const time = gatewayTime()
  await using tap = await startTap({ port: ports.tap ?? 0, clock: time })
  await using proxy = await startJwksProxy(ports.jwksProxy)
  on({ type: 'between', tapUrl: tap.url, jwksProxyUrl: proxy.url })
  await using target = await options.start({
    tapUrl: tap.url,
    jwksProxyUrl: proxy.url,
    tapTo: tap.to,
    jwksFrom: proxy.from,
  })
  on({ type: 'target', url: target.url })
  const gateway = resolveGatewayProfile({ ...target.gateway, ...options.gateway }, target.url)
  const origin = resolveChainOrigin({ ...target.origin, ...options.origin }, gateway, target.originUrl)
  await using stack = new AsyncDisposableStack()
  const connectTo = (url: string): Client => stack.use(createClient(new URL(url), options.deadlineMs, budget.take))
  const client = connectTo(target.url)
  const clients = [client, ...(gateway.instances ?? []).map(connectTo)] as const
  const anonymous = await reachGateway(client, gateway, target.url)
  const past = await reachOrigin(target.originUrl, origin, connectTo)
  const offsetSec = past.answer && clockOffset(past.answer, Date.now())
  const clocks = clocksOf(target)
  const wallMs = (): number => Date.now() + (offsetSec ?? 0) * 1000
  if (clocks) time.follow(clocks.gateway)

  const secrets = new Set<string>()
  const candidates = await candidatesOf(gateway, target, secrets)
  const { jwksUrl } = gateway
  const means = {
    gateway,
    origin,
    clients,
    ...past.part,
    ...(target.tapped ? { tap } : {}),
    ...(target.proxied ? { proxy } : {}),
    ...(jwksUrl === undefined ? {} : { keyring: new Keyring(connectTo(jwksUrl), new URL(jwksUrl)) }),
    ...(clocks ? { clocks } : {}),
    gatewayMs: clocks?.gateway.nowMs ?? Date.now,
    originMs: clocks?.origin.nowMs ?? wallMs,
  }
  const found = await chainPreflight(
    {
      ...means,
      candidates,
      nonce: createRandom(options.seed, 'pre-flight').nonce,
      logTail: () => target.logTail?.() ?? [],
      onCheck: (check) => {
        on({ type: 'check', check })
      },
      ...(target.noClock === undefined ? {} : { noClock: target.noClock }),
    },
    anonymous,
  )
  const { clocks: moving, proxy: _, ...known } = means
  const session: ChainSession = {
    ...known,
    // What was not proven tells nothing.
    ...(moving && found.movable ? { clocks: moving } : {}),
    ...(found.proxied ? { proxy } : {}),
    proofs: new Proofs(),
    hooks: target.hooks,
    ...(target.restartOrigin ? { restartOrigin: target.restartOrigin } : {}),
    keys: found.working.length > 0 ? found.working : candidates.slice(0, 1),
    capabilities: chainCapabilities(gateway, origin, {
      given: candidates.length > 0,
      working: distinct(found.working),
      originUrl: target.originUrl !== undefined,
      direct: past.part.direct !== undefined,
      tapped: found.tapped,
      proxied: found.proxied,
      jwks: found.jwks,
      movable: found.movable,
      hooks: target.hooks,
    }),
    believes: found.believes,
    secrets,
    seed: options.seed,
    state: { disturbed: false },
  }
  const context: Context = {
    origin: new URL(target.url).origin,
    capabilities: session.capabilities,
    says: CHAIN_CAPABILITIES,
    ...gateContext(options, target.expected, started.at),
    noKey: 'key',
  }
  const field: Field<'chain'> = {
    controlCase: CHAIN_CONTROL,
    run: (item, attempt) => runChainCase(session, item.suite.id, item.subject, attempt),
    isAlive: async () => {
      const wire = await client.send(requestOf({ key: null }, 'alive', gateway, undefined))
      return wire.failure === undefined
    },
    ...(target.hooks.restart ? { restart: target.hooks.restart } : {}),
  }
  budget.begin()
  const cases = await runAll(planned, field, context, found.cause, { ...options, budget })
  return reportOf(
    {
      subject: 'chain',
      target,
      started,
      seed: options.seed,
      budget,
      expectations: context,
      preflight: flightOf(found, offsetSec),
      capabilities: session.capabilities,
      cases,
      behaviour: [],
    },
    options,
  )
}

function clocksOf({ clocks: { gateway, origin } }: ChainTarget): ChainSession['clocks'] {
  return gateway && origin ? { gateway, origin } : undefined
}

/** The client of the origin, where it answers the run, or why it does not. */
async function reachOrigin(
  url: string | undefined,
  origin: ChainOrigin,
  connectTo: (url: string) => Client,
): Promise<{ readonly part: Pick<ChainSession, 'direct' | 'unreachable'>; readonly answer?: Answer }> {
  if (url === undefined) return { part: {} }
  const client = connectTo(url)
  const answer = answerOf(await client.send(directRequest({}, origin)), origin)
  const base = new URL(url).origin
  if (answer.failure === undefined) return { part: { direct: { client, base } }, answer }
  return { part: { unreachable: `${base}: ${seen(answer)}` } }
}

/** Fills in the defaults: what is not declared of the origin follows from what the gateway forwards. */
function resolveChainOrigin(
  declared: OriginProfile,
  gateway: ResolvedGatewayProfile,
  originUrl: string | undefined,
): ChainOrigin {
  const [first] = gateway.routes
  const url = originUrl === undefined ? undefined : new URL(originUrl)
  const told = url && url.pathname !== '/' ? `${url.pathname}${url.search}` : undefined
  const route = { path: told ?? first.originPath ?? first.path, methods: first.methods }
  return { ...declared, routes: declared.routes ?? [route], token: declared.token ?? gateway.token }
}
