import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { movableClock } from '../clock/clock.ts'
import { loadProject } from '../gateway/config/project.ts'
import { startGateway } from '../gateway/gateway.ts'
import type { Gateway, GatewayOptions } from '../gateway/gateway.ts'
import type { PolicyKind, Services } from '../gateway/policy.ts'
import { POLICY_KINDS } from '../gateway/policies/registry.ts'
import { builtFile } from '../model/files.ts'
import type { GatewayHooks, KeyWish } from '../model/gateway-bench.ts'
import type { GatewayProject } from '../gateway/settings.ts'
import type { ApiKey, GatewayProfile } from '../model/gateway-profile.ts'
import { AsyncDisposableStack } from '../model/stack.ts'
import { embeddedProfile } from './embedded-gateway-profile.ts'
import type { GatewayTarget, GatewayTargetSettings } from './gateway-target.ts'

/** What is done otherwise than by the reference gateway; made anew for every start, since some of it remembers. */
export interface GatewayFlaw {
  readonly options?: Partial<Pick<GatewayOptions, 'steps' | 'adapt' | 'wrap' | 'limits' | 'times' | 'accessLog'>>
  /** What is made of the project. */
  readonly project?: (project: GatewayProject) => GatewayProject
  /** What it declares otherwise. */
  readonly declares?: (profile: GatewayProfile) => GatewayProfile
  /** Kinds of policies in place of those of the same type. */
  readonly kinds?: readonly PolicyKind[]
  /** What the operator's hooks do otherwise. */
  readonly hooks?: (hooks: GatewayHooks) => Partial<GatewayHooks>
  /** Starts something in front of an instance; the URL that callers then use. */
  readonly front?: (url: string) => Promise<{ readonly url: string } & AsyncDisposable>
  /** Services of the second instance, out of those that it shares with the first. */
  readonly second?: (services: Services) => Services
  /** The second instance shares nothing with the first, or all but the signer. */
  readonly apart?: true | 'signer'
  /** Forgets this part of its state when it is restarted. */
  readonly forgets?: 'all'
}

const PROJECT = fileURLToPath(builtFile('fixtures/gateway-projects/conformance'))

const BUCKET = 'default'
const CREDENTIAL_PREFIX = 'tsk'

const same = <T>(as: T): T => as

/** Stores and signer that can be taken down. */
interface Outages {
  keys: boolean
  limits: boolean
  signer: boolean
}

