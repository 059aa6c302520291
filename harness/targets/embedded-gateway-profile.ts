import type { GatewayOptions } from '../gateway/gateway.ts'
import type { GatewayProfile, GatewayRoute } from '../model/gateway-profile.ts'
import type { GatewayTargetSettings } from './gateway-target.ts'

const METHODS = ['GET', 'POST'] as const

const route = (path: string, more: Partial<GatewayRoute> = {}): GatewayRoute => ({ path, methods: METHODS, ...more })

const SECOND_AUDIENCE = 'https://billing.example.com'

/** Requests that the embedded gateway has at its origins at once; no others wait. */
const CONCURRENCY = 128

/** How the embedded gateway is set up, and what it declares of that; the routes are in the project of the fixtures. */
export function embeddedProfile({ keyListUrl }: GatewayTargetSettings): {
  readonly profile: (issuer: string) => GatewayProfile
  readonly limits: GatewayOptions['limits'] & object
  readonly times: GatewayOptions['times'] & object
  readonly alerts: GatewayOptions['alerts'] & object
} {
  const alerts = { path: '/__zuplo/secret-scanning', keyListUrl, type: 'trustspec_api_key', fetchMs: 300 }
  return {
    limits: { concurrency: CONCURRENCY, queue: 0, answerMs: 1_000, lingerMs: 50 },
    times: { maxAgeSec: 60, longestLifetimeSec: 60 },
    alerts,
    profile: (issuer) => ({
      keyLocations: [
        { in: 'header', name: 'Authorization', scheme: 'Bearer' },
        { in: 'query', name: 'api_key' },
        { in: 'cookie', name: 'api_key' },
      ],
      routes: [route('/orders'), route('/customers'), route('/invoices', { audience: SECOND_AUDIENCE, origin: 2 })],
      publicRoutes: [route('/public')],
      entitlement: { route: route('/reports') },
      keyFormat: { pattern: '^tsk_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}$', entropyBits: 190, checksum: 'crc32-base62' },
      token: { header: 'Authorization', scheme: 'Bearer' },
      issuer,
      audience: 'https://orders.example.com',
      algorithms: ['EdDSA'],
      maxLifetimeSec: 60,
      minRemainingSec: 30,
      typ: 'JWT',
      jti: true,
      jwksUrl: `${issuer}/.well-known/jwks.json`,
      discoveryUrl: `${issuer}/.well-known/openid-configuration`,
      identityHeaders: ['X-Consumer-ID', 'X-Consumer-Plan'],
      rotationOverlapSec: 60,
      // The longest lifetime, max-age, and half a minute for clocks that differ.
      keyRetentionSec: 150,
      forwardedPolicy: 'replace',
      upgrade: '/events',
      limits: [
        {
          route: route('/limited'),
          scope: 'consumer',
          requests: 10,
          windowSec: 60,
          strict: true,
          algorithm: 'sliding',
          distributed: true,
          onStoreDown: 'open',
        },
      ],
      quota: {
        route: route('/metered'),
        requests: 20,
        windowSec: 3_600,
        shortWindowSec: 60,
        persistent: true,
      },
      concurrency: { requests: CONCURRENCY, route: route('/customers'), status: 503 },
      authFailures: { attempts: 20, windowSec: 60, route: route('/guarded') },
      rateLimitFields: true,
      originTimeoutSec: 1,
      secretScanning: { path: alerts.path, type: alerts.type, keyListMaxAgeSec: 3_600 },
    }),
  }
}
