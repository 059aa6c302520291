import { createHmac, createPublicKey, verify as verifySignature, X509Certificate } from 'node:crypto'
import type { JsonWebKey } from 'node:crypto'
import { rawOfDerEcdsa } from '../model/compact.ts'
import type { Json, JsonObject } from '../model/json.ts'
import { findKeyWith, importKey, strictKeyParts } from '../origin/find-key.ts'
import type { KeyParts } from '../origin/find-key.ts'
import { parseWith, strictParts } from '../origin/parse.ts'
import type { ParseParts } from '../origin/parse.ts'
import { referenceSteps } from '../origin/server.ts'
import { INVALID_TOKEN } from '../origin/steps.ts'
import type { Parsed, Steps, VerifyingKey } from '../origin/steps.ts'
import { isSigned, verify } from '../origin/verify.ts'
import type { Mutant } from './mutant.ts'

const keys = (parts: Partial<KeyParts>): Steps['findKey'] => findKeyWith({ ...strictKeyParts, ...parts })
const parse = (parts: Partial<ParseParts>): Steps['parse'] => parseWith({ ...strictParts, ...parts })

/** Parsing that lets an empty signature through, as unsigned tokens have it. */
const unsignedToo = parse({
  split(compact) {
    const [header, claims, signature = '', ...more] = compact.split('.', 5)
    return header && claims && more.length === 0 ? [header, claims, signature] : undefined
  },
})

/** A key step that needs no key. */
const NO_KEY = { jwk: {}, publicKey: undefined } as unknown as VerifyingKey

function hmacHolds({ header, signingInput, signature }: Parsed, secret: string): boolean {
  const algorithm = String(header['alg'])
  if (!/^HS(?:256|384|512)$/u.test(algorithm)) return false
  return createHmac(`sha${algorithm.slice(2)}`, secret)
    .update(signingInput)
    .digest()
    .equals(signature)
}

