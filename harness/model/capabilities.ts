/** Something that cases can need. */
export interface Capability {
  /** What is there when it is met; completes "needs …". */
  readonly says: string
  /** The flag or the profile member that unlocks it. */
  readonly unlock: string
}

const PASSING =
  'a clock that can be moved (--exec or --origin with libfaketime, or --clock-url), or a number of at most 3'

/** What a case about an origin can need. Whether one is met is decided in one place, by the runner. */
export const ORIGIN_CAPABILITIES = {
  issuer: {
    says: 'an origin that trusts the issuer of this run',
    unlock: '--issuer-port N, with the issuer and JWKS URL of the origin set to what the run prints',
  },
  control: { says: 'a credential that the origin accepts', unlock: '--token TOKEN or --issuer-port N' },
  'public-key': {
    says: 'the public key that the control token was signed with',
    unlock: '--jwks-url URL of the real issuer beside --token-command, or --issuer-port N',
  },
  canary: {
    says: 'a listener that is proven to be reachable from the origin',
    unlock: '--issuer-port N (an origin that fetches the JWKS of this run can reach its canary as well)',
  },
  time: {
    says: 'a clock of the origin that can be moved, or a leeway of at most 1 s',
    unlock: '"leewaySec": 1 or less in the profile',
  },
  marker: { says: 'a text that only an accepted answer contains', unlock: '"marker" in the profile, or --marker' },
  'identity-echo': {
    says: 'an answer that tells which subject it was given to',
    unlock: '"identityEcho" in the profile, or --identity-echo',
  },
  bearer: {
    says: 'tokens in Authorization: Bearer',
    unlock: '"token" in the profile: {"header": "Authorization", "scheme": "Bearer"}',
  },
  'route-post': { says: 'a protected route that answers POST', unlock: '"methods" of a route in the profile' },
  scope: { says: 'a protected route that needs a scope', unlock: '"scope" of a route in the profile' },
  once: { says: 'a protected route that accepts each jti once', unlock: '"once" of a route in the profile' },
  leeway: { says: 'a declared leeway', unlock: '"leewaySec" in the profile, or --leeway' },
  'max-lifetime': { says: 'a declared longest token lifetime', unlock: '"maxLifetimeSec" in the profile' },
  'max-age': {
    says: 'a declared longest token lifetime or token age',
    unlock: '"maxLifetimeSec" or "maxTokenAgeSec" in the profile',
  },
  'token-age': { says: 'a declared oldest token age', unlock: '"maxTokenAgeSec" in the profile' },
  'exp-required': {
    says: 'exp among the required claims (without it, unbounded tokens are accepted by declaration)',
    unlock: '"exp" in "requiredClaims" of the profile',
  },
  'nbf-optional': {
    says: 'nbf not among the required claims',
    unlock: '"requiredClaims" of the profile without "nbf"',
  },
  audience: { says: 'a declared audience', unlock: '"audience" in the profile, or --audience' },
  'many-origins': {
    says: 'an issuer that serves more than this one origin',
    unlock: '"audience" in the profile, and no "singleOrigin": true',
  },
  typ: { says: 'a declared explicit typ', unlock: '"typ" in the profile' },
  'known-subjects': { says: 'an origin that refuses unknown subjects', unlock: '"knownSubjects": true in the profile' },
  rsa: { says: 'an RSA algorithm', unlock: '"RS256" or another RSA algorithm in "algorithms"' },
  ec: { says: 'an ES* algorithm', unlock: '"ES256" or another ES* algorithm in "algorithms"' },
  ed: { says: 'an Ed25519 algorithm', unlock: '"EdDSA" or "Ed25519" in "algorithms"' },
  es256: { says: 'the algorithm ES256', unlock: '"ES256" in "algorithms"' },
  'rsa-or-ec': { says: 'an RSA or ES* algorithm', unlock: '"RS256" or "ES256" in "algorithms"' },
  'ec-or-ed': { says: 'an ES* or Ed25519 algorithm', unlock: '"ES256" or "EdDSA" in "algorithms"' },
  'two-key-types': { says: 'algorithms of two key types', unlock: '"algorithms" such as ["RS256", "ES256"]' },
  'no-hmac': { says: 'no HMAC algorithm among the declared ones', unlock: '"algorithms" without HS*' },
  'spare-algorithm': {
    says: 'a declared list of algorithms that is smaller than the key types permit',
    unlock: '"algorithms" in the profile, or --alg',
  },
  'sibling-algorithm': {
    says: 'two declared algorithms that the same RSA key can compute',
    unlock: '"algorithms" such as ["RS256", "RS512"]',
  },
  unpadded: { says: 'tokens without base64 padding', unlock: 'no "padding": true in the profile' },
  'unusual-keys': {
    says: 'a JWKS with unusual keys (no alg, use "enc", key_ops, 1024 bits, secp256k1)',
    unlock: 'no "plainJwks": true in the profile',
  },
  'private-answers': {
    says: 'authorised answers that are not meant for shared caches',
    unlock: 'no "publicCache": true in the profile',
  },
  'jwks-fetched': {
    says: 'an origin that fetched the JWKS during this run',
    unlock: '--issuer-port N with a fresh start of the origin, and no "mode": "pinned" in "jwks" of the profile',
  },
  'finite-workers': {
    says: 'a known number of processes that each keep a JWKS',
    unlock: '"jwks": {"workers": N} in the profile in place of "unbounded"',
  },
  'jwks-cooldown': {
    says: 'a declared cooldown after which an unknown kid causes a fetch, and a way to let it pass',
    unlock: `"jwks": {"cooldownSec": N} in the profile, and ${PASSING}`,
  },
  'jwks-max-age': {
    says: 'a declared bound on the age of the cached JWKS (without one, nothing says when a revoked key dies), and a way to let it pass',
    unlock: `"jwks": {"maxAgeSec": N} in the profile, and ${PASSING}`,
  },
  'jwks-stale': {
    says: 'a declared time for which stale keys serve while the issuer is away',
    unlock: `"jwks": {"maxStaleSec": N} in the profile, and ${PASSING}`,
  },
  'jwks-timeout': {
    says: 'a declared timeout of the JWKS fetch of at most 2 s',
    unlock: '"jwks": {"timeoutMs": 2000} or less in the profile, with the origin set to it for the test',
  },
  'jwks-renewal': {
    says: 'a way to make the origin fetch the JWKS anew',
    unlock: '--exec or --origin (a restart), or "jwks": {"maxAgeSec": N} or {"cooldownSec": N} that can be let pass',
  },
  'cold-start': {
    says: 'a way to leave the origin without cached keys',
    unlock: `--exec or --origin (a restart), or "jwks": {"maxAgeSec": N} in the profile and ${PASSING}`,
  },
  clock: {
    says: 'a clock of the origin that can be moved',
    unlock: '--exec or --origin with libfaketime, or --clock-url',
  },
  restart: { says: 'an origin that the run can start again', unlock: '--exec or --origin' },
  process: { says: 'an origin whose process the run can watch', unlock: '--exec or --origin' },
  'cache-control': {
    says: 'a declared use of Cache-Control, and a way to let time pass',
    unlock: `"jwks": {"honoursCacheControl": true} in the profile, and ${PASSING}`,
  },
  discovery: {
    says: 'an origin that takes the JWKS URL from the metadata of the issuer',
    unlock: '"jwks": {"mode": "discovery"} in the profile',
  },
  'api-key': { says: 'an API key of a caller', unlock: '--api-key KEY, or "apiKey" in the profile' },
  'public-route': { says: 'a route that needs no token', unlock: '"publicRoutes" in the profile' },
  upgrade: { says: 'a protected route that upgrades the connection', unlock: '"upgrade" in the profile' },
  'side-effect': { says: 'a counter of what a protected route did', unlock: '"sideEffect" in the profile' },
  writes: {
    says: 'leave to send valid tokens with methods that change something, on operations of the OpenAPI document',
    unlock: '--writes',
  },
} as const satisfies Record<string, Capability>

export type OriginCapability = keyof typeof ORIGIN_CAPABILITIES
