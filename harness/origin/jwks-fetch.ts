import { request } from 'undici'
import type { JsonObject } from '../model/json.ts'

/** Where the JWKS is, and how much of it is read. */
export interface Source {
  /** URL of the JWKS, or the issuer whose metadata names it. */
  readonly from: { readonly jwksUrl: string } | { readonly discover: string }
  /** Real time for one request. */
  readonly timeoutMs: number
  readonly maxBytes: number
}

/** One JWKS document as it was served. */
export interface Fetched {
  readonly document: unknown
  readonly etag: string | undefined
  /** max-age of Cache-Control, seconds. */
  readonly maxAgeSec: number | undefined
}

/** Public keys by kid: of each type at most one. */
export type KeyMap = Map<string, readonly JsonObject[]>

/** One GET; redirects are answers like any other. */
export type Ask = (
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
) => Promise<{
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: AsyncIterable<Uint8Array>
}>

/** GET by undici. */
export const ask: Ask = (url, headers, signal) => request(url, { headers, signal })

/** The JWKS from the configured place; rejects for anything but a JSON text of a sensible size with status 200. */
export async function fetchSet(
  source: Source,
  etag: string | undefined,
  by: Ask = ask,
): Promise<Fetched | 'not-modified'> {
  const { from } = source
  const url = 'jwksUrl' in from ? from.jwksUrl : await jwksUriOf(from.discover, source, by)
  return await fetchJson(url, source, etag, by)
}

/** The jwks_uri in the metadata of the issuer, which has to name exactly that issuer (RFC 8414 section 3.3). */
async function jwksUriOf(issuer: string, source: Source, by: Ask): Promise<string> {
  const fetched = await fetchJson(`${issuer}/.well-known/openid-configuration`, source, undefined, by)
  const metadata = fetched === 'not-modified' ? {} : (fetched.document as JsonObject)
  if (metadata['issuer'] !== issuer) throw new Error('The metadata belongs to another issuer')
  return String(metadata['jwks_uri'])
}

async function fetchJson(
  url: string,
  { timeoutMs, maxBytes }: Source,
  etag: string | undefined,
  by: Ask,
): Promise<Fetched | 'not-modified'> {
  const conditional = etag === undefined ? {} : { 'if-none-match': etag }
  const headers = { accept: 'application/json', ...conditional }
  const response = await by(url, headers, AbortSignal.timeout(timeoutMs))
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body) {
    size += chunk.length
    if (size > maxBytes) throw new RangeError('The JWKS is too large')
    chunks.push(chunk)
  }
  if (response.statusCode === 304 && etag !== undefined) return 'not-modified'
  if (response.statusCode !== 200) throw new Error('The issuer did not answer 200')
  const maxAge = /(?:^|,)\s*max-age=(\d+)/iu.exec(String(response.headers['cache-control'] ?? ''))?.[1]
  return {
    document: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))),
    etag: typeof response.headers['etag'] === 'string' ? response.headers['etag'] : undefined,
    maxAgeSec: maxAge === undefined ? undefined : Number(maxAge),
  }
}

/**
 * Public asymmetric keys by kid. Keys of different types may share one (RFC 7517 section 4.5); of two of the same
 * type neither counts, since nobody can say which is meant.
 */
export function keysOf(document: unknown): KeyMap {
  if (typeof document !== 'object' || document === null || !('keys' in document) || !Array.isArray(document.keys)) {
    throw new TypeError('The JWKS has no keys')
  }
  const keys: KeyMap = new Map()
  const all = (document.keys as unknown[]).filter(isUsable)
  for (const jwk of all) {
    const twins = all.filter((one) => one.kid === jwk.kid && one['kty'] === jwk['kty'])
    if (twins.length === 1) keys.set(jwk.kid, [...(keys.get(jwk.kid) ?? []), jwk])
  }
  return keys
}

function isUsable(jwk: unknown): jwk is JsonObject & { readonly kid: string } {
  if (typeof jwk !== 'object' || jwk === null) return false
  const { kid, kty, d } = jwk as JsonObject
  return typeof kid === 'string' && d === undefined && ['RSA', 'EC', 'OKP'].includes(String(kty))
}