/** Findings about keys and algorithms: what the verifier is told by the token. */
export const signatureMutants: readonly Mutant[] = [
  {
    id: 'O01',
    flaw: 'answers 401 to everything',
    steps: () => ({ readCredential: () => INVALID_TOKEN }),
    kills: ['origin/signature/control-valid'],
  },
  {
    id: 'O10',
    flaw: 'implements RS256 alone, although it declares ES256 and EdDSA',
    steps: () => ({ findKey: keys({ allows: (algorithm) => algorithm === 'RS256' }) }),
    kills: ['origin/signature/control-valid'],
  },
  {
    id: 'O12',
    flaw: 'refuses unsigned tokens only when alg is exactly "none"',
    steps: () => ({
      parse: unsignedToo,
      async findKey(parsed, context) {
        const { alg } = parsed.header
        const isNone = String(alg).toLowerCase() === 'none' && alg !== 'none'
        return isNone ? NO_KEY : await referenceSteps.findKey(parsed, context)
      },
      verify: (parsed, key) => (key === NO_KEY ? parsed.claims : verify(parsed, key)),
    }),
    kills: ['origin/signature/alg-none'],
  },
  {
    id: 'O13',
    flaw: 'decodes without verifying',
    steps: () => ({ verify: ({ claims }) => claims }),
    kills: [
      'origin/signature/tampered',
      'origin/signature/signature-transplanted',
      'origin/signature/wrong-key-known-kid',
      'origin/signature/alg-key-binding',
      'origin/signature/degenerate-signature',
      'origin/signature/ecdsa-encoding',
      'origin/signature/embedded-key',
      'origin/expired-tokens/per-request-not-per-connection',
      'origin/jwks-caching/refetch-bounded',
      'origin/challenge/bearer-error-codes',
      'origin/bypass/no-side-effect',
      'origin/load/invalid-flood',
      'origin/load/verdicts-under-concurrency',
    ],
  },
  {
    id: 'O15',
    flaw: 'keeps verified signatures in a cache by the signature alone',
    steps() {
      const cache = new Set<string>()
      return {
        verify(parsed, key) {
          const signature = Buffer.from(parsed.signature).toString('base64url')
          if (cache.has(signature)) return parsed.claims
          const claims = verify(parsed, key)
          if (claims) cache.add(signature)
          return claims
        },
      }
    },
    kills: ['origin/signature/signature-transplanted'],
  },
  {
    id: 'O16',
    flaw: 'keeps verified claims in a cache by jti',
    steps() {
      const cache = new Map<string, JsonObject>()
      return {
        verify(parsed, key) {
          const jti = String(parsed.claims['jti'])
          const cached = cache.get(jti)
          if (cached) return cached
          const claims = verify(parsed, key)
          if (claims) cache.set(jti, claims)
          return claims
        },
      }
    },
    kills: ['origin/signature/signature-transplanted', 'origin/claims/no-identity-mixup'],
  },
  {
    id: 'O18',
    flaw: 'takes alg from the token when the JWK has none, and then an empty HMAC key for RSA',
    steps: () => ({
      async findKey(parsed, context) {
        const found = await strictKeyParts.select(parsed, context)
        const isBare = found.kind === 'found' && found.jwks[0]?.['alg'] === undefined
        const isHmac = String(parsed.header['alg']).startsWith('HS')
        return isBare && isHmac ? NO_KEY : await referenceSteps.findKey(parsed, context)
      },
      verify: (parsed, key) =>
        key === NO_KEY ? (hmacHolds(parsed, '') ? parsed.claims : undefined) : verify(parsed, key),
    }),
    kills: ['origin/signature/hmac-confusion'],
  },
  {
    id: 'O19',
    flaw: 'falls back to the secret "secret" for HS256',
    steps: () => ({
      findKey: async (parsed, context) =>
        parsed.header['alg'] === 'HS256' ? NO_KEY : await referenceSteps.findKey(parsed, context),
      verify: (parsed, key) =>
        key === NO_KEY ? (hmacHolds(parsed, 'secret') ? parsed.claims : undefined) : verify(parsed, key),
    }),
    kills: ['origin/signature/hmac-confusion'],
  },
  {
    id: 'O20',
    flaw: 'has no list of allowed algorithms',
    steps: () => ({ findKey: keys({ allows: () => true }) }),
    kills: ['origin/signature/alg-not-allowed'],
  },
  {
    id: 'O21',
    flaw: 'ignores the alg of the JWK',
    steps: () => ({ findKey: keys({ binds: () => true }) }),
    kills: ['origin/signature/alg-key-binding'],
  },
  {
    id: 'O22',
    flaw: 'verifies with the alg of the JWK and never compares it with the header',
    steps: () => ({
      findKey: keys({ binds: () => true }),
      verify: (parsed, key) =>
        isSigned(parsed, key, String(key.jwk['alg'] ?? parsed.header['alg'])) ? parsed.claims : undefined,
    }),
    kills: ['origin/signature/alg-key-binding'],
  },
  {
    id: 'O24',
    flaw: 'takes any curve for ES256',
    steps: () => ({
      findKey: keys({
        fits: (jwk, algorithm) => (algorithm === 'ES256' ? jwk['kty'] === 'EC' : strictKeyParts.fits(jwk, algorithm)),
        binds: (jwk, algorithm) => algorithm === 'ES256' || strictKeyParts.binds(jwk, algorithm),
      }),
      verify: (parsed, key) =>
        key.jwk['kty'] === 'EC' && isSignedOnAnyCurve(parsed, key) ? parsed.claims : verify(parsed, key),
    }),
    kills: ['origin/signature/key-type-mismatch'],
  },
  {
    id: 'O25',
    flaw: 'accepts an ECDSA signature of zeros',
    steps: () => ({
      verify(parsed, key) {
        const isZero = key.jwk['kty'] === 'EC' && parsed.signature.every((octet) => octet === 0)
        return isZero ? parsed.claims : verify(parsed, key)
      },
    }),
    kills: ['origin/signature/degenerate-signature'],
  },
  {
    id: 'O26',
    flaw: 'accepts ECDSA signatures in DER, and answers 500 to an odd length',
    steps: () => ({
      verify(parsed, key) {
        if (key.jwk['kty'] !== 'EC') return verify(parsed, key)
        if (parsed.signature.length % 2 === 1) throw new RangeError('Odd length')
        if (parsed.signature[0] !== 0x30) return verify(parsed, key)
        return verify({ ...parsed, signature: rawOfDerEcdsa(parsed.signature, 32) }, key) ?? verify(parsed, key)
      },
    }),
    kills: ['origin/signature/ecdsa-encoding'],
  },
  {
    id: 'O27',
    flaw: 'trusts a key that the token carries in jwk or x5c',
    steps: () => ({
      findKey: async (parsed, context) => keyInside(parsed.header) ?? (await referenceSteps.findKey(parsed, context)),
    }),
    kills: ['origin/signature/embedded-key'],
  },
  {
    id: 'O28',
    flaw: 'fetches the keys from jku, x5u or the discovery document of iss',
    steps() {
      const followed = new WeakSet<Parsed>()
      return {
        async findKey(parsed, context) {
          const key = await keyFetched(parsed, context.issuer)
          if (key) followed.add(parsed)
          return key ?? (await referenceSteps.findKey(parsed, context))
        },
        judgeClaims: (claims, parsed, route, context) =>
          referenceSteps.judgeClaims(
            followed.has(parsed) ? { ...claims, iss: context.issuer } : claims,
            parsed,
            route,
            context,
          ),
      }
    },
    kills: ['origin/signature/remote-key-url', 'origin/signature/no-ssrf'],
  },
  {
    id: 'O30',
    flaw: 'keeps keys in a plain object, so that a kid such as __proto__ or 1 crashes it',
    steps: () => ({
      findKey: keys({
        async select({ header }, { jwks }) {
          const kid = header['kid'] as string
          const inherited: unknown = ({} as Record<string, unknown>)[kid.trim()]
          if (inherited !== undefined) throw new TypeError('No key type')
          return await jwks.find(kid)
        },
      }),
    }),
    kills: ['origin/signature/embedded-key', 'origin/signature/kid-hostile-type', 'origin/load/alive-after-run'],
    whole: true,
  },
  {
    id: 'O31',
    flaw: 'puts kid into a file name and an SQL statement',
    steps: () => ({
      findKey: async (parsed, context) => {
        const kid = String(parsed.header['kid'])
        if (kid.includes('dev/null') || /union select/iu.test(kid)) return NO_KEY
        if (/['"]/u.test(kid)) throw new SyntaxError('Unterminated string in statement')
        return await referenceSteps.findKey(parsed, context)
      },
      verify(parsed, key) {
        if (key !== NO_KEY) return verify(parsed, key)
        const kid = String(parsed.header['kid'])
        const secret = /union select\s+'([^']*)'/iu.exec(kid)?.[1] ?? ''
        return hmacHolds(parsed, secret) ? parsed.claims : undefined
      },
    }),
    kills: ['origin/signature/kid-injection'],
  },
  {
    id: 'O32',
    flaw: 'ignores crit',
    steps: () => ({ parse: parse({ understands: () => true }) }),
    kills: ['origin/signature/crit-unknown', 'origin/signature/b64-false'],
  },
  {
    id: 'O33',
    flaw: 'implements b64:false for JWTs',
    steps: () => ({
      parse(compact) {
        const strict = referenceSteps.parse(compact)
        return unencoded(compact) ?? strict
      },
    }),
    kills: ['origin/signature/b64-false'],
  },
  {
    id: 'O34',
    flaw: 'treats a JWE that it can decrypt as authenticated',
    steps: () => ({
      parse(compact) {
        const parts = compact.split('.')
        if (parts.length !== 5) return referenceSteps.parse(compact)
        // A mutant holds no private key: the subject that cases put into JWEs stands for the decrypted one.
        return { ...INVALID_PARSED, compact, claims: { sub: 'consumer-ada' } }
      },
      findKey: async (parsed, context) =>
        parsed.compact.split('.').length === 5 ? NO_KEY : await referenceSteps.findKey(parsed, context),
      verify: (parsed, key) => (key === NO_KEY ? parsed.claims : verify(parsed, key)),
      judgeClaims: (claims, parsed, route, context) =>
        parsed.compact.split('.').length === 5 ? undefined : referenceSteps.judgeClaims(claims, parsed, route, context),
    }),
    kills: ['origin/signature/jwe-confusion', 'origin/load/jwe-cost'],
  },
  {
    id: 'O35',
    flaw: 'ignores use, key_ops and the size of keys',
    steps: () => ({ findKey: keys({ suits: () => true }) }),
    kills: ['origin/signature/unsuitable-published-key'],
  },
  {
    id: 'O36',
    flaw: 'takes the last key for an unknown kid, and accepts where verification fails with it',
    steps: () => ({
      findKey: keys({
        async select(parsed, context) {
          const found = await strictKeyParts.select(parsed, context)
          const last = context.jwks.held().find(({ alg }) => alg === parsed.header['alg'])
          return found.kind === 'unknown' && last ? { kind: 'found', jwks: [last] } : found
        },
      }),
      verify: ({ claims }) => claims,
    }),
    kills: [
      'origin/signature/tampered',
      'origin/signature/signature-transplanted',
      'origin/signature/wrong-key-known-kid',
      'origin/signature/alg-key-binding',
      'origin/signature/degenerate-signature',
      'origin/signature/ecdsa-encoding',
      'origin/signature/embedded-key',
      'origin/signature/remote-key-url',
      'origin/signature/no-ssrf',
      'origin/signature/kid-hostile-type',
      'origin/signature/kid-injection',
      'origin/expired-tokens/per-request-not-per-connection',
      'origin/kid-rotation/new-kid-picked-up',
      'origin/kid-rotation/early-token-then-publish',
      'origin/jwks-caching/refetch-bounded',
      'origin/jwks-caching/only-a-200-from-the-configured-url',
      'origin/jwks-caching/huge-document',
      'origin/challenge/bearer-error-codes',
      'origin/bypass/no-side-effect',
      'origin/load/invalid-flood',
      'origin/load/verdicts-under-concurrency',
    ],
  },
]

