import type { Change, JsonObject } from './json.ts'

/** Signature algorithms that the issuer can compute (RFC 7518 section 3.1, RFC 8037, RFC 8812, RFC 9864). */
export const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'ES256K',
  'EdDSA',
  'Ed25519',
  'HS256',
  'HS384',
  'HS512',
] as const

export type Algorithm = (typeof ALGORITHMS)[number]

/** Asymmetric algorithms for which the issuer publishes a key of its own, its JWK naming that algorithm. */
export const PUBLISHED_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const satisfies readonly Algorithm[]

export type PublishedAlgorithm = (typeof PUBLISHED_ALGORITHMS)[number]

/** Keys in reserve for cases that rotate: eight of each type, published only by the case that takes them. */
export type SpareRole = `spare-${'rsa' | 'p256' | 'p384' | 'p521' | 'ed'}-${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8}`

/**
 * What a signing key is for. A `PublishedAlgorithm` is the published key whose JWK has that `alg`; `no-alg-*` are
 * published without `alg`; `use-enc`, `key-ops-encrypt`, `rsa-1024` and `secp256k1` are published but unsuitable;
 * `oct` is symmetric and in hostile documents alone; `attacker-*` are never published.
 */
export type KeyRole =
  | PublishedAlgorithm
  | SpareRole
  | 'no-alg-rsa'
  | 'no-alg-ec'
  | 'use-enc'
  | 'key-ops-encrypt'
  | 'rsa-1024'
  | 'secp256k1'
  | 'oct'
  | 'attacker-rsa'
  | 'attacker-ec'
  | 'attacker-ed'

/** A key of the issuer as a case sees it; the private half stays with the issuer. */
export interface SigningKey {
  readonly role: KeyRole
  readonly kid: string
  readonly kty: 'RSA' | 'EC' | 'OKP' | 'oct'
  /** The algorithm that it signs with unless `signAs` says otherwise. */
  readonly alg: Algorithm
  /** The public JWK exactly as the JWKS has it (for `oct`: with `k`). */
  readonly jwk: JsonObject
  /** SubjectPublicKeyInfo, PEM with LF and a final newline; empty for `oct`. */
  readonly spkiPem: string
  /** PKCS#1 RSAPublicKey, PEM; RSA keys only. */
  readonly pkcs1Pem?: string
  /** SubjectPublicKeyInfo, DER; empty for `oct`. */
  readonly spkiDer: Uint8Array
  /** RFC 7638 SHA-256 thumbprint, base64url. */
  readonly thumbprint: string
}

/** The issuer's keys, by role. */
export interface Keys {
  /** The key that control tokens are signed with: the first algorithm that the origin accepts. */
  readonly main: SigningKey
  readonly get: (role: KeyRole) => SigningKey
}

/** A credential as it goes on the wire, with what the bench must know of it to prove and to report a step. */
export interface Token {
  /** The octets of the token as ISO 8859-1 text; any octet can occur in a malformed one. */
  readonly compact: string
  /** True for an unaltered control token: refusing it says nothing about the stimulus, only about the control. */
  readonly control: boolean
  /** Role of the published key whose control token must be accepted, or a refusal of this token proves nothing. */
  readonly provenBy: KeyRole
  /** `sub` of the claims, when it is a string. */
  readonly subject?: string
  /** True when it holds any part of a credential that the user gave: never printed. */
  readonly yours: boolean
}

/** How a token departs from the control token. Every part can be replaced down to its octets. */
export interface MintOptions {
  /** Key to sign with (default: the main key), or the octets of an HMAC secret. */
  readonly key?: SigningKey | Uint8Array
  /** Changes to the header {alg, kid, typ}; `undefined` removes a member. */
  readonly header?: Change
  /** Algorithm of the signature when it is not the header's; an unknown header `alg` needs it. */
  readonly signAs?: Algorithm
  /** Text or octets in place of the header's JSON. */
  readonly headerText?: string | Uint8Array
  /** Text or octets in place of the claims' JSON, signed as they are. */
  readonly payloadText?: string | Uint8Array
  /** Octets in place of the signature, or a change to the signature that was computed. */
  readonly signature?: Uint8Array | ((signature: Uint8Array) => Uint8Array)
  /** Signs over the unencoded payload as RFC 7797 has it; header members are the caller's to set. */
  readonly unencodedPayload?: boolean
}

/** Mints a token by the clock of the implementation under test: BASE claims with these changes. */
export type Mint = (claims?: Change, options?: MintOptions) => Token

/** How a JWE in compact form is made (RFC 7516 section 7.1). */
export interface JweOptions {
  /** `RSA-OAEP-256` and `ECDH-ES` encrypt to `key`; `PBES2-HS256+A128KW` and `dir` carry no real recipient. */
  readonly alg: 'RSA-OAEP-256' | 'ECDH-ES' | 'PBES2-HS256+A128KW' | 'dir'
  readonly enc: 'A256GCM' | 'A128CBC-HS256'
  readonly key: SigningKey
  readonly header?: Change
  /** Compresses the plaintext (`zip: "DEF"`). */
  readonly deflate?: boolean
}

/** The same token with other octets; no longer a control. */
export function altered(token: Token, compact: string): Token {
  return { ...token, compact, control: false }
}
