import type { IncomingMessage, ServerResponse } from 'node:http'
import type { KeyStore } from './keys.ts'
import { listen } from './listener.ts'

/** A request to the listener that no implementation has a reason to call. */
export interface CanaryHit {
  readonly at: number
  readonly method: string
  readonly path: string
}

/** The second listener: it records, and serves the keys of an attacker to whoever follows a URL of a token. */
export interface CanaryServer extends AsyncDisposable {
  readonly url: string
  /** URL below which hits belong to the scope. */
  readonly urlFor: (scope: string, name: string) => string
  readonly hits: (scope: string) => readonly CanaryHit[]
}

/** Starts the canary on a free port of the host; `name` stands in its URLs. */
export async function startCanary(keys: KeyStore, host: string, name: string): Promise<CanaryServer> {
  const hits: CanaryHit[] = []
  const jwks = (): string => {
    const roles = ['attacker-rsa', 'attacker-ec', 'attacker-ed'] as const
    return JSON.stringify({ keys: roles.map((role) => keys.get(role).jwk) })
  }
  const listener = await listen(host, 0, (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? ''
    hits.push({ at: Date.now(), method: request.method ?? '', path })
    const wellKnown = path.indexOf('/.well-known/openid-configuration')
    const issuer = `${url}${path.slice(0, Math.max(0, wellKnown))}`
    const body = wellKnown < 0 ? jwks() : JSON.stringify({ issuer, jwks_uri: `${issuer}/jwks.json` })
    response.writeHead(200, { 'content-type': 'application/json' }).end(body)
  })
  const url = `http://${name}:${listener.port}`
  return {
    url,
    urlFor: (scope, name) => `${url}/${scope}/${name}`,
    hits: (scope) => hits.filter(({ path }) => path === `/${scope}` || path.startsWith(`/${scope}/`)),
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  }
}
