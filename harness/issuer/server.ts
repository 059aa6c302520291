import { createPublicKey } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { GATEWAYS } from '../model/gateways.ts'
import type { IssuerPaths } from '../model/gateways.ts'
import type { Json, JsonObject } from '../model/json.ts'
import type { IssuerResponse } from '../model/jwks.ts'
import { startCanary } from './canary.ts'
import type { CanaryServer } from './canary.ts'
import { FAULTS } from './faults.ts'
import type { FaultName } from './faults.ts'
import { createJournal } from './journal.ts'
import type { Endpoint, Journal } from './journal.ts'
import type { KeyStore } from './keys.ts'
import { listen } from './listener.ts'
import { describe, serve } from './responses.ts'

/** What an issuer is started with. */
export interface IssuerOptions {
  readonly keys: KeyStore
  /** 0 takes a free one. */
  readonly port: number
  /** Default: those of the default gateway. */
  readonly paths?: IssuerPaths
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string
  /** Host in its URLs, where clients reach it by another name than it listens on; default: the address. */
  readonly name?: string
  /** The ordinary keys of the JWKS; default: all published ones. */
  readonly jwks?: () => readonly JsonObject[]
}

/** A scripted change of what an endpoint serves, until disposed. */
export interface Scripted extends Disposable {
  /** How often it was served. */
  readonly served: () => number
}

/** JWKS and discovery on a real server, with faults, and a journal of every fetch. */
export interface Issuer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, or with the name that it was given. */
  readonly url: string
  /** `iss` of the tokens, and the base of the endpoints. */
  readonly issuer: string
  readonly jwksUrl: string
  readonly discoveryUrl: string
  readonly journal: Journal
  /** Publishes these keys behind the ordinary ones, in place of those of the last call, and withdraws these kids. */
  readonly publish: (keys: readonly JsonObject[], withdrawn?: readonly string[]) => void
  /** The keys that are published now. */
  readonly published: () => readonly JsonObject[]
  /** Answers the next requests with these, one each. */
  readonly respond: (endpoint: 'jwks' | 'discovery', ...script: readonly IssuerResponse[]) => Scripted
  /** Answers every request with the fault until disposed. */
  readonly fault: (name: FaultName, endpoint?: 'jwks' | 'discovery') => Scripted
  readonly canary: CanaryServer
  /** Serves the same, in the same journal, for an issuer of another name: whoever answers for its host calls this. */
  readonly answerFor: (names: IssuerNames) => RequestListener
}

/** URLs by which an issuer is known. */
export interface IssuerNames {
  readonly issuer: string
  readonly jwksUrl: string
}

/** Paths of an issuer. */
interface Paths {
  readonly jwks: string
  readonly discovery: readonly string[]
}

function pathsOf({ issuer, jwksUrl }: IssuerNames): Paths {
  const base = new URL(issuer).pathname.replace(/\/$/u, '')
  return {
    jwks: new URL(jwksUrl).pathname,
    discovery: [
      `${base}/.well-known/openid-configuration`,
      // RFC 8414 section 3.1 puts the well-known part before the path of the issuer.
      `/.well-known/oauth-authorization-server${base}`,
    ],
  }
}

interface Entry {
  readonly response: IssuerResponse
  readonly script: { served: number }
  /** Answers that are still open: what hangs ends with the script. */
  readonly open: Set<ServerResponse>
}