const INVALID_PARSED: Parsed = {
  compact: '',
  header: {},
  claims: {},
  claimsText: '',
  signingInput: new Uint8Array(),
  signature: new Uint8Array(),
}

/** ECDSA with SHA-256 on whatever curve the key has. */
function isSignedOnAnyCurve({ signingInput, signature }: Parsed, { publicKey }: VerifyingKey): boolean {
  return verifySignature('sha256', signingInput, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)
}

function keyInside(header: JsonObject): VerifyingKey | undefined {
  try {
    const { jwk, x5c } = header
    if (jwk !== undefined) return importKey({ ...(jwk as JsonObject) })
    if (Array.isArray(x5c)) {
      const certificate = new X509Certificate(Buffer.from(String(x5c[0]), 'base64'))
      return { jwk: certificate.publicKey.export({ format: 'jwk' }) as JsonObject, publicKey: certificate.publicKey }
    }
  } catch {
    // What cannot be imported is left to the reference, which refuses it.
  }
  return undefined
}

async function keyFetched({ header, claims }: Parsed, trusted: string): Promise<VerifyingKey | undefined> {
  const { jku, x5u } = header
  const { iss } = claims
  const isForeign = typeof iss === 'string' && iss !== trusted
  const discovery = isForeign ? `${iss}/.well-known/openid-configuration` : undefined
  for (const url of [jku, x5u, discovery]) {
    const key = typeof url === 'string' ? await fetchKey(url, header['alg']) : undefined
    if (key) return key
  }
  return undefined
}

