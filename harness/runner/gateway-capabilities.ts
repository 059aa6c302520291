import { LONGEST_WAIT_SEC } from '../bench/passage.ts'
import type { GatewayHooks, KeyWish } from '../model/gateway-bench.ts'
import type { GatewayCapability } from '../model/gateway-capabilities.ts'
import type { ResolvedGatewayProfile } from '../model/gateway-profile.ts'

/** What a run against a gateway has in hand besides the profile. */
export interface GatewayMeans {
  /** There is a key that ought to work. */
  readonly given: boolean
  /** Keys that worked in the pre-flight, of different consumers. */
  readonly working: number
  readonly captured: boolean
  /** The second capture origin is reached by a route. */
  readonly secondCaptured: boolean
  readonly hooks: Partial<GatewayHooks>
  /** Wishes that the hook which issues keys heeds; default: all. */
  readonly wishes?: readonly (keyof KeyWish)[]
  readonly movableClock: boolean
  /** The JWKS was there in the pre-flight. */
  readonly jwks: boolean
  readonly scanner: boolean
}

/** The one place that decides what can be tested of a gateway. */
export function gatewayCapabilities(
  profile: ResolvedGatewayProfile,
  means: GatewayMeans,
): ReadonlySet<GatewayCapability> {
  const { hooks, movableClock } = means
  const passable = (seconds: number | undefined): boolean =>
    seconds !== undefined && (movableClock || seconds <= LONGEST_WAIT_SEC)
  const has = (keys: readonly unknown[] | undefined): boolean => (keys?.length ?? 0) > 0
  const issue = hooks.issueKey !== undefined
  const heeds = (wish: keyof KeyWish): boolean => issue && (means.wishes?.includes(wish) ?? true)
  const revoke = hooks.revokeKey !== undefined
  const limits = profile.limits.filter(({ requests }) => requests <= 200)
  const fresh = issue || has(profile.spareKeys)
  const quota = profile.quota !== undefined && profile.quota.requests <= 500
  const restart = hooks.restart !== undefined
  const met: Readonly<Record<GatewayCapability, boolean>> = {
    key: means.given,
    capture: means.captured,
    'second-capture': means.secondCaptured,
    'second-consumer': means.working > 1,
    'two-keys': (heeds('like') || profile.pairOfKeys !== undefined) && revoke,
    'fresh-keys': fresh,
    'revoked-key': has(profile.revokedKeys) || (issue && revoke),
    'ended-key': has(profile.expiredKeys) || has(profile.disabledKeys) || (heeds('expiresInSec') && heeds('disabled')),
    entitlement: profile.entitlement !== undefined && (has(profile.entitlement.otherKeys) || heeds('unentitled')),
    'case-sensitive-keys': profile.caseInsensitiveKeys !== true,
    'key-format': profile.keyFormat !== undefined && issue,
    'other-location': profile.keyLocations.some((location) => location.in !== 'header'),
    'keeps-credential': profile.forwardsClientCredential !== true,
    'jwks-url': profile.jwksUrl !== undefined,
    jwks: means.jwks,
    discovery: profile.discoveryUrl !== undefined,
    issuer: profile.issuer !== undefined,
    audience: profile.audience !== undefined || profile.routes.some(({ audience }) => audience !== undefined),
    typ: profile.typ !== undefined,
    jti: profile.jti === true,
    'max-lifetime': profile.maxLifetimeSec !== undefined,
    retention: passable(profile.keyRetentionSec),
    'identity-headers': has(profile.identityHeaders),
    upgrade: profile.upgrade !== undefined,
    clock: movableClock,
    'token-passage': passable(profile.maxLifetimeSec),
    limits: has(limits),
    'strict-limits': limits.some(({ strict }) => strict === true),
    'declared-sharing': limits.some(({ distributed }) => distributed === true) || profile.quota?.persistent === true,
    'limit-passage': limits.some(({ windowSec }) => passable(windowSec)),
    quota,
    'quota-passage': quota && movableClock,
    concurrency: profile.concurrency !== undefined,
    'auth-failures': profile.authFailures !== undefined,
    'ratelimit-fields': profile.rateLimitFields === true && has(limits),
    'shared-state': has(profile.instances) || (restart && profile.quota?.persistent === true),
    instances: has(profile.instances),
    'origin-timeout': profile.originTimeoutSec !== undefined && profile.originTimeoutSec <= LONGEST_WAIT_SEC,
    'secret-scanning': means.scanner && profile.secretScanning !== undefined,
    'issue-key': issue,
    'revoke-key': revoke,
    'rotate-signing-key': hooks.rotateSigningKey !== undefined,
    'revoke-signing-key': hooks.revokeSigningKey !== undefined,
    restart,
    'key-store-down': hooks.keyStoreDown !== undefined,
    'limit-store-down': hooks.limitStoreDown !== undefined,
    'signer-down': hooks.signerDown !== undefined,
    logs: hooks.logs !== undefined,
  }
  return new Set((Object.keys(met) as GatewayCapability[]).filter((name) => met[name]))
}
