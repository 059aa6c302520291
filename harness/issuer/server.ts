import type { IncomingMessage, ServerResponse } from 'node:http'
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
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string
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
  /** `http://127.0.0.1:PORT` */
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
}

const ISSUER_PATH = '/issuer'
const JWKS_PATH = `${ISSUER_PATH}/.well-known/jwks.json`
const DISCOVERY_PATHS = [
  `${ISSUER_PATH}/.well-known/openid-configuration`,
  // RFC 8414 section 3.1 puts the well-known part before the path of the issuer.
  `/.well-known/oauth-authorization-server${ISSUER_PATH}`,
]

interface Entry {
  readonly response: IssuerResponse
  readonly script: { served: number }
  /** Answers that are still open: what hangs ends with the script. */
  readonly open: Set<ServerResponse>
}

/** Starts the issuer and its canary; ERR_PORT_IN_USE when the port is taken. */
export async function startIssuer(options: IssuerOptions): Promise<Issuer> {
  const host = options.host ?? '127.0.0.1'
  const journal = createJournal()
  const closing = new AbortController()
  const queues: Record<'jwks' | 'discovery', Entry[]> = { jwks: [], discovery: [] }
  let extra: readonly JsonObject[] = []
  let gone: readonly string[] = []
  let url = ''

  const published = (): readonly JsonObject[] => {
    const ordinary = options.jwks?.() ?? options.keys.published()
    return [...ordinary.filter(({ kid }) => !gone.some((name) => name === kid)), ...extra]
  }
  const document = (endpoint: Endpoint): Json => {
    if (endpoint === 'jwks') return { keys: published() }
    return metadata(`${url}${ISSUER_PATH}`, `${url}${JWKS_PATH}`)
  }

  const handle = (request: IncomingMessage, response: ServerResponse, connection: number): void => {
    const target = request.url ?? ''
    const endpoint = endpointOf(target)
    const next = endpoint === 'other' ? undefined : takeNext(queues[endpoint])
    const answer = next ? scripted(next, canary.url) : ordinary(endpoint, request.method ?? '')
    const what = describe(answer, request, document(endpoint))
    const headers = pairs(request.rawHeaders)
    journal.add({ at: Date.now(), endpoint, method: request.method ?? '', target, headers, connection, ...what })
    const leave = journal.enter()
    response.once('close', () => {
      leave()
      next?.open.delete(response)
    })
    next?.open.add(response)
    serve(answer, request, response, document(endpoint), closing.signal).catch(() => {
      // The client has gone, or the issuer is closing: nobody is left to tell.
      response.destroy()
    })
  }

  await using canary = await disposableUnlessKept(startCanary(options.keys, host))
  const listener = await listen(host, options.port, handle)
  canary.keep()
  url = `http://${host}:${listener.port}`

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
    issuer: `${url}${ISSUER_PATH}`,
    jwksUrl: `${url}${JWKS_PATH}`,
    discoveryUrl: `${url}${DISCOVERY_PATHS[0] ?? ''}`,
    journal,
    publish(keys, withdrawn = []) {
      extra = keys
      gone = withdrawn
    },
    published,
    respond,
    fault: (name, endpoint = 'jwks') => respond(endpoint, { name, sticky: true, ...FAULTS[name] }),
    canary: canary.server,
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
function metadata(issuer: string, jwksUri: string): JsonObject {
  return {
    issuer,
    jwks_uri: jwksUri,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256', 'ES256', 'EdDSA'],
  }
}

function endpointOf(target: string): Endpoint {
  const [path = ''] = target.split('?')
  if (path === JWKS_PATH) return 'jwks'
  return DISCOVERY_PATHS.includes(path) ? 'discovery' : 'other'
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
