import type { Capture } from '../capture/server.ts'
import type { Client } from '../client/client.ts'
import type { MovableClock } from '../clock/clock.ts'
import type { Arrival } from '../model/capture.ts'
import type { GatewayCapability } from '../model/gateway-capabilities.ts'
import type { GatewayHooks } from '../model/gateway-bench.ts'
import type { ApiKey, GatewayRoute, ResolvedGatewayProfile } from '../model/gateway-profile.ts'
import type { Answer } from '../model/http.ts'
import type { Scanner } from '../scanner/scanner.ts'
import type { Keyring } from './keyring.ts'
import type { Proofs } from './proofs.ts'

/** What all cases of a run against a gateway share. */
export interface GatewaySession {
  readonly profile: ResolvedGatewayProfile
  /** What requests to the gateway name as their Host. */
  readonly host: string
  /** One for each instance, the one under test first. */
  readonly clients: readonly [Client, ...Client[]]
  /** For documents of the gateway, wherever they are; each fetch on a connection of its own. */
  readonly clientFor: (url: URL) => Client
  /** Absent where the gateway forwards elsewhere. */
  readonly captures?: { readonly first: Capture; readonly second: Capture }
  /** The gateway's clock, where it can be moved. */
  readonly clock?: MovableClock
  /** Milliseconds since the epoch at the gateway. */
  readonly nowMs: () => number
  readonly hooks: Partial<GatewayHooks>
  /** Keys of different consumers that worked in the pre-flight, the main one first. */
  readonly keys: readonly ApiKey[]
  readonly scanner?: Scanner
  readonly capabilities: ReadonlySet<GatewayCapability>
  /** Keys that were published in the run, by when. */
  readonly keyring: Keyring
  readonly proofs: Proofs
  /** Every key of the run, for redaction; grows. */
  readonly secrets: Set<string>
  readonly answers: { readonly caseId: string; readonly stimulus: string; readonly answer: Answer }[]
  /** Spare keys that were taken. */
  readonly spares: { taken: number }
  readonly seed: number
}

/** Path at the origin of a captured request as RFC 3986 section 6.2.2 normalises it, without its query. */
export function normalPath(target: string): string {
  const raw = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/iu, '').replace(/[?#].*$/su, '')
  const decoded = raw.replaceAll(/%([0-9a-f]{2})/giu, (whole, hex: string) => {
    const character = String.fromCodePoint(Number.parseInt(hex, 16))
    return /[\w.~-]/u.test(character) ? character : whole.toUpperCase()
  })
  const kept: string[] = []
  const segments = decoded.split('/').slice(1)
  for (const [at, segment] of segments.entries()) {
    if (segment === '..') kept.pop()
    // What ends in a segment of dots ends in a slash (RFC 3986 section 5.2.4).
    if (segment !== '..' && segment !== '.') kept.push(segment)
    else if (at === segments.length - 1) kept.push('')
  }
  return `/${kept.join('/')}`
}

/** Every declared route that needs a key. */
function guardedRoutes(profile: ResolvedGatewayProfile): readonly GatewayRoute[] {
  const { routes, limits, entitlement, quota, concurrency, authFailures } = profile
  const others = [entitlement?.route, quota?.route, concurrency?.route, authFailures?.route]
  return [...routes, ...limits.map(({ route }) => route), ...others.flatMap((route) => route ?? [])]
}

/** Whether a request reached an origin on a path that needs a key. */
export function isProtected({ target }: Pick<Arrival, 'target'>, profile: ResolvedGatewayProfile): boolean {
  const path = normalPath(target)
  const paths = guardedRoutes(profile).map((route) => route.originPath ?? route.path)
  return [...paths, ...(profile.upgrade === undefined ? [] : [profile.upgrade])].some((one) => normalPath(one) === path)
}

/** Where the records of the capture origins are now. */
export function marksOf({ captures }: GatewaySession): readonly [first: number, second: number] {
  return [captures?.first.mark() ?? 0, captures?.second.mark() ?? 0]
}

/** Requests that reached the capture origins for a nonce since then, in order. */
export function arrivalsOf(
  { captures }: GatewaySession,
  nonce: string,
  [first, second]: readonly [first: number, second: number] = [0, 0],
): readonly Arrival[] {
  if (!captures) return []
  return [...captures.first.requestsOf(nonce, first), ...captures.second.requestsOf(nonce, second)].toSorted(
    (one, other) => one.monotonicMs - other.monotonicMs,
  )
}

/** Audience that a token at this path has to name: that of the route, or of the profile. */
export function audienceAt({ target }: Pick<Arrival, 'target'>, profile: ResolvedGatewayProfile): string | undefined {
  const path = normalPath(target)
  const found = guardedRoutes(profile).find((route) => normalPath(route.originPath ?? route.path) === path)
  return found?.audience ?? profile.audience
}