/** The reference gateway in this process, two instances of it, with a clock that can be moved. */
export async function embeddedGateway(
  settings: GatewayTargetSettings,
  makeFlaw: () => GatewayFlaw = () => ({}),
): Promise<GatewayTarget> {
  await using stack = new AsyncDisposableStack()
  const flaw = makeFlaw()
  const clock = movableClock()
  const logs: string[] = []
  const sink = { write: (text: string) => void logs.push(text) }
  const folder = stack.adopt(await mkdtemp(path.join(os.tmpdir(), 'trustspec-gateway-')), (made) =>
    rm(made, { recursive: true, force: true }),
  )
  const environment = { ORIGIN_URL: settings.capture, SECOND_ORIGIN_URL: settings.secondCapture }
  const kinds = POLICY_KINDS.map((kind) => flaw.kinds?.find(({ type }) => type === kind.type) ?? kind)
  const { project: change = same, declares = same } = flaw
  const project = change(await loadProject(PROJECT, environment, kinds))
  const down: Outages = { keys: false, limits: false, signer: false }
  const { adapt = (services: Services) => services, ...replaced } = flaw.options ?? {}
  const { second = (services: Services) => services } = flaw
  const { profile, limits, times, alerts } = embeddedProfile(settings)
  let generation = 0
  /** What the first instance runs on, for the second to share. */
  let shared: Services | undefined

  const optionsFor = (port: number): GatewayOptions => ({
    project,
    state: { folder: path.join(folder, flaw.forgets === undefined ? 'state' : `state-${(generation += 1)}`) },
    clock,
    host: '127.0.0.1',
    port,
    keyPrefix: CREDENTIAL_PREFIX,
    trustedProxies: [],
    accessLog: sink,
    events: sink,
    alerts,
    ...replaced,
    limits: { ...limits, ...replaced.limits },
    times: { ...times, ...replaced.times },
    adapt(services) {
      shared = adapt(failing(services, down))
      return shared
    },
  })
  const running: { first: Gateway; second?: Gateway } = { first: await startGateway(optionsFor(0)) }
  stack.defer(() => running.first[Symbol.asyncDispose]())
  const startSecond = async (): Promise<Gateway> => {
    const { first } = running
    const { tokens } = first
    const ofFirst = shared
    const isApart = flaw.apart === true || !ofFirst
    return await startGateway({
      ...optionsFor(running.second ? Number(new URL(running.second.url).port) : 0),
      state: { kind: 'memory' },
      publicUrl: first.url,
      wrap: {
        ...(flaw.apart || !tokens ? {} : { tokens: () => tokens }),
        ...(isApart ? {} : { keys: () => first.keys }),
      },
      adapt({ tokens: own, report, ...services }) {
        if (isApart) return { ...services, tokens: own, report }
        return second({ ...ofFirst, report, ...(flaw.apart === 'signer' ? { tokens: own } : {}) })
      },
    })
  }
  running.second = await startSecond()
  stack.defer(() => running.second?.[Symbol.asyncDispose]())
  const front = flaw.front && stack.use(await flaw.front(running.first.url))
  const url = front?.url ?? running.first.url

  const restart = async (): Promise<void> => {
    const port = Number(new URL(running.first.url).port)
    await running.second?.[Symbol.asyncDispose]()
    await running.first[Symbol.asyncDispose]()
    running.first = await startGateway(optionsFor(port))
    running.second = await startSecond()
  }
  const hooks = hooksOf(running, down, logs, clock.nowMs, restart)
  const kept = stack.move()
  return {
    kind: 'embedded',
    url: `${url}/orders`,
    profile: declares({ ...profile(running.first.tokens?.issuer ?? ''), instances: [running.second.url] }),
    expected: [],
    clock,
    captured: true,
    hooks: { ...hooks, ...flaw.hooks?.(hooks) },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** The services with stores and a signer that fail while they are down. */
function failing(services: Services, down: Outages): Services {
  const { keys, limits, tokens } = services
  return {
    ...services,
    keys: { find: keys.find, silentMs: () => (down.keys ? Number.MAX_SAFE_INTEGER : keys.silentMs()) },
    limits: {
      take: (takes) => (down.limits ? Promise.reject(new Error('The store of limits is down')) : limits.take(takes)),
    },
    tokens: tokens && {
      issuer: tokens.issuer,
      lifetimeSec: tokens.lifetimeSec,
      longestLifetimeSec: tokens.longestLifetimeSec,
      generation: () => tokens.generation() + (down.signer ? 1 : 0),
      sign(claims, lifetimeSec) {
        if (down.signer) throw new Error('The signer is down')
        return tokens.sign(claims, lifetimeSec)
      },
    },
  }
}

function hooksOf(
  running: { readonly first: Gateway },
  down: Outages,
  logs: readonly string[],
  nowMs: () => number,
  restart: () => Promise<void>,
): GatewayHooks {
  const ids = new Map<string, string>()
  const outage = (part: keyof Outages) => (): Promise<AsyncDisposable> => {
    down[part] = true
    return Promise.resolve({
      [Symbol.asyncDispose]() {
        down[part] = false
        return Promise.resolve()
      },
    })
  }
  return {
    async issueKey(wish = {}) {
      const { keys } = running.first
      const consumer = wish.like?.consumer ?? `consumer-${randomUUID()}`
      if (!wish.like) await keys.createConsumer(BUCKET, consumer, { metadata: metadataOf(wish) })
      const expiresOn =
        wish.expiresInSec === undefined ? null : new Date(nowMs() + wish.expiresInSec * 1000).toISOString()
      const { key, stored } = await keys.createKey(BUCKET, consumer, { expiresOn })
      if (wish.disabled === true) await keys.updateKey(BUCKET, consumer, stored.id, { disabled: true })
      ids.set(key, stored.id)
      const plan = metadataOf(wish)['plan']
      const identity = { 'X-Consumer-ID': consumer, ...(plan === undefined ? {} : { 'X-Consumer-Plan': plan }) }
      return { key, consumer, subject: consumer, identity } satisfies ApiKey
    },
    async revokeKey({ key, consumer }) {
      await running.first.keys.deleteKey(BUCKET, consumer, ids.get(key) ?? '')
    },
    async rotateSigningKey() {
      await running.first.tokens?.rotate()
    },
    async revokeSigningKey(kid) {
      await running.first.tokens?.revoke(kid)
    },
    restart,
    keyStoreDown: outage('keys'),
    limitStoreDown: outage('limits'),
    signerDown: outage('signer'),
    logs: () => Promise.resolve(logs.join('')),
  }
}

/** Consumers have the plan of the entitled route, unless they are to lack it or any attribute. */
function metadataOf({ unentitled, plain, attribute }: KeyWish): { readonly plan?: string } {
  if (plain === true) return {}
  if (attribute !== undefined) return { plan: attribute }
  return { plan: unentitled === true ? 'silver' : 'gold' }
}
