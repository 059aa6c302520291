import { request } from 'undici'
import type { Clock } from '../clock/clock.ts'
import type { JsonObject } from '../model/json.ts'

/** How the JWKS is kept. Times in seconds by the clock of the origin, unless the name says otherwise. */
export interface JwksClientOptions {
  readonly url: string
  readonly clock: Clock
  /** Age at which the set is fetched again before it is used; a removed key dies here at the latest. */
  readonly maxAgeSec: number
  /** Shortest time between two fetches that an unknown kid or a failure causes. */
  readonly cooldownSec: number
  /** How long beyond its age a set serves while it cannot be fetched. */
  readonly staleSec: number
  /** Real time for one fetch. */
  readonly timeoutMs: number
  readonly maxBytes: number
}

/** What a kid stands for now. */
export type Lookup =
  | { readonly kind: 'found'; readonly jwk: JsonObject }
  | { readonly kind: 'unknown' }
  /** No set can be had: the token may be as good as any. */
  | { readonly kind: 'unavailable' }

/** The keys of the issuer, as fresh as declared, with at most one fetch at a time. */
export interface JwksClient {
  readonly find: (kid: string) => Promise<Lookup>
  /** The set that is held, for diagnosis. */
  readonly held: () => readonly JsonObject[]
}

/** A client that has not fetched anything yet. */
export function createJwksClient(options: JwksClientOptions): JwksClient {
  const { clock, maxAgeSec, cooldownSec, staleSec } = options
  const nowSec = (): number => clock.nowMs() / 1000
  let keys = new Map<string, JsonObject>()
  let fetchedAt = Number.NEGATIVE_INFINITY
  let triedAt = Number.NEGATIVE_INFINITY
  let flight: Promise<void> | undefined

  const refresh = (): Promise<void> => {
    flight ??= (async () => {
      triedAt = nowSec()
      try {
        keys = keysOf(await fetchSet(options))
        fetchedAt = nowSec()
      } catch {
        // The set that is held goes on serving within its stale window; find() decides.
      } finally {
        flight = undefined
      }
    })()
    return flight
  }
  const age = (): number => nowSec() - fetchedAt
  const mayTry = (): boolean => flight !== undefined || nowSec() - triedAt >= cooldownSec

  return {
    held: () => [...keys.values()],
    async find(kid) {
      if (age() >= maxAgeSec && (fetchedAt === Number.NEGATIVE_INFINITY || mayTry())) await refresh()
      if (age() >= maxAgeSec + staleSec) return { kind: 'unavailable' }
      if (!keys.has(kid) && mayTry()) await refresh()
      const jwk = keys.get(kid)
      return jwk ? { kind: 'found', jwk } : { kind: 'unknown' }
    },
  }
}

async function fetchSet({ url, timeoutMs, maxBytes }: JwksClientOptions): Promise<unknown> {
  const response = await request(url, {
    headers: { accept: 'application/json' },
    signal: AbortSignal.timeout(timeoutMs),
  })
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > maxBytes) throw new RangeError('The JWKS is too large')
    chunks.push(chunk)
  }
  if (response.statusCode !== 200) throw new Error('The JWKS endpoint did not answer 200')
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)))
}

/** Public asymmetric keys by kid. Of two keys with one kid neither counts: nobody can say which is meant. */
function keysOf(document: unknown): Map<string, JsonObject> {
  if (typeof document !== 'object' || document === null || !('keys' in document) || !Array.isArray(document.keys)) {
    throw new TypeError('The JWKS has no keys')
  }
  const keys = new Map<string, JsonObject>()
  const twice = new Set<string>()
  for (const jwk of document.keys as unknown[]) {
    if (typeof jwk !== 'object' || jwk === null) continue
    const { kid, kty, d } = jwk as JsonObject
    if (typeof kid !== 'string' || d !== undefined || !['RSA', 'EC', 'OKP'].includes(String(kty))) continue
    if (keys.has(kid)) twice.add(kid)
    keys.set(kid, jwk as JsonObject)
  }
  for (const kid of twice) keys.delete(kid)
  return keys
}
