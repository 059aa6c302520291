import { randomBytes } from 'node:crypto'
import { createWriteStream, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { request } from 'undici'
import { plainProject } from '../gateway/config/plain.ts'
import { loadProject } from '../gateway/config/project.ts'
import { startGateway } from '../gateway/gateway.ts'
import type { GatewayOptions } from '../gateway/gateway.ts'
import { PREFIX } from '../gateway/keys/format.ts'
import { GATEWAY_ALGORITHMS } from '../gateway/settings.ts'
import type { GatewayProject } from '../gateway/settings.ts'
import type { StatePlace } from '../gateway/state.ts'
import { loadDocument } from '../openapi/document.ts'
import { listOf, numberOf, textOf, usage } from './args.ts'
import type { Given } from './args.ts'

/** Folder in which a gateway keeps its keys, counters and signing keys, where nothing else is said. */
export const DEFAULT_STATE = '.trustspec/gateway'

/** Variable that holds the credential of the management API. */
export const MANAGEMENT_KEY = 'TRUSTSPEC_MANAGEMENT_KEY'

/** Octets of a credential that is made here. */
const CREDENTIAL_OCTETS = 32

/** Where the address of a running gateway's management API stands, for `trustspec keys`. */
export const ADDRESS_FILE = 'management-url'

/** Where the credential stands that was made for it. */
export const CREDENTIAL_FILE = 'management-key'

/** Runs the reference gateway until the signal; prints where it is, and never a credential. */
export async function runGateway(given: Given, print: (line: string) => void, signal: AbortSignal): Promise<void> {
  const project = await projectOf(given)
  const place = placeOf(given)
  const credential = credentialOf(place)
  const options = optionsOf(given, project, place, credential)
  await using gateway = await startGateway(options)
  const { management, tokens } = gateway
  if ('folder' in place && management) writeFileSync(path.join(place.folder, ADDRESS_FILE), `${management.url}\n`)
  print(`gateway     ${gateway.url}`)
  for (const { where, inbound } of project.routes) {
    print(`  ${where.padEnd(34)} ${inbound.length === 0 ? '(no policies: public)' : inbound.join(', ')}`)
  }
  if (tokens) print(`issuer      ${tokens.issuer}`)
  if (management) print(`management  ${management.url}, credential in ${credentialPlace(place)}`)
  print(`state       ${'folder' in place ? place.folder : 'redis' in place ? 'Redis' : 'in memory'}`)
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => {
      resolve()
    })
  })
  await gateway.stop()
}

async function projectOf(given: Given): Promise<GatewayProject> {
  const folder = textOf(given, 'project')
  const source = textOf(given, 'openapi')
  if (given.positionals.length > 0) {
    throw usage('The gateway takes flags alone', {
      given: given.positionals.join(' '),
      instead: '--project FOLDER or --openapi FILE --origin URL',
    })
  }
  if ((folder === undefined) === (source === undefined)) {
    throw usage('The gateway needs its routes from one place', {
      given: folder === undefined ? 'nothing' : '--project and --openapi',
      instead: '--project FOLDER, or --openapi FILE|URL --origin URL',
    })
  }
  if (folder !== undefined) return await loadProject(folder, process.env)
  const origin = textOf(given, 'origin')
  if (origin === undefined || !URL.canParse(origin) || !/^https?:$/u.test(new URL(origin).protocol)) {
    throw usage('The gateway needs the URL of the origin', {
      flag: '--origin',
      given: origin ?? 'nothing',
      instead: 'a URL such as http://127.0.0.1:8888',
    })
  }
  const document = await loadDocument(source ?? '', async (url) => {
    const answer = await request(url, { signal: AbortSignal.timeout(10_000) })
    if (answer.statusCode !== 200) throw new Error(`Status ${answer.statusCode}`)
    return await answer.body.text()
  })
  const name = textOf(given, 'alg') ?? 'EdDSA'
  const algorithm = GATEWAY_ALGORITHMS.find((known) => known === name)
  if (!algorithm) {
    throw usage('The gateway does not sign with this algorithm', {
      flag: '--alg',
      given: name,
      instead: GATEWAY_ALGORITHMS.join(', '),
    })
  }
  const perMinute = numberOf(given, 'requests-per-minute', 0, 1_000_000) ?? 1_000
  const failedKeys = numberOf(given, 'failed-keys', 1, 1_000_000)
  const audience = textOf(given, 'audience')
  return plainProject({
    document,
    origin: new URL(origin),
    algorithm,
    requestsPerMinute: perMinute === 0 ? undefined : perMinute,
    failedKeysPerMinute: failedKeys,
    ...(audience === undefined ? {} : { audience }),
  })
}

