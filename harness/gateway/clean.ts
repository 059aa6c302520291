import type { Headers } from './headers.ts'

/** Fields of one connection (RFC 9110 section 7.6.1), and those by which proxies mean the same. */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** What a caller could tell of where it is, or of where the request should go instead; the gateway says it itself. */
const FORWARDING: ReadonlySet<string> = new Set([
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-originating-ip',
  'x-remote-ip',
  'x-remote-addr',
  'x-envoy-external-address',
  'x-host',
  'x-override-url',
  'x-rewrite-url',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'true-client-ip',
  'cf-connecting-ip',
  'cf-connecting-ipv6',
  'fastly-client-ip',
  'client-ip',
  'zp-rid',
  'zuplo-request-id',
])

/** Families of such fields. */
const FORWARDING_FAMILIES = /^x-(?:forwarded|original)(?:-|$)/u

/** Fields in which gateways tell origins who called. */
const IDENTITY =
  /^(?:x-consumer(?:-.*)?|x-credential(?:-.*)?|x-anonymous-consumer|x-authenticated-.*|x-auth-request-.*|x-user(?:-(?!agent$).*)?|x-userinfo|x-gateway-.*|x-remote-user|remote-user|x-goog-authenticated-user-.*|x-goog-iap-jwt-assertion|x-pomerium-.*|cf-access-.*|x-amzn-oidc-.*|x-ms-client-principal.*|(?:x-)?(?:ssl|tls)-client-.*|x-client-(?:cert|dn|verify)(?:-.*)?|client-cert(?:-.*)?)$/u

/** What was decided of a name, since it follows from the name alone; bounded, because callers choose names. */
const decided = new Map<string, boolean>()

const MOST_DECIDED = 4_096

/** Letters of a name that is worth keeping: nobody is to fill the memory with names. */
const MOST_LETTERS = 64

function mayCount(name: string): boolean {
  const known = decided.get(name)
  if (known !== undefined) return known
  // An origin may read underscores and dots as dashes: then they spell a field that only the gateway may set.
  const may =
    !/[_.]/u.test(name) &&
    !HOP_BY_HOP.has(name) &&
    !FORWARDING.has(name) &&
    !FORWARDING_FAMILIES.test(name) &&
    !IDENTITY.test(name)
  if (decided.size < MOST_DECIDED && name.length <= MOST_LETTERS) decided.set(name, may)
  return may
}

/**
 * Removes the caller's lines that must not count. `credentials` stay, for the policy that reads them; `managed` are
 * set by policies of this gateway, so that they come from it or not at all.
 */
export function clean(headers: Headers, credentials: ReadonlySet<string>, managed: ReadonlySet<string>): void {
  const named = connectionOptions(headers)
  headers.keep(
    (name) =>
      credentials.has(name) || (mayCount(name) && !managed.has(name) && !(named !== undefined && named.has(name))),
  )
}

/** Names that the Connection lines list; undefined where they list no field. */
export function connectionOptions(headers: Headers): ReadonlySet<string> | undefined {
  if (!headers.has('connection')) return undefined
  const names = headers
    .all('connection')
    .flatMap((line) => line.toLowerCase().split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'close' && name !== 'keep-alive' && name !== 'upgrade')
  return names.length === 0 ? undefined : new Set(names)
}
