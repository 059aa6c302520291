import { GATEWAY_MEMBERS } from '../config/gateway-shape.ts'
import { ConfigurationError } from '../config/mistakes.ts'
import type { GatewaySettings } from '../config/settings.ts'
import { objectOf } from '../config/shape.ts'
import type { GatewayProfile } from '../model/gateway-profile.ts'
import type { GatewayRunOptions } from '../runner/gateway-options.ts'
import { listOf, numberOf, textOf, urlOf, usage } from './args.ts'
import type { Given } from './args.ts'
import { tokenPlaceOf } from './declarations.ts'
import { keysGiven, locationsGiven } from './given-keys.ts'

const SHAPE = objectOf(GATEWAY_MEMBERS, 'an object')

/** URL of the gateway under test: the argument, or that of the configuration. */
export function urlGiven(given: Given, settings: GatewaySettings): URL | undefined {
  const [text, ...more] = given.positionals
  if (more.length > 0) {
    throw usage('One URL is tested at a time', { given: more.join(' '), instead: 'run it once for each URL' })
  }
  const url = text ?? (given.values['gateway'] === undefined ? settings.url : undefined)
  return url === undefined ? undefined : urlOf(url, 'The target', 'the key in TRUSTSPEC_API_KEY')
}

/** What a gateway declares in the configuration and by flags; the flags win. */
export function gatewayDeclarations(
  given: Given,
  { profile }: GatewaySettings,
  env: NodeJS.ProcessEnv,
): GatewayProfile {
  const declared = {
    ...keysGiven(given, profile, env),
    keyLocations: locationsGiven(given),
    algorithms: listOf(given, 'alg'),
    issuer: textOf(given, 'issuer'),
    audience: textOf(given, 'audience'),
    typ: textOf(given, 'typ'),
    jwksUrl: textOf(given, 'jwks-url'),
    marker: textOf(given, 'marker'),
    token: tokenPlaceOf(given),
  }
  const flags = Object.fromEntries(Object.entries(declared).filter((member) => member[1] !== undefined))
  const mistakes = SHAPE.check(flags, '')
  if (mistakes.length > 0) throw new ConfigurationError('The profile is wrong', 'the flags', mistakes)
  return { ...profile, ...flags }
}

/** Ports on which the run plays what the gateway has to reach. */
export function portsOf(given: Given, { ports }: GatewaySettings): GatewayRunOptions['ports'] & object {
  const capture = numberOf(given, 'capture-port', 1, 65_535) ?? ports.capture
  const secondCapture = numberOf(given, 'second-capture-port', 1, 65_535) ?? ports.secondCapture
  const scanner = numberOf(given, 'scanner-port', 1, 65_535) ?? ports.scanner
  if (secondCapture !== undefined && capture === undefined) {
    throw usage('The second origin needs the first one', {
      flag: '--second-capture-port',
      instead: '--capture-port N beside it',
    })
  }
  return {
    ...(capture === undefined ? {} : { capture }),
    ...(secondCapture === undefined ? {} : { secondCapture }),
    ...(scanner === undefined ? {} : { scanner }),
  }
}
