import { TrustspecError } from '../../model/errors.ts'
import type { JsonObject } from '../../model/json.ts'
import { anyObject, anyText, flag, text } from '../options.ts'
import type { OptionCheck } from '../options.ts'
import type { PolicyKind, TokenService } from '../policy.ts'
import { problem } from '../reply.ts'
import { urlOf } from '../request.ts'
import { secondsOf } from '../tokens/duration.ts'
import { settableHeader } from './settable-header.ts'

/** Claims that the service answers for: a policy may not say otherwise unless it is told that it may. */
const RESERVED = ['iss', 'iat', 'exp', 'jti'] as const

/** Consumers, and audiences of each of them, whose tokens are kept at most. */
const MOST_KEPT = 10_000

const duration: OptionCheck = (value) =>
  secondsOf(value, 'short') === undefined ? 'seconds as a number, or a text such as "5m" (s, m, h, d, w, y)' : undefined

interface Kept {
  readonly value: string
  /** Milliseconds since the epoch until which it may go out. */
  readonly freshMs: number
}

/** Attaches a gateway token for the origin, in place of whatever the caller sent in that header. */
export const upstreamJwt: PolicyKind = {
  type: 'upstream-zuplo-jwt-auth-inbound',
  exported: 'UpstreamZuploJwtAuthInboundPolicy',
  needsTokens: true,
  options: {
    known: {
      audience: text,
      headerName: settableHeader,
      tokenPrefix: anyText,
      additionalClaims: anyObject,
      allowReservedClaims: flag,
      expiresIn: duration,
    },
  },
  headers: (options) => ({ sets: [String(options['headerName'] ?? 'Authorization')] }),
  create(options, { name, tokens, clock, report }) {
    if (!tokens) throw new TrustspecError('ERR_HARNESS', 'The policy was made without a JWT service', { policy: name })
    const header = String(options['headerName'] ?? 'Authorization')
    const prefix = typeof options['tokenPrefix'] === 'string' ? options['tokenPrefix'] : 'Bearer'
    const audience = options['audience'] as string | undefined
    const lifetimeSec = lifetimeOf(options['expiresIn'], tokens, name)
    const additional = claimsOf(options, name)
    const kept = new Map<string, Map<string, Kept>>()
    let count = 0
    let generation = tokens.generation()
    const forget = (): void => {
      kept.clear()
      count = 0
      generation = tokens.generation()
    }
    return (request) => {
      // A token of a revoked key must not go out, however fresh it is.
      if (generation !== tokens.generation()) forget()
      const sub = request.user?.sub ?? 'api-gateway'
      const aud = audience ?? urlOf(request)
      const nowMs = clock.nowMs()
      let own = kept.get(sub)
      let token = own?.get(aud)
      if (!token || token.freshMs <= nowMs) {
        try {
          const compact = tokens.sign({ sub, aud, ...additional }, lifetimeSec)
          // Half of its life is left at least when it goes out.
          token = { value: prefix === '' ? compact : `${prefix} ${compact}`, freshMs: nowMs + lifetimeSec * 500 }
        } catch (error) {
          report({ event: 'signer-down', policy: name, error: error instanceof Error ? error.name : 'unknown' })
          return problem(503, { detail: 'No token can be signed', headers: [['Retry-After', '1']] })
        }
        if (count >= MOST_KEPT) {
          forget()
          own = undefined
        }
        if (!own) {
          own = new Map()
          kept.set(sub, own)
        }
        if (!own.has(aud)) count += 1
        own.set(aud, token)
      }
      request.headers.set(header, token.value)
      return undefined
    }
  },
}

function lifetimeOf(expiresIn: unknown, tokens: TokenService, policy: string): number {
  const seconds = expiresIn === undefined ? tokens.lifetimeSec : (secondsOf(expiresIn, 'short') ?? 0)
  if (seconds <= tokens.longestLifetimeSec) return seconds
  throw new TrustspecError('ERR_USAGE', 'The token would outlive the time for which its key stays published', {
    policy,
    option: 'expiresIn',
    given: `${seconds} s`,
    instead: `at most ${tokens.longestLifetimeSec} s`,
  })
}

function claimsOf(options: Readonly<Record<string, unknown>>, policy: string): JsonObject {
  const claims = (options['additionalClaims'] ?? {}) as JsonObject
  if (options['allowReservedClaims'] === true) return claims
  const reserved = RESERVED.find((name) => Object.hasOwn(claims, name))
  if (reserved === undefined) return claims
  throw new TrustspecError('ERR_USAGE', 'A claim that the JWT service answers for would be overridden', {
    policy,
    claim: reserved,
    instead: `additionalClaims without "${reserved}", or "allowReservedClaims": true`,
  })
}
