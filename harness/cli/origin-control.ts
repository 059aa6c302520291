import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { request } from 'undici'
import { embeddedKeys } from '../../fixtures/keys/keys.ts'
import { defaultKeyFile, loadKeys } from '../issuer/keyfile.ts'
import type { IssuerNames } from '../issuer/server.ts'
import type { GatewayPreset } from '../model/gateways.ts'
import type { JsonObject } from '../model/json.ts'
import type { Control } from '../runner/options.ts'
import type { Reach } from '../targets/target.ts'
import { numberOf, textOf, usage } from './args.ts'
import type { Given } from './args.ts'

/** How an origin comes to be tested. */
export type OriginKind = 'embedded' | 'url' | 'exec' | 'origin' | 'container'

/** How much can be proven, by the flags; ERR_USAGE for flags that do not fit together. */
export async function controlOf(given: Given, kind: OriginKind, gateway: GatewayPreset | undefined): Promise<Control> {
  const port = numberOf(given, 'issuer-port', 1, 65_535)
  const token = textOf(given, 'token')
  const command = textOf(given, 'token-command')
  const rungs = [
    port === undefined ? '' : '--issuer-port',
    token === undefined ? '' : '--token',
    command === undefined ? '' : '--token-command',
  ]
  const several = rungs.filter((rung) => rung !== '')
  if (several.length > 1) {
    throw usage('More than one way to a valid token is given', { given: several.join(' and '), instead: 'one of them' })
  }
  if (kind === 'embedded') {
    if (several.length > 0) {
      throw usage('The flag needs a target', {
        flag: several.join(''),
        instead: 'the URL of an origin, --origin or --exec beside it',
      })
    }
    return { kind: 'issuer', keys: embeddedKeys(), port: 0 }
  }
  const keys = await loadKeys(defaultKeyFile(process.env))
  const jwksUrl = textOf(given, 'jwks-url')
  const known = knownIssuer(given, kind, gateway)
  if (jwksUrl !== undefined && several.length === 0 && !known) {
    throw usage('The flag does nothing here', {
      flag: '--jwks-url',
      instead: '--jwks-url beside --token-command, or beside --exec and --issuer https://…',
    })
  }
  if (token !== undefined || command !== undefined) {
    const jwks = jwksUrl === undefined ? {} : { jwks: await realKeys(jwksUrl) }
    return {
      kind: 'token',
      keys,
      token: () => (command === undefined ? Promise.resolve(token ?? '') : tokenFrom(command)),
      ...jwks,
    }
  }
  if (port === undefined && kind === 'url') return { kind: 'none', keys }
  return { kind: 'issuer', keys, port: port ?? 0, ...(known ? { known } : {}) }
}

/** How an origin by URL reaches the issuer of the run, where that is not by the loopback address. */
export function reachOf(given: Given): Reach | undefined {
  const name = textOf(given, 'issuer-host')
  if (name === undefined) return undefined
  if (given.values['issuer-port'] === undefined || !/^[\w.-]+$/u.test(name)) {
    throw usage('The host goes with the port of the issuer', {
      flag: '--issuer-host',
      given: name,
      instead: '--issuer-host NAME --issuer-port N',
    })
  }
  return { listen: '0.0.0.0', name }
}

/** The https issuer that an origin has hard-coded, where the run starts it and can answer for the host. */
function knownIssuer(given: Given, kind: OriginKind, gateway: GatewayPreset | undefined): IssuerNames | undefined {
  const issuer = textOf(given, 'issuer')
  if (kind === 'embedded' || kind === 'url') return undefined
  if (issuer === undefined) return gateway?.known
  if (!URL.canParse(issuer) || new URL(issuer).protocol !== 'https:') return undefined
  const jwksUrl = textOf(given, 'jwks-url') ?? `${issuer.replace(/\/$/u, '')}/.well-known/jwks.json`
  return {
    issuer,
    jwksUrl: gateway && textOf(given, 'jwks-url') === undefined ? new URL(gateway.paths.jwks, issuer).href : jwksUrl,
  }
}

/** The keys of a real issuer; ERR_USAGE when there is no JWKS. */
async function realKeys(url: string): Promise<readonly JsonObject[]> {
  try {
    const answer = await request(url, { signal: AbortSignal.timeout(10_000) })
    const { keys } = (await answer.body.json()) as { readonly keys: readonly JsonObject[] }
    if (answer.statusCode === 200 && Array.isArray(keys)) return keys
    throw new TypeError(`Status ${answer.statusCode} without keys`)
  } catch (error) {
    throw usage(
      'The JWKS of the real issuer cannot be had',
      { '--jwks-url': url, instead: 'a URL that answers {"keys": […]}' },
      error,
    )
  }
}

async function tokenFrom(command: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', command], { timeout: 30_000 })
    return stdout
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw usage('The command that prints a token failed', {
      flag: '--token-command',
      exit: code,
      instead: 'a command that prints one JWT and exits with 0',
    })
  }
}
