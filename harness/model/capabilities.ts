interface Capability {
  /** What is there when it is met; completes "needs …". */
  readonly says: string
  /** The flag or the profile member that unlocks it. */
  readonly unlock: string
}

/** What a case about an origin can need. Whether one is met is decided in one place, by the runner. */
export const ORIGIN_CAPABILITIES = {
  issuer: {
    says: 'an origin that trusts the issuer of this run',
    unlock: '--issuer-port N, with the issuer and JWKS URL of the origin set to what the run prints',
  },
  control: { says: 'a credential that the origin accepts', unlock: '--token TOKEN or --issuer-port N' },
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
  'unusual-keys': {
    says: 'a JWKS with unusual keys (no alg, use "enc", key_ops, 1024 bits, secp256k1)',
    unlock: 'no "plainJwks": true in the profile',
  },
  'private-answers': {
    says: 'authorised answers that are not meant for shared caches',
    unlock: 'no "publicCache": true in the profile',
  },
} as const satisfies Record<string, Capability>

export type OriginCapability = keyof typeof ORIGIN_CAPABILITIES
