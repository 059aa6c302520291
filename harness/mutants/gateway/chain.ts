import { generateKeyPairSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { problem } from '../../gateway/reply.ts'
import type { Services } from '../../gateway/policy.ts'
import type { JwtService } from '../../gateway/tokens/service.ts'
import { base64url, octets, segmentsOf } from '../../model/compact.ts'
import type { JsonObject } from '../../model/json.ts'
import { signatureOf } from '../../signing/jws.ts'
import type { GatewayFlaw } from '../../targets/embedded-gateway.ts'

/** A signing key that a flawed service has made for itself. */
interface OwnKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly jwk: JsonObject
}

/** Keys that a flawed service signs with and publishes at the moment. */
interface OwnKeys {
  signing: OwnKey
  published: readonly OwnKey[]
  /** Revocations so far: tokens that are kept are of no use after one. */
  revocations: number
}

let made = 0

function makeKey(kid = `key-${(made += 1)}`): OwnKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const jwk = { ...(publicKey.export({ format: 'jwk' }) as JsonObject), use: 'sig', alg: 'EdDSA', kid }
  return { kid, privateKey, jwk }
}

/** What an operator does to the keys of a flawed service. */
interface Changes {
  readonly rotate: (keys: OwnKeys) => void
  readonly revoke: (keys: OwnKeys, kid: string) => void
}

/** As it should be: the next key is published before it signs, an old one stays, a revoked one is gone. */
const proper: Changes = {
  rotate(keys) {
    keys.signing = keys.published.at(-1) ?? keys.signing
    keys.published = [...keys.published, makeKey()]
  },
  revoke(keys, kid) {
    keys.published = [...keys.published.filter((key) => key.kid !== kid), makeKey()]
    if (keys.signing.kid === kid) keys.signing = keys.published[0] ?? keys.signing
    keys.revocations += 1
  },
}

/** The service with keys of its own in place of the ring; claims and paths are those of the reference. */
function signedBy(reference: JwtService, first: OwnKey, changes: Partial<Changes> = {}): JwtService {
  const keys: OwnKeys = { signing: first, published: [first, makeKey()], revocations: 0 }
  const { rotate, revoke } = { ...proper, ...changes }
  return {
    ...reference,
    generation: () => keys.revocations,
    sign(claims, lifetimeSec) {
      const { header, payload } = segmentsOf(reference.sign(claims, lifetimeSec))
      const { kid, privateKey } = keys.signing
      const own = { ...(JSON.parse(Buffer.from(octets(header)).toString()) as JsonObject), kid }
      const input = `${base64url(JSON.stringify(own))}.${payload}`
      return `${input}.${base64url(signatureOf(privateKey, 'EdDSA', Buffer.from(input, 'latin1')))}`
    },
    answer(path, method, headers) {
      if (!path.endsWith('/jwks.json')) return reference.answer(path, method, headers)
      const body = JSON.stringify({ keys: keys.published.map(({ jwk }) => jwk) })
      return { status: 200, headers: [['Content-Type', 'application/json']], body }
    },
    rotate() {
      rotate(keys)
      return Promise.resolve({ kid: keys.signing.kid, activeMs: 0 })
    },
    revoke(kid) {
      revoke(keys, kid)
      return Promise.resolve(true)
    },
  }
}

/** A gateway whose token service is made of another one; anew for each start of the first instance. */
function serving(tokens: (reference: JwtService) => JwtService): () => GatewayFlaw {
  return () => ({ options: { wrap: { tokens } } })
}

/** Signs what the services of the gateway sign, with other claims. */
function claiming(change: (claims: JsonObject, services: Services) => JsonObject): () => GatewayFlaw {
  return () => ({
    options: {
      adapt(services) {
        const { tokens } = services
        if (!tokens) return services
        const sign: typeof tokens.sign = (claims, seconds) =>
          tokens.sign({ ...claims, ...change(claims, services) }, seconds)
        return { ...services, tokens: { ...tokens, sign } }
      },
    },
  })
}

/** G01: refuses every request. */
export const refusesAll = (): GatewayFlaw => ({ options: { steps: { inbound: () => problem(401) } } })

/** G45: each instance has its own key and its own JWKS. */
export const signsApart = (): GatewayFlaw => ({ apart: 'signer' })

/** G49: drops the old key at once when the new one begins to sign. */
export const dropsOldKey = serving((reference) =>
  signedBy(reference, makeKey(), {
    rotate(keys) {
      keys.signing = makeKey()
      keys.published = [keys.signing]
    },
  }),
)

/** G50: a revoked signing key stays published and in use. */
export const keepsRevokedKey = serving((reference) => ({ ...reference, revoke: () => Promise.resolve(true) }))

/** G93: makes its signing key anew at every start, and gives it the same kid. */
export const renewsKeyAtStart = serving((reference) => signedBy(reference, makeKey('signing-key')))

/** G94: tokens are not valid before so many seconds from now. */
export const validLater = (seconds: number): (() => GatewayFlaw) =>
  claiming((_, { clock }) => ({ nbf: Math.floor(clock.nowMs() / 1000) + seconds }))

/** G180: tells the origin of every consumer by the same subject. */
export const namesOneConsumer = claiming(() => ({ sub: 'consumer' }))

/** G181: never publishes the key that a rotation brings. */
export const hidesNewKey = serving((reference) =>
  signedBy(reference, makeKey(), {
    rotate(keys) {
      keys.signing = makeKey()
    },
  }),
)

/** G182: takes a revoked key out of the JWKS, and goes on signing with it. */
export const signsWithRevokedKey = serving((reference) =>
  signedBy(reference, makeKey(), {
    revoke(keys, kid) {
      keys.published = keys.published.filter((key) => key.kid !== kid)
    },
  }),
)
