import { ConfigurationError } from './mistakes.ts'
import { nearest } from '../model/nearest.ts'
import type { GatewayProfile } from '../model/gateway-profile.ts'
import type { OriginProfile } from '../model/profile.ts'
import { CONFIG_SHAPES } from './config-shape.ts'
import type { Config, GatewayConfig, OriginConfig } from './define.ts'
import type { GateConfig } from './gate-shape.ts'
import type { HooksConfig } from './hooks-config.ts'
import { keysOf } from './keys.ts'
import { isObject, told } from './values.ts'
import type { Mistake } from './shape.ts'

/** A gateway as its configuration has it, checked. */
export interface GatewaySettings {
  readonly url?: string
  readonly profile: GatewayProfile
  readonly hooks: HooksConfig
  readonly ports: { readonly capture?: number; readonly secondCapture?: number; readonly scanner?: number }
  readonly clockUrl?: string
}

/** An origin as its configuration has it, checked. */
export interface OriginSettings {
  readonly url?: string
  readonly profile: OriginProfile
  readonly issuerPort?: number
  readonly tokenCommand?: string
  readonly clockUrl?: string
  readonly exec?: string
  readonly path?: string
}

/** What a configuration says, by what is under test. */
export type Settings = { readonly gate: GateConfig } & (
  | { readonly subject: 'gateway'; readonly gateway: GatewaySettings }
  | { readonly subject: 'origin'; readonly origin: OriginSettings }
  | {
      readonly subject: 'chain'
      readonly gateway: GatewaySettings
      readonly origin: OriginSettings
      readonly tapPort?: number
      readonly jwksProxyPort?: number
    }
)

const SUBJECTS = ['gateway', 'origin', 'chain'] as const

/** Checks a configuration; `where` is its file. Throws ERR_PROFILE_INVALID with a sentence for each mistake. */
export function settingsOf(value: unknown, where: string, env: NodeJS.ProcessEnv): Settings {
  const subject = isObject(value) ? SUBJECTS.find((one) => one === value['subject']) : undefined
  if (!subject) throw new ConfigurationError('The configuration is wrong', where, [withoutSubject(value)])
  const mistakes = CONFIG_SHAPES[subject].check(value, '')
  if (mistakes.length > 0) throw new ConfigurationError('The configuration is wrong', where, mistakes)
  const { edition, baseline, failOn, ...config } = value as Config
  const gate = defined({ edition, baseline, failOn })
  const found: Mistake[] = []
  const gateway = (one: GatewayConfig, at: string): GatewaySettings => {
    const { keys, mistakes: ofKeys } = keysOf(one, env)
    found.push(...[...ofKeys, ...contradictions(one)].map((mistake) => ({ ...mistake, member: at + mistake.member })))
    return gatewaySettings(one, keys)
  }
  if (config.subject === 'origin') found.push(...startedAndReached(config))
  const settings: Settings =
    config.subject === 'chain'
      ? {
          subject: 'chain',
          gate,
          gateway: gateway(config.gateway, 'gateway.'),
          origin: originSettings(config.origin),
          ...defined({ tapPort: config.tapPort, jwksProxyPort: config.jwksProxyPort }),
        }
      : config.subject === 'gateway'
        ? { subject: 'gateway', gate, gateway: gateway(config, '') }
        : { subject: 'origin', gate, origin: originSettings(config) }
  if (found.length > 0) throw new ConfigurationError('The configuration is wrong', where, found)
  return settings
}

function withoutSubject(value: unknown): Mistake {
  if (!isObject(value))
    return { member: 'the whole', given: told(value), instead: 'an object, such as defineGateway({ … }) makes' }
  const { subject } = value
  const likely = typeof subject === 'string' ? `"${nearest(subject, SUBJECTS)}", ` : ''
  return {
    member: 'subject',
    given: told(subject, true),
    instead: `${likely}one of "gateway", "origin" and "chain", or defineGateway, defineOrigin or defineChain around it`,
  }
}

/** What every member permits by itself, and all of them together do not. */
function contradictions({
  routes,
  limits = [],
  quota,
  authFailures,
  secondCapturePort,
  capturePort,
}: GatewayConfig): readonly Mistake[] {
  const plain = new Set((routes ?? []).map(({ path }) => path))
  const usedUp = [
    ...limits.map(({ route }, at) => [`limits[${at}].route.path`, route.path] as const),
    ...(quota ? [['quota.route.path', quota.route.path] as const] : []),
    ...(authFailures?.route ? [['authFailures.route.path', authFailures.route.path] as const] : []),
  ]
  return [
    ...usedUp
      .filter(([, path]) => plain.has(path))
      .map(([member, path]) => ({
        member,
        given: JSON.stringify(path),
        instead: 'a path that is not in "routes", since the limit is used up there',
      })),
    ...(secondCapturePort !== undefined && secondCapturePort === capturePort
      ? [{ member: 'secondCapturePort', given: String(secondCapturePort), instead: 'another port than capturePort' }]
      : []),
  ]
}

/** An origin is started, or it is reached by URL. */
function startedAndReached({ url, exec, path, clockUrl }: OriginConfig): readonly Mistake[] {
  if (exec !== undefined) {
    const both = url !== undefined ? 'url' : clockUrl !== undefined ? 'clockUrl' : undefined
    return both === undefined ? [] : [{ member: both, given: 'beside "exec"', instead: 'one of them' }]
  }
  return path === undefined ? [] : [{ member: 'path', given: JSON.stringify(path), instead: '"exec" beside it' }]
}

function gatewaySettings(config: GatewayConfig, keys: Partial<GatewayProfile>): GatewaySettings {
  const { $schema: _, url, hooks = {}, capturePort, secondCapturePort, scannerPort, clockUrl, ...rest } = config
  const { subject: __, ...profile } = rest as typeof rest & { readonly subject?: string }
  return {
    profile: { ...(defined(profile) as GatewayProfile), ...keys },
    hooks: defined(hooks),
    ports: defined({ capture: capturePort, secondCapture: secondCapturePort, scanner: scannerPort }),
    ...defined({ url, clockUrl }),
  }
}

function originSettings(config: OriginConfig): OriginSettings {
  const { $schema: _, url, issuerPort, tokenCommand, clockUrl, exec, path, ...rest } = config
  const { subject: __, ...profile } = rest as typeof rest & { readonly subject?: string }
  return { profile: defined(profile), ...defined({ url, issuerPort, tokenCommand, clockUrl, exec, path }) }
}

/** The members that are there. */
function defined<T extends object>(members: T): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter((member) => member[1] !== undefined)) as {
    readonly [K in keyof T]?: Exclude<T[K], undefined>
  }
}
