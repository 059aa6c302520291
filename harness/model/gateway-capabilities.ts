import type { Capability } from './capabilities.ts'

const hook = (name: string): string => `"hooks": {"${name}": …} in trustspec.config.ts`
const issuing = (...wishes: readonly string[]): string =>
  `${hook('issueKey')} that heeds ${wishes.map((wish) => `"${wish}"`).join(' and ')}`
const PASSING = 'a clock of the gateway that can be moved (a gateway that the run starts, or --clock-url)'

/** What a case about a gateway can need. Whether one is met is decided in one place, by the runner. */
export const GATEWAY_CAPABILITIES = {
  key: { says: 'an API key that works', unlock: '--api-key KEY' },
  capture: {
    says: 'a gateway that forwards to the capture origin of the run',
    unlock: '--capture-port N, with the origin of the gateway set to it',
  },
  'second-capture': {
    says: 'a route to the second capture origin',
    unlock: '--second-capture-port N, and "origin": 2 at a route of the profile',
  },
  'second-consumer': { says: 'a key of a second consumer', unlock: '--api-key twice, or "keys" in the profile' },
  'two-keys': {
    says: 'two keys of one consumer, one of which can be revoked',
    unlock: `${issuing('like')}, and ${hook('revokeKey')}`,
  },
  'fresh-keys': { says: 'keys that nobody has used', unlock: `${hook('issueKey')}, or "spareKeys" in the profile` },
  'revoked-key': {
    says: 'a key that was revoked, or a way to revoke one',
    unlock: `--revoked-key KEY, or ${hook('revokeKey')} and ${hook('issueKey')}`,
  },
  'ended-key': {
    says: 'a key that has expired or is disabled, or a way to make one',
    unlock: `--expired-key KEY, --disabled-key KEY, or ${issuing('expiresInSec', 'disabled')}`,
  },
  entitlement: {
    says: 'a route that not every key may use, and a key that may not',
    unlock: `"entitlement" in the profile, with "otherKeys" or ${issuing('unentitled')}`,
  },
  'case-sensitive-keys': {
    says: 'keys that differ by the case of letters',
    unlock: 'no "caseInsensitiveKeys": true in the profile',
  },
  'key-format': { says: 'a declared format of keys', unlock: '"keyFormat" in the profile' },
  'other-location': {
    says: 'a declared location of keys that is no header',
    unlock: '"keyLocations" of the profile with a query, cookie or body',
  },
  'keeps-credential': {
    says: 'a gateway that keeps API keys to itself',
    unlock: 'no "forwardsClientCredential": true in the profile',
  },
  'jwks-url': { says: 'a declared address of the JWKS', unlock: '--jwks-url URL' },
  jwks: { says: 'the JWKS of the gateway, served as JSON', unlock: '--jwks-url URL' },
  discovery: { says: 'the metadata of the issuer', unlock: '"discoveryUrl" in the profile' },
  issuer: { says: 'a declared issuer', unlock: '--issuer URL, or "issuer" in the profile' },
  audience: { says: 'a declared audience', unlock: '--audience TEXT, or "audience" in the profile' },
  typ: { says: 'a declared explicit typ', unlock: '--typ TEXT, or "typ" in the profile' },
  jti: { says: 'tokens with a declared jti', unlock: '"jti": true in the profile' },
  'max-lifetime': { says: 'a declared longest token lifetime', unlock: '"maxLifetimeSec" in the profile' },
  retention: {
    says: 'a declared time for which retired signing keys stay published',
    unlock: '"keyRetentionSec" in the profile',
  },
  'identity-headers': { says: 'declared identity headers', unlock: '"identityHeaders" in the profile' },
  upgrade: { says: 'a declared path that upgrades to WebSocket', unlock: '"upgrade" in the profile' },
  clock: { says: PASSING, unlock: '--gateway NAME, or --clock-url URL' },
  'token-passage': {
    says: `a longest token lifetime of at most 3 s, or ${PASSING}`,
    unlock: '"maxLifetimeSec": 3 or less in the profile, or --clock-url URL',
  },
  limits: { says: 'a declared limit of at most 200 requests', unlock: '"limits" in the profile' },
  'strict-limits': {
    says: 'a limit that is declared to be strict',
    unlock: '"strict": true in "limits" of the profile',
  },
  'declared-sharing': {
    says: 'limits that are declared to be shared or kept',
    unlock: '"distributed": true in "limits", or "persistent": true in "quota" of the profile',
  },
  'limit-passage': {
    says: `a declared window of at most 3 s, or ${PASSING}`,
    unlock: '"windowSec": 3 or less in "limits" of the profile, or --clock-url URL',
  },
  quota: { says: 'a declared quota of at most 500 requests', unlock: '"quota" in the profile' },
  'quota-passage': { says: `a declared quota and ${PASSING}`, unlock: '"quota" in the profile, and --clock-url URL' },
  concurrency: { says: 'a declared limit on requests at once', unlock: '"concurrency" in the profile' },
  'auth-failures': { says: 'a declared limit on failed keys', unlock: '"authFailures" in the profile' },
  'ratelimit-fields': { says: 'declared RateLimit fields', unlock: '"rateLimitFields": true in the profile' },
  'shared-state': {
    says: 'a second instance, or a persistent quota and a way to restart',
    unlock: `"instances" in the profile, or "persistent": true in "quota" and ${hook('restart')}`,
  },
  instances: { says: 'a second instance of the gateway', unlock: '"instances" in the profile' },
  'origin-timeout': {
    says: 'a declared timeout of the origin of at most 3 s',
    unlock: '"originTimeoutSec": 3 or less in the profile',
  },
  'secret-scanning': {
    says: 'a receiver of leaked keys whose key list is the one of the run',
    unlock: '"secretScanning" in the profile, with the key list set to the URL that --scanner-port N prints',
  },
  'issue-key': { says: 'a way to issue keys', unlock: hook('issueKey') },
  'revoke-key': { says: 'a way to revoke keys', unlock: hook('revokeKey') },
  'rotate-signing-key': { says: 'a way to rotate the signing key', unlock: hook('rotateSigningKey') },
  'revoke-signing-key': { says: 'a way to revoke a signing key', unlock: hook('revokeSigningKey') },
  restart: { says: 'a way to restart the gateway', unlock: hook('restart') },
  'key-store-down': { says: 'a way to take the key store down', unlock: hook('keyStoreDown') },
  'limit-store-down': { says: 'a way to take the store of limits down', unlock: hook('limitStoreDown') },
  'signer-down': { says: 'a way to take the signer down', unlock: hook('signerDown') },
  logs: { says: 'the logs of the gateway', unlock: hook('logs') },
} as const satisfies Record<string, Capability>

export type GatewayCapability = keyof typeof GATEWAY_CAPABILITIES
