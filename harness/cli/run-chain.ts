import { CHAIN_SUITES } from '../../suites/catalog.ts'
import { hookClock } from '../clock/hook.ts'
import { hooksOf } from '../config/hooks.ts'
import type { GatewaySettings, OriginSettings } from '../config/settings.ts'
import type { GatewayProfile } from '../model/gateway-profile.ts'
import type { OriginProfile } from '../model/profile.ts'
import type { ChainRunOptions } from '../runner/chain-options.ts'
import { runChain } from '../runner/chain-run.ts'
import type { ChainTarget, ChainTargetSettings } from '../targets/chain-target.ts'
import { assertAllowed } from './address.ts'
import { numberOf, textOf, urlOf, usage } from './args.ts'
import type { Given } from './args.ts'
import { flagsOf, TELLING } from './flags.ts'
import { gatewayDeclarations, urlGiven } from './gateway-declarations.ts'
import { mendable } from './hooks.ts'
import type { Common, Part, Voice } from './part.ts'

/** What the configuration of a chain says. */
interface ChainSettings {
  readonly gateway: GatewaySettings
  readonly origin: OriginSettings
  readonly tapPort?: number
  readonly jwksProxyPort?: number
}

interface Subject {
  readonly says: string
  readonly gateway: GatewayProfile
  readonly origin: OriginProfile
  readonly ports: ChainRunOptions['ports'] & object
  readonly start: (settings: ChainTargetSettings, voice: Voice) => Promise<ChainTarget>
}

const NOTHING: ChainSettings = { gateway: { profile: {}, hooks: {}, ports: {} }, origin: { profile: {} } }

/** The part of a run that tests a gateway with its origin; ERR_USAGE for arguments that do not fit together. */
export async function chainPart(given: Given, common: Common, settings = NOTHING): Promise<Part> {
  const subject = await subjectOf(given, settings)
  const { behaviour: _, ...options } = common
  const { gateway, origin, ports } = subject
  return {
    subject: 'chain',
    says: subject.says,
    run: (voice, signal) =>
      mendable(
        runChain({
          ...options,
          suites: CHAIN_SUITES,
          gateway,
          origin,
          ports,
          start: (told) => subject.start(told, voice),
          on(event) {
            if (event.type === 'between' && ports.tap !== undefined) {
              voice.print(`The origin of the gateway has to be ${event.tapUrl}\n`)
            }
            if (event.type === 'between' && ports.jwksProxy !== undefined) {
              voice.print(`The origin has to fetch the JWKS at ${event.jwksProxyUrl}, under its own path\n`)
            }
            voice.progress.on(event)
          },
          signal,
        }),
      ),
  }
}

async function subjectOf(given: Given, settings: ChainSettings): Promise<Subject> {
  const url = urlGiven(given, settings.gateway)
  if (url !== undefined) return await urlSubject(given, settings, url)
  const [flag] = [...TELLING, ...flagsOf('chain')].filter((one) => given.values[one] !== undefined)
  if (flag !== undefined || settings !== NOTHING) {
    throw usage('The URL of the gateway is missing', {
      ...(flag === undefined ? { member: 'gateway.url' } : { flag: `--${flag}` }),
      instead: 'the URL of a route of the gateway beside it',
    })
  }
  const { embeddedChain } = await import('../targets/embedded-chain.ts')
  return {
    says: 'the embedded reference gateway with the embedded reference origin behind it',
    gateway: {},
    origin: {},
    ports: {},
    start: (told) => embeddedChain(told),
  }
}

async function urlSubject(given: Given, settings: ChainSettings, url: URL): Promise<Subject> {
  const gateway = gatewayDeclarations(given, settings.gateway, process.env)
  const echo = textOf(given, 'identity-echo')
  const origin = { ...settings.origin.profile, ...(echo === undefined ? {} : { identityEcho: echo }) }
  const originText = textOf(given, 'origin-url') ?? settings.origin.url
  const originUrl =
    originText === undefined ? undefined : urlOf(originText, 'The origin', 'what the origin needs without it').href
  const tap = numberOf(given, 'tap-port', 1, 65_535) ?? settings.tapPort
  const jwksProxy = numberOf(given, 'jwks-proxy-port', 1, 65_535) ?? settings.jwksProxyPort
  if (tap !== undefined && originUrl === undefined) {
    throw usage('The tap has to know the origin', { flag: '--tap-port', instead: '--origin-url URL beside it' })
  }
  if (jwksProxy !== undefined && gateway.jwksUrl === undefined) {
    throw usage('The proxy has to know the JWKS', { flag: '--jwks-proxy-port', instead: '--jwks-url URL beside it' })
  }
  const isAuthorised = given.values['i-am-authorised'] === true
  for (const reached of [url.href, originUrl, gateway.jwksUrl, ...(gateway.instances ?? [])]) {
    if (reached !== undefined) await assertAllowed(new URL(reached), isAuthorised)
  }
  const clockUrl = textOf(given, 'clock-url') ?? settings.gateway.clockUrl
  return {
    says: `the gateway at ${url.href} with ${originUrl === undefined ? 'its origin' : `the origin at ${originUrl}`}`,
    gateway,
    origin,
    ports: { ...(tap === undefined ? {} : { tap }), ...(jwksProxy === undefined ? {} : { jwksProxy }) },
    async start(told, { progress }) {
      const { urlChain } = await import('../targets/chain-target.ts')
      const gatewayClock = clockUrl === undefined ? undefined : await hookClock(clockUrl)
      const originClock = settings.origin.clockUrl === undefined ? undefined : await hookClock(settings.origin.clockUrl)
      const nowMs = gatewayClock?.nowMs ?? Date.now
      return urlChain(
        {
          url: url.href,
          ...(originUrl === undefined ? {} : { originUrl }),
          gateway,
          origin,
          clocks: {
            ...(gatewayClock ? { gateway: gatewayClock } : {}),
            ...(originClock ? { origin: originClock } : {}),
          },
          hooks: hooksOf(settings.gateway.hooks, { env: process.env, nowMs, onFailure: progress.note }),
          tapped: tap !== undefined,
          proxied: jwksProxy !== undefined,
        },
        told,
      )
    },
  }
}
