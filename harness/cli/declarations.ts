import { GATEWAYS, gatewayOf } from '../model/gateways.ts'
import type { GatewayPreset } from '../model/gateways.ts'
import { nearest } from '../model/nearest.ts'
import type { OriginProfile } from '../model/profile.ts'
import { listOf, numberOf, textOf, usage, valuesOf } from './args.ts'
import type { Given } from './args.ts'
import { parseProfile, readProfile } from './profile.ts'

/** Where a key is tried that was given by flag alone. */
const API_KEY_PLACES = {
  headers: [{ name: 'Authorization', scheme: 'Bearer' }, { name: 'Authorization' }, { name: 'X-API-Key' }],
  query: ['api_key', 'apikey'],
} as const

/** The gateway of --profile; ERR_USAGE for a name that is not known. */
export function gatewayNamed(given: Given): GatewayPreset | undefined {
  const name = textOf(given, 'profile')
  const gateway = name === undefined ? undefined : gatewayOf(name)
  if (name !== undefined && !gateway) {
    const isFile = /[./]/u.test(name)
    const names = GATEWAYS.map((one) => one.name)
    throw usage('There is no such gateway', {
      flag: '--profile',
      given: name,
      instead: isFile ? `--profile-file ${name}` : `${nearest(name, names)}, out of ${names.join(', ')}`,
    })
  }
  return gateway
}

/** What an origin declares in the configuration, in the profile file and by flags; the later wins. */
export function declarationsOf(given: Given, configured: OriginProfile = {}): OriginProfile {
  const file = textOf(given, 'profile-file')
  const [apiKey, another] = valuesOf(given, 'api-key')
  if (another !== undefined) {
    throw usage('An origin is tested with one API key', { flag: '--api-key', given: 'several', instead: 'one of them' })
  }
  const jwks = Object.fromEntries(
    Object.entries({
      maxAgeSec: numberOf(given, 'jwks-max-age', 0, 1_000_000),
      cooldownSec: numberOf(given, 'jwks-cooldown', 0, 1_000_000),
      timeoutMs: numberOf(given, 'jwks-timeout', 1, 1_000_000),
    }).filter((member) => member[1] !== undefined),
  )
  const leeway = textOf(given, 'leeway')
  const declared: Readonly<Record<string, unknown>> = {
    algorithms: listOf(given, 'alg'),
    issuer: textOf(given, 'issuer'),
    audience: textOf(given, 'audience'),
    typ: textOf(given, 'typ'),
    leewaySec: leeway === undefined ? undefined : Number(leeway),
    marker: textOf(given, 'marker'),
    identityEcho: textOf(given, 'identity-echo'),
    token: tokenPlaceOf(given),
    plainJwks: given.values['plain-jwks'],
    apiKey: apiKey === undefined ? undefined : { ...API_KEY_PLACES, key: apiKey },
  }
  const flags = Object.fromEntries(Object.entries(declared).filter((member) => member[1] !== undefined))
  const declaredInFile = { ...configured, ...(file === undefined ? {} : readProfile(file)) }
  const both = { ...declaredInFile, ...parseProfile(flags, 'the flags') }
  return Object.keys(jwks).length === 0 ? both : { ...both, jwks: { ...declaredInFile.jwks, ...jwks } }
}

/** Where the token travels, by --header and --scheme. */
export function tokenPlaceOf(given: Given): OriginProfile['token'] {
  const header = textOf(given, 'header')
  const scheme = textOf(given, 'scheme')
  if (header === undefined && scheme === undefined) return undefined
  return { header: header ?? 'Authorization', scheme: scheme ?? 'Bearer' }
}