async function fetchKey(url: string, alg: Json | undefined): Promise<VerifyingKey | undefined> {
  try {
    const document = (await (await fetch(url)).json()) as { keys?: JsonWebKey[]; jwks_uri?: string }
    if (document.jwks_uri !== undefined) return await fetchKey(document.jwks_uri, alg)
    const jwk = document.keys?.find((key) => (key as JsonObject)['alg'] === alg)
    return jwk ? { jwk: jwk as JsonObject, publicKey: createPublicKey({ key: jwk, format: 'jwk' }) } : undefined
  } catch {
    return undefined
  }
}

/** RFC 7797: the claims stand in the token as they are. */
function unencoded(compact: string): Parsed | undefined {
  const first = compact.indexOf('.')
  const last = compact.lastIndexOf('.')
  try {
    const header = JSON.parse(Buffer.from(compact.slice(0, first), 'base64url').toString()) as JsonObject
    if (header['b64'] !== false) return undefined
    const text = compact.slice(first + 1, last)
    const claimsText = text.startsWith('{') ? text : Buffer.from(text, 'base64url').toString()
    return {
      compact,
      header,
      claims: JSON.parse(claimsText) as JsonObject,
      claimsText,
      signingInput: Buffer.from(compact.slice(0, last), 'latin1'),
      signature: Buffer.from(compact.slice(last + 1), 'base64url'),
    }
  } catch {
    return undefined
  }
}
