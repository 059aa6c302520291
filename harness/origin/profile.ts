import type { OriginProfile } from '../model/profile.ts'
import { MARKER } from './answer.ts'

/** What the reference origin declares: everything that can be declared, so that every case is judged. */
export const REFERENCE_PROFILE = {
  algorithms: ['RS256', 'RS512', 'PS256', 'ES256', 'EdDSA'],
  audience: 'https://orders.example.com',
  typ: 'at+jwt',
  requiredClaims: ['iss', 'aud', 'exp', 'sub', 'iat', 'jti'],
  leewaySec: 5,
  maxLifetimeSec: 900,
  maxTokenAgeSec: 900,
  subjects: ['consumer-ada', 'consumer-bob', 'consumer-cleo', 'consumer-dan'],
  knownSubjects: true,
  marker: MARKER,
  identityEcho: '/sub',
  routes: [
    { path: '/protected', methods: ['GET', 'POST'] },
    { path: '/orders', methods: ['GET'], scope: 'orders:read' },
    { path: '/transfers', methods: ['POST'], once: true },
    { path: '/transfers/count', methods: ['GET'] },
  ],
  publicRoutes: [{ path: '/health', methods: ['GET'] }],
  identityHeaders: ['X-Consumer-Name'],
  apiKey: {
    key: 'tsk_test_reference-origin-does-not-take-keys',
    headers: [{ name: 'Authorization', scheme: 'Bearer' }, { name: 'X-API-Key' }],
    query: ['api_key'],
  },
  upgrade: '/events',
  sideEffect: { path: '/transfers', counter: '/transfers/count', pointer: '/transfers' },
  jwks: {
    mode: 'discovery',
    maxAgeSec: 600,
    cooldownSec: 30,
    timeoutMs: 500,
    maxStaleSec: 300,
    workers: 1,
    honoursCacheControl: true,
  },
} as const satisfies OriginProfile

/**
 * What the reference origin declares behind the reference gateway. A removed key dies here well before the tokens that
 * it signed do, so that it can be seen which of the two an origin looks at.
 */
export const CHAINED_PROFILE = {
  algorithms: ['EdDSA'],
  audience: 'https://orders.example.com',
  typ: 'JWT',
  requiredClaims: ['iss', 'aud', 'exp', 'sub', 'iat', 'jti'],
  leewaySec: 15,
  maxLifetimeSec: 60,
  marker: MARKER,
  identityEcho: '/sub',
  routes: [
    { path: '/orders', methods: ['GET', 'POST'] },
    { path: '/customers', methods: ['GET', 'POST'] },
    { path: '/transfers/count', methods: ['GET'] },
  ],
  jwks: { mode: 'static', maxAgeSec: 20, cooldownSec: 5, timeoutMs: 500, maxStaleSec: 10, workers: 1 },
} as const satisfies OriginProfile