/** Starts the issuer and its canary; ERR_PORT_IN_USE when the port is taken. */
export async function startIssuer(options: IssuerOptions): Promise<Issuer> {
  const host = options.host ?? '127.0.0.1'
  const name = options.name ?? host
  const paths: IssuerPaths = options.paths ?? GATEWAYS[0].paths
  const journal = createJournal()
  const closing = new AbortController()
  const queues: Record<'jwks' | 'discovery', Entry[]> = { jwks: [], discovery: [] }
  let extra: readonly JsonObject[] = []
  let gone: readonly string[] = []
  let own: IssuerNames = { issuer: '', jwksUrl: '' }

  const published = (): readonly JsonObject[] => {
    const ordinary = options.jwks?.() ?? options.keys.published()
    return [...ordinary.filter(({ kid }) => !gone.some((name) => name === kid)), ...extra]
  }
  const document = (endpoint: Endpoint, names: IssuerNames): Json => {
    if (endpoint === 'jwks') return { keys: published() }
    return metadata(names)
  }

  const handle = (names: IssuerNames, request: IncomingMessage, response: ServerResponse, connection: number): void => {
    const target = request.url ?? ''
    const key = pemAt(target, paths.pem, published())
    const endpoint = key === undefined ? endpointOf(target, pathsOf(names)) : 'jwks'
    const content = document(endpoint, names)
    const next = endpoint === 'other' ? undefined : takeNext(queues[endpoint])
    const answer = next ? scripted(next, canary.url) : (key ?? ordinary(endpoint, request.method ?? ''))
    const what = describe(answer, request, content)
    const headers = pairs(request.rawHeaders)
    journal.add({ at: Date.now(), endpoint, method: request.method ?? '', target, headers, connection, ...what })
    const leave = journal.enter()
    response.once('close', () => {
      leave()
      next?.open.delete(response)
    })
    next?.open.add(response)
    serve(answer, request, response, content, closing.signal).catch(() => {
      // The client has gone, or the issuer is closing: nobody is left to tell.
      response.destroy()
    })
  }

  await using canary = await disposableUnlessKept(startCanary(options.keys, host, name))
  const listener = await listen(host, options.port, (request, response, connection) => {
    handle(own, request, response, connection)
  })
  canary.keep()
  const url = `http://${name}:${listener.port}`
  own = { issuer: `${url}${paths.issuer}`, jwksUrl: `${url}${paths.jwks}` }

  const respond: Issuer['respond'] = (endpoint, ...script) => {
    const counter = { served: 0 }
    const open = new Set<ServerResponse>()
    const entries = script.map((response): Entry => ({ response, script: counter, open }))
    queues[endpoint].push(...entries)
    return {
      served: () => counter.served,
      [Symbol.dispose]() {
        queues[endpoint] = queues[endpoint].filter((entry) => entry.script !== counter)
        for (const response of open) response.destroy()
      },
    }
  }
  return {
    url,
    ...own,
    discoveryUrl: `${own.issuer}/.well-known/openid-configuration`,
    journal,
    publish(keys, withdrawn = []) {
      extra = keys
      gone = withdrawn
    },
    published,
    respond,
    fault: (name, endpoint = 'jwks') => respond(endpoint, { name, sticky: true, ...FAULTS[name] }),
    canary: canary.server,
    answerFor: (names) => (request, response) => {
      handle(names, request, response, 0)
    },
    async [Symbol.asyncDispose]() {
      closing.abort()
      await listener[Symbol.asyncDispose]()
      await canary.server[Symbol.asyncDispose]()
    },
  }
}

/** Closes the canary again where the issuer itself could not start. */
async function disposableUnlessKept(starting: Promise<CanaryServer>) {
  const server = await starting
  let kept = false
  return {
    server,
    url: server.url,
    keep() {
      kept = true
    },
    async [Symbol.asyncDispose]() {
      if (!kept) await server[Symbol.asyncDispose]()
    },
  }
}

/** What OpenID Connect Discovery 1.0 section 3 requires of the metadata, so that strict clients take it. */
function metadata({ issuer, jwksUrl }: IssuerNames): JsonObject {
  return {
    issuer,
    jwks_uri: jwksUrl,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256', 'ES256', 'EdDSA'],
  }
}

function endpointOf(target: string, { jwks, discovery }: Paths): Endpoint {
  const [path = ''] = target.split('?')
  if (path === jwks) return 'jwks'
  return discovery.includes(path) ? 'discovery' : 'other'
}

/** The key that the path names, where the issuer gives each key as PEM under its kid. */
function pemAt(target: string, folder: string | undefined, keys: readonly JsonObject[]): IssuerResponse | undefined {
  const [path = ''] = target.split('?')
  const jwk = folder === undefined ? undefined : keys.find(({ kid }) => path === `${folder}/${String(kid)}`)
  if (!jwk) return undefined
  const body = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString()
  return { name: 'document', body, headers: { 'content-type': 'application/x-pem-file' } }
}

function takeNext(queue: Entry[]): Entry | undefined {
  const [next] = queue
  if (!next) return undefined
  if (!next.response.sticky) queue.shift()
  next.script.served += 1
  return next
}

function scripted({ response }: Entry, canary: string): IssuerResponse {
  return response.redirect === 'canary' ? { ...response, redirect: `${canary}/redirected/jwks.json` } : response
}

function ordinary(endpoint: Endpoint, method: string): IssuerResponse {
  if (endpoint === 'other') return { name: 'not-found', status: 404, body: '{"error":"not found"}' }
  if (!['GET', 'HEAD'].includes(method))
    return { name: 'not-allowed', status: 405, headers: { allow: 'GET, HEAD' }, body: '' }
  return { name: 'document', etag: true }
}

function pairs(raw: readonly string[]): (readonly [string, string])[] {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as const] : []))
}
