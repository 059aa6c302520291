import { TrustspecError } from '../../model/errors.ts'
import type { JsonObject } from '../../model/json.ts'
import { createOutage } from '../limits/outage.ts'
import { anyObject, flag, headerValue, text } from '../options.ts'
import type { OptionCheck } from '../options.ts'
import type { PolicyKind, TokenService } from '../policy.ts'
import { problem } from '../reply.ts'
import { urlOf } from '../request.ts'
import { secondsOf } from '../tokens/duration.ts'
import { createTokenCache } from '../tokens/token-cache.ts'
import { settableHeader } from './settable-header.ts'

/** Claims that the service answers for: a policy may not say otherwise unless it is told that it may. */
const RESERVED = ['iss', 'iat', 'exp', 'jti'] as const

const duration: OptionCheck = (value) =>
  secondsOf(value, 'short') === undefined ? 'seconds as a number, or a text such as "5m" (s, m, h, d, w, y)' : undefined

/** Attaches a gateway token for the origin, in place of whatever the caller sent in that header. */
export const upstreamJwt: PolicyKind = {
  type: 'upstream-zuplo-jwt-auth-inbound',
  exported: 'UpstreamZuploJwtAuthInboundPolicy',
  needsTokens: true,
  options: {
    known: {
      audience: text,
      headerName: settableHeader,
      tokenPrefix: headerValue,
      additionalClaims: anyObject,
      allowReservedClaims: flag,
      expiresIn: duration,
    },
  },
  headers: (options) => ({ sets: [String(options['headerName'] ?? 'Authorization')] }),
  create(options, context) {
    const { name, tokens, clock } = context
    if (!tokens) throw new TrustspecError('ERR_HARNESS', 'The policy was made without a JWT service', { policy: name })
    const header = String(options['headerName'] ?? 'Authorization')
    const prefix = typeof options['tokenPrefix'] === 'string' ? options['tokenPrefix'] : 'Bearer'
    const audience = options['audience'] as string | undefined
    const lifetimeSec = lifetimeOf(options['expiresIn'], tokens, name)
    const additional = claimsOf(options, name)
    const outage = createOutage('signer', context)
    const cache = createTokenCache()
    let generation = tokens.generation()

    const mint = (sub: string, aud: string, nowMs: number) => {
      const compact = tokens.sign({ sub, aud, ...additional }, lifetimeSec)
      // Its life began with a whole second; half of it is left at least whenever it goes out of the cache.
      const freshMs = Math.floor(nowMs / 1000) * 1000 + lifetimeSec * 500
      return { value: prefix === '' ? compact : `${prefix} ${compact}`, freshMs }
    }
    return (request) => {
      // A token of a revoked key must not go out, however fresh it is.
      if (generation !== tokens.generation()) {
        cache.clear()
        generation = tokens.generation()
      }
      const sub = request.user?.sub ?? 'api-gateway'
      const aud = audience ?? urlOf(request)
      const nowMs = clock.nowMs()
      let token = cache.get(sub, aud)
      if (!token || token.freshMs <= nowMs) {
        try {
          token = mint(sub, aud, nowMs)
          outage.back()
        } catch (error) {
          outage.away(error)
          return problem(503, { detail: 'No token can be signed', headers: [['Retry-After', '1']] })
        }
        cache.set(sub, aud, token)
      }
      request.headers.set(header, token.value)
      return undefined
    }
  },
}

function lifetimeOf(expiresIn: unknown, tokens: TokenService, policy: string): number {
  const seconds = expiresIn === undefined ? tokens.lifetimeSec : (secondsOf(expiresIn, 'short') ?? 0)
  if (seconds <= tokens.longestLifetimeSec) return seconds
  throw new TrustspecError(
    'ERR_GATEWAY_PROJECT',
    'The token would outlive the time for which its key stays published',
    {
      policy,
      option: 'expiresIn',
      given: `${seconds} s`,
      instead: `at most ${tokens.longestLifetimeSec} s`,
    },
  )
}

function claimsOf(options: Readonly<Record<string, unknown>>, policy: string): JsonObject {
  const claims = (options['additionalClaims'] ?? {}) as JsonObject
  if (options['allowReservedClaims'] === true) return claims
  const reserved = RESERVED.find((name) => Object.hasOwn(claims, name))
  if (reserved === undefined) return claims
  throw new TrustspecError('ERR_GATEWAY_PROJECT', 'A claim that the JWT service answers for would be overridden', {
    policy,
    claim: reserved,
    instead: `additionalClaims without "${reserved}", or "allowReservedClaims": true`,
  })
}
