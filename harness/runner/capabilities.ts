import { LONGEST_WAIT_SEC } from '../bench/passage.ts'
import type { OriginCapability } from '../model/capabilities.ts'
import type { ResolvedProfile } from '../model/profile.ts'

/** What the run has in hand besides the profile. */
export interface Means {
  readonly control: 'issuer' | 'token' | 'none'
  /** The origin fetched the JWKS of this run, so that it reaches the canary on the same host. */
  readonly fetched: boolean
  /** The public key behind the user's token is known. */
  readonly publicKey: boolean
  readonly movableClock: boolean
  readonly restart: boolean
  /** The harness started the process, and sees when it ends. */
  readonly process: boolean
  /** Valid tokens may be sent with methods that change something. */
  readonly writes: boolean
}

/** The one place that decides what can be tested. */
export function originCapabilities(profile: ResolvedProfile, means: Means): ReadonlySet<OriginCapability> {
  const { algorithms, requiredClaims, routes } = profile
  const some = (...prefixes: string[]): boolean =>
    algorithms.some((algorithm) => prefixes.some((prefix) => algorithm.startsWith(prefix)))
  const rsa = algorithms.filter((algorithm) => /^[RP]S/u.test(algorithm))
  const kinds = [some('RS', 'PS'), some('ES'), some('Ed')].filter(Boolean).length
  const leeway = profile.leewaySec
  const { jwks } = profile
  const passable = (seconds: number | undefined): boolean =>
    seconds !== undefined && (means.movableClock || seconds <= LONGEST_WAIT_SEC)
  const fetched = means.control === 'issuer' && means.fetched && jwks.mode !== 'pinned'
  const cooldown = passable(jwks.cooldownSec)
  const maxAge = jwks.maxAgeSec !== undefined && passable(jwks.maxAgeSec + (jwks.maxStaleSec ?? 0))
  const coldStart = means.restart || maxAge
  const met: Readonly<Record<OriginCapability, boolean>> = {
    issuer: means.control === 'issuer',
    control: means.control !== 'none',
    'public-key': means.control === 'issuer' || means.publicKey,
    canary: means.control === 'issuer' && means.fetched,
    time: means.movableClock || (leeway !== undefined && leeway <= 1),
    marker: profile.marker !== undefined,
    'identity-echo': profile.identityEcho !== undefined,
    bearer: profile.token.header.toLowerCase() === 'authorization' && profile.token.scheme.toLowerCase() === 'bearer',
    'route-post': routes.some(({ methods, operation }) => methods.includes('POST') && operation === undefined),
    scope: routes.some(({ scope }) => scope !== undefined),
    once: routes.some(({ once }) => once === true),
    leeway: leeway !== undefined,
    'max-lifetime': profile.maxLifetimeSec !== undefined,
    'max-age': profile.maxLifetimeSec !== undefined || profile.maxTokenAgeSec !== undefined,
    'token-age': profile.maxTokenAgeSec !== undefined,
    'exp-required': requiredClaims.includes('exp'),
    'nbf-optional': !requiredClaims.includes('nbf'),
    audience: profile.audience !== null,
    'many-origins': profile.audience !== null && profile.singleOrigin !== true,
    typ: profile.typ !== undefined,
    'known-subjects': profile.knownSubjects === true,
    rsa: some('RS', 'PS'),
    ec: some('ES'),
    ed: some('Ed'),
    es256: algorithms.includes('ES256'),
    'rsa-or-ec': some('RS', 'PS', 'ES'),
    'ec-or-ed': some('ES', 'Ed'),
    'two-key-types': kinds >= 2,
    'no-hmac': !some('HS'),
    'spare-algorithm': profile.algorithmsDeclared && hasSpare(profile),
    'sibling-algorithm': profile.algorithmsDeclared && rsa.length >= 2,
    unpadded: profile.padding !== true,
    'unusual-keys': profile.plainJwks !== true,
    'private-answers': profile.publicCache !== true,
    'jwks-fetched': fetched,
    'finite-workers': jwks.workers !== 'unbounded',
    'jwks-cooldown': cooldown,
    'jwks-max-age': maxAge,
    'jwks-stale': maxAge && (jwks.maxStaleSec ?? 0) > 0,
    'jwks-timeout': jwks.timeoutMs !== undefined && jwks.timeoutMs <= 2_000,
    'jwks-renewal': coldStart || cooldown,
    'cold-start': coldStart,
    clock: means.movableClock,
    restart: means.restart,
    process: means.process,
    'cache-control': jwks.honoursCacheControl === true && means.movableClock,
    discovery: jwks.mode === 'discovery',
    'api-key': profile.apiKey !== undefined,
    'public-route': profile.publicRoutes !== undefined && profile.publicRoutes.length > 0,
    upgrade: profile.upgrade !== undefined,
    'side-effect': profile.sideEffect !== undefined,
    writes: means.writes,
  }
  return new Set((Object.keys(met) as OriginCapability[]).filter((name) => met[name]))
}

/** Whether the main key can compute an algorithm that is not declared: only RSA keys serve several. */
function hasSpare({ algorithms }: ResolvedProfile): boolean {
  const [main] = algorithms
  if (/^[RP]S/u.test(main)) return algorithms.filter((algorithm) => /^[RP]S/u.test(algorithm)).length < 6
  return false
}
