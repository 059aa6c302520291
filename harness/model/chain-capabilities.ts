import type { Capability } from './capabilities.ts'

const hook = (name: string): string => `"hooks": {"${name}": …} in trustspec.config.ts`
const CLOCKS = 'clocks of both sides that can be moved'
const CLOCK_UNLOCK = 'no argument at all (the embedded chain), or a clock URL of the gateway and of the origin'

/** What a case about gateway and origin together can need. Whether one is met is decided in one place, by the runner. */
export const CHAIN_CAPABILITIES = {
  key: { says: 'an API key that works', unlock: '--api-key KEY' },
  'second-consumer': { says: 'a key of a second consumer', unlock: '--api-key twice, or "keys" of the gateway' },
  'identity-echo': {
    says: 'an answer of the origin that tells which subject it was given to',
    unlock: '"identityEcho" of the origin, or --identity-echo',
  },
  'origin-url': { says: 'the URL of the origin itself', unlock: '--origin-url URL' },
  direct: {
    says: 'an origin that the run reaches past the gateway',
    unlock: '--origin-url URL, from a place where the origin answers',
  },
  tap: {
    says: 'a tap between gateway and origin',
    unlock: '--tap-port N and --origin-url URL, with the origin of the gateway set to the tap',
  },
  'jwks-proxy': {
    says: 'an origin that fetches the JWKS through the proxy of the run',
    unlock: '--jwks-proxy-port N and --jwks-url URL, with the JWKS URL of the origin set to the proxy',
  },
  jwks: { says: 'the JWKS of the gateway', unlock: '--jwks-url URL' },
  'token-passage': {
    says: `a longest token lifetime of at most 3 s with the leeway of the origin, or ${CLOCKS}`,
    unlock: `"maxLifetimeSec" of the gateway and "leewaySec" of the origin, at most 3 together, or ${CLOCK_UNLOCK}`,
  },
  'rotation-passage': {
    says: `a declared longest token lifetime, of at most 3 s unless there are ${CLOCKS}`,
    unlock: `"maxLifetimeSec" of the gateway, 3 or less, or ${CLOCK_UNLOCK}`,
  },
  overlap: {
    says: 'a declared overlap of rotations that is as long as the cooldown of the origin',
    unlock: '"rotationOverlapSec" of the gateway, at least "jwks": {"cooldownSec": N} of the origin',
  },
  'jwks-cooldown': {
    says: `a declared cooldown of the origin, of at most 3 s unless there are ${CLOCKS}`,
    unlock: `"jwks": {"cooldownSec": N} of the origin, 3 or less, or ${CLOCK_UNLOCK}`,
  },
  'jwks-max-age': {
    says: `a declared bound on the age of the JWKS at the origin, of at most 3 s unless there are ${CLOCKS}`,
    unlock: `"jwks": {"maxAgeSec": N} of the origin, 3 or less, or ${CLOCK_UNLOCK}`,
  },
  leeway: { says: 'a declared leeway of the origin above 10 s', unlock: '"leewaySec" of the origin' },
  'max-lifetime': { says: 'a declared longest token lifetime', unlock: '"maxLifetimeSec" of the gateway' },
  clocks: { says: CLOCKS, unlock: CLOCK_UNLOCK },
  'rotate-signing-key': { says: 'a way to rotate the signing key', unlock: hook('rotateSigningKey') },
  'revoke-signing-key': { says: 'a way to revoke a signing key', unlock: hook('revokeSigningKey') },
  restart: { says: 'a way to restart the gateway', unlock: hook('restart') },
  instances: { says: 'a second instance of the gateway', unlock: '"instances" of the gateway' },
} as const satisfies Record<string, Capability>

export type ChainCapability = keyof typeof CHAIN_CAPABILITIES
