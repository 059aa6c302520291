import { TrustspecError } from '../model/errors.ts'
import type { JsonObject } from '../model/json.ts'
import type { Operation } from '../openapi/operations.ts'
import type { OriginProfile, ResolvedProfile, Route } from '../model/profile.ts'
import { PUBLISHED_ALGORITHMS } from '../model/token.ts'
import type { Algorithm, PublishedAlgorithm } from '../model/token.ts'

/** Algorithms in the order in which they are tried as the main one, when none is declared. */
export const TRIED_FIRST: readonly PublishedAlgorithm[] = [
  'RS256',
  'ES256',
  'PS256',
  'EdDSA',
  ...PUBLISHED_ALGORITHMS.filter((algorithm) => !['RS256', 'ES256', 'PS256', 'EdDSA'].includes(algorithm)),
]

/** What is known besides the declarations when defaults are filled in. */
export interface Known {
  readonly url: string
  readonly issuer: string
  readonly audience: string
  /** Claims of the user's token, where there is one. */
  readonly claims?: JsonObject
  /** Algorithms to assume where none is declared. */
  readonly algorithms: readonly Algorithm[]
}

/** Fills in the defaults; ERR_PROFILE_INVALID when a declaration cannot be served. */
export function resolveProfile(declared: OriginProfile, known: Known): ResolvedProfile {
  const unsupported = declared.algorithms?.find((name) => !(PUBLISHED_ALGORITHMS as readonly string[]).includes(name))
  if (unsupported !== undefined) {
    throw new TrustspecError('ERR_PROFILE_INVALID', 'No JWKS can hold a key for a declared algorithm', {
      algorithms: unsupported,
      instead: PUBLISHED_ALGORITHMS.join(', '),
    })
  }
  const url = new URL(known.url)
  const [first = 'RS256', ...others] = declared.algorithms ?? known.algorithms
  const audience = declared.audience === undefined ? audienceOf(known) : declared.audience
  const profile: ResolvedProfile = {
    ...declared,
    algorithms: [first, ...others],
    algorithmsDeclared: declared.algorithms !== undefined,
    issuer: declared.issuer ?? text(known.claims?.['iss']) ?? known.issuer,
    audience,
    requiredClaims: declared.requiredClaims ?? ['iss', ...(audience === null ? [] : ['aud']), 'exp', 'sub'],
    subjects: declared.subjects ?? [text(known.claims?.['sub']) ?? 'consumer-one', 'consumer-two'],
    token: declared.token ?? { header: 'Authorization', scheme: 'Bearer' },
    jwks: { ...declared.jwks, workers: declared.jwks?.workers ?? 1 },
    routes: declared.routes ?? [{ path: `${url.pathname}${url.search}`, methods: ['GET'] }],
  }
  const supplied = new Set([...BASE_CLAIMS, 'scope', ...Object.keys(profile.claims ?? {})])
  const missing = profile.requiredClaims.find((name) => !supplied.has(name))
  if (missing !== undefined && !known.claims) {
    throw new TrustspecError('ERR_PROFILE_INVALID', 'A required claim has no value', {
      requiredClaims: missing,
      instead: `add it with its value to "claims" of the profile`,
    })
  }
  return profile
}

/** The profile with every operation of a document as a protected or a public route, besides those that it has. */
export function withOperations(declared: OriginProfile, operations: readonly Operation[], path: string): OriginProfile {
  if (operations.length === 0) return declared
  const routes = declared.routes ?? [{ path, methods: ['GET'] }]
  const isNew = ({ method, path: at }: Operation): boolean =>
    !routes.some((route) => route.path === at && route.methods.includes(method))
  const added = operations.filter(isNew).map((operation) => ({ operation, route: routeOf(operation) }))
  const open = added.filter(({ operation }) => operation.public).map(({ route }) => route)
  const [first, ...others] = routes
  return {
    ...declared,
    routes: [
      first ?? { path, methods: ['GET'] },
      ...others,
      ...added.filter(({ operation }) => !operation.public).map(({ route }) => route),
    ],
    publicRoutes: [...(declared.publicRoutes ?? []), ...open],
  }
}

function routeOf({ id, method, path, headers, body }: Operation): Route {
  return { path, methods: [method], headers, operation: id, ...(body ? { body } : {}) }
}

const BASE_CLAIMS = ['iss', 'aud', 'sub', 'iat', 'nbf', 'exp', 'jti']

function audienceOf(known: Known): string | null {
  if (!known.claims) return known.audience
  const { aud } = known.claims
  return text(aud) ?? (Array.isArray(aud) ? (text(aud[0]) ?? null) : null)
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
