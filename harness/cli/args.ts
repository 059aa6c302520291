import { parseArgs } from 'node:util'
import type { ParseArgsOptionsConfig } from 'node:util'
import { TrustspecError } from '../model/errors.ts'
import { GATEWAYS, gatewayOf } from '../model/gateways.ts'
import type { GatewayPreset } from '../model/gateways.ts'
import type { OriginProfile } from '../model/profile.ts'
import type { Level } from '../model/verdict.ts'
import type { Selection } from '../runner/options.ts'
import { nearest } from '../model/nearest.ts'
import { parseProfile, readProfile } from './profile.ts'

const text = { type: 'string' } as const
const list = { type: 'string', multiple: true } as const
const flag = { type: 'boolean' } as const

/** Flags of each command. */
export const FLAGS = {
  run: {
    origin: text,
    exec: text,
    env: list,
    path: text,
    as: text,
    'i-am-authorised': flag,
    token: text,
    'token-command': text,
    'issuer-port': text,
    profile: text,
    'profile-file': text,
    'jwks-url': text,
    'clock-url': text,
    'no-virtual-time': flag,
    openapi: text,
    'api-key': text,
    'jwks-max-age': text,
    'jwks-cooldown': text,
    'jwks-timeout': text,
    alg: list,
    issuer: text,
    audience: text,
    typ: text,
    leeway: text,
    marker: text,
    'identity-echo': text,
    header: text,
    scheme: text,
    'plain-jwks': flag,
    suite: list,
    case: list,
    level: list,
    behaviour: flag,
    writes: flag,
    strict: flag,
    'allow-inconclusive': flag,
    timeout: text,
    seed: text,
    json: text,
    verbose: flag,
    help: flag,
  },
  list: { suite: list, json: flag, help: flag },
  explain: { help: flag },
  compare: { help: flag },
  issuer: { port: text, audience: text, alg: text, help: flag },
  gateway: {
    project: text,
    openapi: text,
    origin: text,
    audience: text,
    alg: text,
    'requests-per-minute': text,
    'failed-keys': text,
    port: text,
    host: text,
    'public-url': text,
    state: text,
    redis: text,
    memory: flag,
    'key-prefix': text,
    'management-port': text,
    'trusted-proxy': list,
    concurrency: text,
    queue: text,
    'origin-timeout': text,
    'jwks-max-age': text,
    'access-log': text,
    'alert-keys': text,
    'alert-path': text,
    'alert-type': text,
    help: flag,
  },
  keys: {
    consumer: text,
    bucket: text,
    key: text,
    description: text,
    metadata: text,
    expires: text,
    state: text,
    redis: text,
    url: text,
    'key-prefix': text,
    help: flag,
  },
} as const satisfies Record<string, ParseArgsOptionsConfig>

export type Command = keyof typeof FLAGS

/** What was given: flags by name, and the rest. */
export interface Given {
  readonly values: Readonly<Record<string, string | boolean | readonly string[] | undefined>>
  readonly positionals: readonly string[]
}

/** Splits the arguments of a command; ERR_USAGE for an unknown flag or a value that is missing. */
export function readArgs(command: Command, args: readonly string[]): Given {
  const known = Object.keys(FLAGS[command])
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: FLAGS[command], allowPositionals: true })
    return { values: values as Given['values'], positionals }
  } catch (error) {
    const mistyped = /^Unknown option '(-+)([^']+)'/u.exec(error instanceof Error ? error.message : '')
    if (mistyped) {
      throw usage(
        'There is no such flag',
        {
          flag: `${mistyped[1]}${mistyped[2]}`,
          instead: `--${nearest(mistyped[2] ?? '', known)}, or see --help`,
        },
        error,
      )
    }
    const named = /'(?:-\w, )?(--[\w-]+)/u.exec(error instanceof Error ? error.message : '')?.[1] ?? 'a flag'
    const takes = known.find((name) => `--${name}` === named)
    const isFlag = takes !== undefined && (FLAGS[command] as ParseArgsOptionsConfig)[takes]?.type === 'boolean'
    throw usage(
      isFlag ? 'The flag takes no value' : 'The flag needs a value',
      {
        flag: named,
        instead: isFlag ? named : `${named}=VALUE`,
      },
      error,
    )
  }
}

