import type { OriginProfile } from './profile.ts'

/** How a gateway signs towards its origins, as its vendor documents it. */
export interface GatewayPreset {
  readonly name: string
  readonly description: string
  /** The page that says so. */
  readonly source: string
  /** Where the issuer is on its host. */
  readonly paths: IssuerPaths
  /** URLs that origins behind it have hard-coded, where they are the same for everyone. */
  readonly known?: { readonly issuer: string; readonly jwksUrl: string }
  readonly profile: OriginProfile
}

/** Paths of an issuer on its host. */
export interface IssuerPaths {
  readonly issuer: string
  readonly jwks: string
  /** Folder in which each key is PEM under its kid, where the gateway publishes no JWKS. */
  readonly pem?: string
}

const BEARER = { header: 'Authorization', scheme: 'Bearer' } as const

/** The gateways that are known by name; the first one is the default. */
export const GATEWAYS = [
  {
    name: 'zuplo',
    description: 'Zuplo with its JWT service plugin: Bearer token, EdDSA unless it is told otherwise',
    source: 'https://zuplo.com/docs/programmable-api/jwt-service-plugin',
    paths: { issuer: '/__zuplo/issuer', jwks: '/__zuplo/issuer/.well-known/jwks.json' },
    profile: { token: BEARER },
  },
  {
    name: 'pomerium',
    description: 'Pomerium: assertion in a header of its own, without a scheme, ES256',
    source: 'https://www.pomerium.com/docs/capabilities/getting-users-identity',
    paths: { issuer: '', jwks: '/.well-known/pomerium/jwks.json' },
    profile: { token: { header: 'X-Pomerium-Jwt-Assertion', scheme: '' }, algorithms: ['ES256'] },
  },
  {
    name: 'google-iap',
    description: 'Google Identity-Aware Proxy: assertion in a header of its own, ES256, one issuer for everyone',
    source: 'https://cloud.google.com/iap/docs/signed-headers-howto',
    paths: { issuer: '/iap', jwks: '/iap/verify/public_key-jwk' },
    known: {
      issuer: 'https://cloud.google.com/iap',
      jwksUrl: 'https://www.gstatic.com/iap/verify/public_key-jwk',
    },
    profile: {
      token: { header: 'X-Goog-IAP-JWT-Assertion', scheme: '' },
      algorithms: ['ES256'],
      audience: '/projects/1/apps/trustspec-example',
    },
  },
  {
    name: 'cloudflare-access',
    description: 'Cloudflare Access: assertion in a header of its own, RS256',
    source: 'https://developers.cloudflare.com/cloudflare-one/identity/authorization-cookie/validating-json/',
    paths: { issuer: '', jwks: '/cdn-cgi/access/certs' },
    profile: { token: { header: 'Cf-Access-Jwt-Assertion', scheme: '' }, algorithms: ['RS256'] },
  },
  {
    name: 'aws-alb',
    description: 'AWS Application Load Balancer: ES256 with base64 padding, a PEM file for each kid, no audience',
    source: 'https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html',
    paths: { issuer: '', jwks: '/jwks.json', pem: '' },
    profile: {
      token: { header: 'X-Amzn-Oidc-Data', scheme: '' },
      algorithms: ['ES256'],
      audience: null,
      padding: true,
      jwks: { mode: 'per-kid' },
      requiredClaims: ['iss', 'exp', 'sub'],
    },
  },
  {
    name: 'generic',
    description: 'Any gateway: Bearer token, JWKS below the issuer',
    source: 'https://www.rfc-editor.org/rfc/rfc6750#section-2.1',
    paths: { issuer: '/issuer', jwks: '/issuer/.well-known/jwks.json' },
    profile: { token: BEARER },
  },
] as const satisfies readonly GatewayPreset[]

/** The gateway of that name. */
export function gatewayOf(name: string): GatewayPreset | undefined {
  return GATEWAYS.find((gateway) => gateway.name === name)
}
