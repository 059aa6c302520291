import { GATEWAY_MEASUREMENTS } from '../../suites/behaviour/gateway-measurements.ts'
import { GATEWAY_SUITES } from '../../suites/catalog.ts'
import { hookClock } from '../clock/hook.ts'
import { hooksOf, wishesOf } from '../config/hooks.ts'
import type { GatewaySettings } from '../config/settings.ts'
import type { GatewayProfile } from '../model/gateway-profile.ts'
import type { GatewayRunOptions } from '../runner/gateway-options.ts'
import { runGateway } from '../runner/gateway-run.ts'
import type { GatewayTarget, GatewayTargetSettings } from '../targets/gateway-target.ts'
import { assertAllowed } from './address.ts'
import { textOf, usage } from './args.ts'
import type { Given } from './args.ts'
import { flagsOf, TELLING } from './flags.ts'
import { gatewayDeclarations, portsOf, urlGiven } from './gateway-declarations.ts'
import { mendable } from './hooks.ts'
import type { Common, Part, Voice } from './part.ts'

/** A gateway to be tested, however it comes to run. */
interface Subject {
  readonly says: string
  readonly profile: GatewayProfile
  readonly ports: GatewayRunOptions['ports'] & object
  readonly start: (settings: GatewayTargetSettings, voice: Voice) => Promise<GatewayTarget>
}

const NOTHING: GatewaySettings = { profile: {}, hooks: {}, ports: {} }

/** The part of a run that tests a gateway; ERR_USAGE for arguments that do not fit together. */
export async function gatewayPart(given: Given, common: Common, settings = NOTHING): Promise<Part> {
  const subject = await subjectOf(given, settings)
  const { behaviour, ...options } = common
  return {
    subject: 'gateway',
    says: subject.says,
    run: (voice, signal) =>
      mendable(
        runGateway({
          ...options,
          suites: GATEWAY_SUITES,
          measurements: behaviour ? GATEWAY_MEASUREMENTS : [],
          profile: subject.profile,
          ports: subject.ports,
          start: (told) => subject.start(told, voice),
          on(event) {
            if (event.type === 'captures') tell(event, subject.ports, voice)
            voice.progress.on(event)
          },
          signal,
        }),
      ),
  }
}

async function subjectOf(given: Given, settings: GatewaySettings): Promise<Subject> {
  const name = textOf(given, 'gateway')
  const url = urlGiven(given, settings)
  if (name !== undefined && url !== undefined) {
    throw usage('More than one target is given', { given: 'a URL and --gateway', instead: 'one of them' })
  }
  if (url !== undefined) return await urlSubject(given, settings, url)
  const [flag] = [...TELLING, ...flagsOf('gateway')].filter((one) => given.values[one] !== undefined)
  if (flag !== undefined) {
    const target = name === undefined ? 'the URL of a gateway beside it, or leave it out' : 'leave it out'
    throw usage('The flag belongs to the URL of a gateway', { flag: `--${flag}`, instead: target })
  }
  if (name === undefined) {
    if (settings !== NOTHING) {
      throw usage('The configuration has no URL of the gateway', {
        member: 'url',
        instead: '"url", or a URL as argument',
      })
    }
    const { embeddedGateway } = await import('../targets/embedded-gateway.ts')
    return {
      says: 'the embedded reference gateway',
      profile: {},
      ports: {},
      start: (told) => embeddedGateway(told),
    }
  }
  const { gatewayFixture } = await import('../targets/gateway-fixtures.ts')
  await gatewayFixture(name)
  return {
    says: `the bundled gateway ${name}`,
    profile: {},
    ports: {},
    async start(told, { progress }) {
      const { startThirdParty } = await import('../targets/third-party.ts')
      return await startThirdParty(name, told, progress.note)
    },
  }
}

async function urlSubject(given: Given, settings: GatewaySettings, url: URL): Promise<Subject> {
  const profile = gatewayDeclarations(given, settings, process.env)
  const { jwksUrl, discoveryUrl, instances = [] } = profile
  const isAuthorised = given.values['i-am-authorised'] === true
  for (const reached of [url.href, jwksUrl, discoveryUrl, ...instances]) {
    if (reached !== undefined) await assertAllowed(new URL(reached), isAuthorised)
  }
  const clockUrl = textOf(given, 'clock-url') ?? settings.clockUrl
  const ports = portsOf(given, settings)
  const captured = ports.capture !== undefined
  const count = profile.keys?.length ?? 0
  const keys = count === 0 && settings.hooks.issueKey ? 'keys of a hook' : `${count} API key${count === 1 ? '' : 's'}`
  return {
    says: `the gateway at ${url.href}, with ${keys}, ${captured ? 'forwarding to the capture origin of the run' : 'forwarding to an origin of its own'}`,
    profile,
    ports,
    async start(_, { progress }) {
      const { urlGateway } = await import('../targets/url-gateway.ts')
      const clock = clockUrl === undefined ? undefined : await hookClock(clockUrl)
      const nowMs = clock?.nowMs ?? Date.now
      return urlGateway({
        url: url.href,
        captured,
        hooks: hooksOf(settings.hooks, { env: process.env, nowMs, onFailure: progress.note }),
        wishes: wishesOf(settings.hooks.issueKey),
        ...(clock ? { clock } : {}),
      })
    },
  }
}

/** What has to be set at a gateway that is not started by the run. */
function tell(
  { capture, secondCapture, keyListUrl }: GatewayTargetSettings,
  ports: GatewayRunOptions['ports'] & object,
  { print }: Voice,
): void {
  if (ports.capture !== undefined) print(`The origin of the gateway has to be ${capture}\n`)
  if (ports.secondCapture !== undefined) print(`Its second origin has to be ${secondCapture}\n`)
  if (ports.scanner !== undefined) print(`Its list of public keys of the secret scanner has to be ${keyListUrl}\n`)
}