/** Where the gateway keeps what it knows. */
export function placeOf(given: Given): StatePlace {
  const redis = textOf(given, 'redis')
  const folder = textOf(given, 'state')
  const several = [
    redis === undefined ? '' : '--redis',
    folder === undefined ? '' : '--state',
    given.values['memory'] === true ? '--memory' : '',
  ].filter((one) => one !== '')
  if (several.length > 1) {
    throw usage('More than one place for the state is given', { given: several.join(' and '), instead: 'one of them' })
  }
  if (redis !== undefined) return { redis }
  if (given.values['memory'] === true) return { kind: 'memory' }
  return { folder: path.resolve(folder ?? DEFAULT_STATE) }
}

/** How API keys begin. */
export function keyPrefixOf(given: Given): string {
  const prefix = textOf(given, 'key-prefix') ?? 'tsk'
  if (PREFIX.test(prefix)) return prefix
  throw usage('Keys cannot begin so', {
    flag: '--key-prefix',
    given: prefix,
    instead: 'small letters and digits, such as tsk or acme_live',
  })
}

/** The credential of the management API: given, kept, or made and kept for its owner alone. */
function credentialOf(place: StatePlace): string | undefined {
  const given = process.env[MANAGEMENT_KEY]
  if (given !== undefined && given !== '') return given
  if (!('folder' in place)) return undefined
  const file = path.join(place.folder, CREDENTIAL_FILE)
  if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  const made = randomBytes(CREDENTIAL_OCTETS).toString('base64url')
  mkdirSync(place.folder, { recursive: true, mode: 0o700 })
  writeFileSync(file, `${made}\n`, { mode: 0o600 })
  return made
}

function credentialPlace(place: StatePlace): string {
  const isGiven = (process.env[MANAGEMENT_KEY] ?? '') !== ''
  return isGiven || !('folder' in place) ? MANAGEMENT_KEY : path.join(place.folder, CREDENTIAL_FILE)
}

function optionsOf(
  given: Given,
  project: GatewayProject,
  state: StatePlace,
  credential: string | undefined,
): GatewayOptions {
  const host = textOf(given, 'host') ?? '127.0.0.1'
  const publicUrl = textOf(given, 'public-url')
  if (publicUrl !== undefined && !URL.canParse(publicUrl)) {
    throw usage('The public URL is none', {
      flag: '--public-url',
      given: publicUrl,
      instead: 'https://api.example.com',
    })
  }
  const keyPrefix = keyPrefixOf(given)
  const concurrency = numberOf(given, 'concurrency', 1, 100_000)
  const queue = numberOf(given, 'queue', 0, 100_000)
  const timeout = numberOf(given, 'origin-timeout', 1, 3_600)
  const maxAgeSec = numberOf(given, 'jwks-max-age', 1, 86_400)
  const keyListUrl = textOf(given, 'alert-keys')
  const managementPort = numberOf(given, 'management-port', 0, 65_535) ?? 0
  return {
    project,
    state,
    clock: { nowMs: Date.now },
    host,
    port: numberOf(given, 'port', 0, 65_535) ?? 0,
    ...(publicUrl === undefined ? {} : { publicUrl }),
    keyPrefix,
    limits: {
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(queue === undefined ? {} : { queue }),
      ...(timeout === undefined ? {} : { answerMs: timeout * 1000 }),
    },
    ...(maxAgeSec === undefined ? {} : { times: { maxAgeSec } }),
    trustedProxies: listOf(given, 'trusted-proxy') ?? [],
    ...accessLogOf(textOf(given, 'access-log') ?? '-'),
    events: process.stderr,
    ...(credential === undefined ? {} : { management: { port: managementPort, host: '127.0.0.1', credential } }),
    ...(keyListUrl === undefined
      ? {}
      : {
          alerts: {
            path: textOf(given, 'alert-path') ?? '/__zuplo/secret-scanning',
            keyListUrl,
            type: textOf(given, 'alert-type') ?? `${keyPrefix}_api_key`,
          },
        }),
  }
}

function accessLogOf(where: string): Pick<GatewayOptions, 'accessLog'> {
  if (where === 'off') return {}
  return { accessLog: where === '-' ? process.stdout : createWriteStream(where, { flags: 'a' }) }
}