/** An ERR_USAGE. */
export function usage(
  message: string,
  fields: Readonly<Record<string, string | number>>,
  cause?: unknown,
): TrustspecError {
  return new TrustspecError('ERR_USAGE', message, fields, cause === undefined ? {} : { cause })
}

/** The text of a flag, if it was given. */
export function textOf({ values }: Given, name: string): string | undefined {
  const value = values[name]
  return typeof value === 'string' ? value : undefined
}

/** The parts of a flag that may be repeated or hold commas. */
export function listOf({ values }: Given, name: string): readonly string[] | undefined {
  const value = values[name]
  if (!Array.isArray(value)) return undefined
  return (value as readonly string[])
    .flatMap((part) => part.split(','))
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

/** A whole number within bounds; ERR_USAGE otherwise. */
export function numberOf(given: Given, name: string, least: number, most: number): number | undefined {
  const value = textOf(given, name)
  if (value === undefined) return undefined
  const number = Number(value)
  if (value.trim() === '' || !Number.isInteger(number) || number < least || number > most) {
    throw usage('The value is no whole number within the bounds', {
      flag: `--${name}`,
      given: value,
      instead: `a whole number from ${least} to ${most}`,
    })
  }
  return number
}

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

const LEVELS: readonly Level[] = ['MUST', 'SHOULD', 'MAY', 'INFO']

/** The cases that were asked for. */
export function selectionOf(given: Given): Selection {
  const suites = listOf(given, 'suite')
  const cases = listOf(given, 'case')
  const levels = listOf(given, 'level')?.map((name) => {
    const level = LEVELS.find((known) => known === name.toUpperCase())
    if (level === undefined)
      throw usage('There is no such level', { flag: '--level', given: name, instead: LEVELS.join(', ') })
    return level
  })
  return { ...(suites ? { suites } : {}), ...(cases ? { cases } : {}), ...(levels ? { levels } : {}) }
}

/** What is declared in the profile file and by flags; the flags win. */
export function declarationsOf(given: Given): OriginProfile {
  const file = textOf(given, 'profile-file')
  const apiKey = textOf(given, 'api-key')
  const jwks = Object.fromEntries(
    Object.entries({
      maxAgeSec: numberOf(given, 'jwks-max-age', 0, 1_000_000),
      cooldownSec: numberOf(given, 'jwks-cooldown', 0, 1_000_000),
      timeoutMs: numberOf(given, 'jwks-timeout', 1, 1_000_000),
    }).filter((member) => member[1] !== undefined),
  )
  const leeway = textOf(given, 'leeway')
  const header = textOf(given, 'header')
  const scheme = textOf(given, 'scheme')
  const declared: Readonly<Record<string, unknown>> = {
    algorithms: listOf(given, 'alg'),
    issuer: textOf(given, 'issuer'),
    audience: textOf(given, 'audience'),
    typ: textOf(given, 'typ'),
    leewaySec: leeway === undefined ? undefined : Number(leeway),
    marker: textOf(given, 'marker'),
    identityEcho: textOf(given, 'identity-echo'),
    token:
      header === undefined && scheme === undefined
        ? undefined
        : { header: header ?? 'Authorization', scheme: scheme ?? 'Bearer' },
    plainJwks: given.values['plain-jwks'],
    apiKey: apiKey === undefined ? undefined : { ...API_KEY_PLACES, key: apiKey },
  }
  const flags = Object.fromEntries(Object.entries(declared).filter((member) => member[1] !== undefined))
  const declaredInFile = file === undefined ? {} : readProfile(file)
  const both = { ...declaredInFile, ...parseProfile(flags, 'the flags') }
  return Object.keys(jwks).length === 0 ? both : { ...both, jwks: { ...declaredInFile.jwks, ...jwks } }
}
