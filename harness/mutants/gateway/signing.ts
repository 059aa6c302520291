import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Verdict } from '../../gateway/reply.ts'
import type { RingKey } from '../../gateway/tokens/ring.ts'
import type { RingStore } from '../../gateway/tokens/ring-store.ts'
import type { JwtService } from '../../gateway/tokens/service.ts'
import { base64url, octets, segmentsOf } from '../../model/compact.ts'
import type { Change, JsonObject } from '../../model/json.ts'
import { signatureOf, thumbprintOf } from '../../signing/jws.ts'
import type { GatewayFlaw } from '../../targets/embedded-gateway.ts'

/** A JWT service with something done otherwise. */
export function service(change: (made: JwtService) => Partial<JwtService>): GatewayFlaw {
  return { options: { wrap: { tokens: (made) => ({ ...made, ...change(made) }) } } }
}

/** Claims that replace those of every token, made from all that the reference gives it. */
export function claiming(change: (claims: Claims) => JsonObject): GatewayFlaw {
  return service((made) => ({
    sign(claims, lifetimeSec) {
      return made.sign({ ...claims, ...change(claimsOf(made.sign(claims, lifetimeSec))) }, lifetimeSec)
    },
  }))
}

/** Claims of a token of the reference; times are seconds since the epoch. */
export type Claims = JsonObject & {
  readonly iss: string
  readonly aud: string
  readonly iat: number
  readonly exp: number
}

/** Claims of a token of the reference. */
export function claimsOf(compact: string): Claims {
  return JSON.parse(textOf(segmentsOf(compact).payload)) as Claims
}

/** What a token is made of, before it is signed. */
export interface Parts {
  readonly header: Change
  /** The claims, as they are written. */
  readonly payload: string
}

/** How a token is made otherwise; what is left out is as in the reference. */
export interface Forge {
  readonly parts?: (parts: Parts) => Partial<Parts>
  readonly encode?: (data: string | Uint8Array) => string
  /** Octets of the signature over the input, by the key that kid of the reference names. */
  readonly signature?: (input: string, key: RingKey, privateKey: KeyObject) => Uint8Array
}

/** Signs every token anew, in parts that the reference does not let anyone change. */
export function forging(forge: Forge): GatewayFlaw {
  const keys = new Map<string, RingKey>()
  return {
    options: {
      wrap: {
        ring: (made) => rememberingKeys(made, keys),
        tokens: (made) => ({
          ...made,
          sign: (claims, lifetimeSec) => forged(made.sign(claims, lifetimeSec), keys, forge),
        }),
      },
    },
  }
}

function forged(compact: string, keys: ReadonlyMap<string, RingKey>, forge: Forge): string {
  const { header: head, payload: body } = segmentsOf(compact)
  const header = JSON.parse(textOf(head)) as JsonObject
  const parts = { header, payload: textOf(body) }
  const { header: otherHeader, payload } = { ...parts, ...forge.parts?.(parts) }
  const key = keys.get(String(header['kid']))
  if (!key) throw new Error('The signing key of the reference was not seen')
  const privateKey = createPrivateKey({ key: key.jwk, format: 'jwk' })
  const encode = forge.encode ?? base64url
  const input = `${encode(JSON.stringify(otherHeader))}.${encode(payload)}`
  const signature =
    forge.signature?.(input, key, privateKey) ?? signatureOf(privateKey, key.alg, Buffer.from(input, 'latin1'))
  return `${input}.${encode(signature)}`
}

function textOf(segment: string): string {
  return Buffer.from(octets(segment)).toString('utf8')
}

function rememberingKeys(store: RingStore, keys: Map<string, RingKey>): RingStore {
  const remember = <T extends { readonly keys: readonly RingKey[] } | undefined>(ring: T): T => {
    for (const key of ring?.keys ?? []) keys.set(key.kid, key)
    return ring
  }
  return {
    ...store,
    async update(change) {
      return remember(await store.update((held) => remember(change(held))))
    },
    async read() {
      return remember(await store.read())
    },
  }
}

/** An answer of the service with other keys in its JWKS. */
export function publishing(change: (keys: readonly JsonObject[], service: JwtService) => unknown): GatewayFlaw {
  return service((made) => ({ answer: answering(made, (keys) => change(keys, made)) }))
}

/** The answers of the service, with `keys` of its JWKS replaced. */
export function answering(made: JwtService, change: (keys: readonly JsonObject[]) => unknown): JwtService['answer'] {
  return (path, method, headers) => {
    const verdict = made.answer(path, method, headers)
    if (!path.endsWith('/jwks.json') || !isServed(verdict)) return verdict
    const { keys } = JSON.parse(verdict.body) as { readonly keys: readonly JsonObject[] }
    return { ...verdict, body: JSON.stringify({ keys: change(keys) }) }
  }
}

/** Whether it is an answer with a body. */
export function isServed(verdict: Verdict | undefined): verdict is Extract<Verdict, { readonly body: string }> {
  return verdict !== undefined && 'body' in verdict && verdict.status === 200
}

/** kid of a token of the reference. */
export function kidOf(compact: string): string {
  return String((JSON.parse(textOf(segmentsOf(compact).header)) as JsonObject)['kid'])
}

/** Both flaws in the JWT service, the second on top of the first. */
export function both(first: GatewayFlaw, change: (made: JwtService) => Partial<JwtService>): GatewayFlaw {
  const { wrap = {} } = first.options ?? {}
  const tokens = (made: JwtService): JwtService => {
    const changed = wrap.tokens?.(made) ?? made
    return { ...changed, ...change(changed) }
  }
  return { ...first, options: { ...first.options, wrap: { ...wrap, tokens } } }
}

/** A signing key that is not of the ring. */
export interface OwnKey {
  readonly kid: string
  /** As it is published. */
  readonly jwk: JsonObject
  /** The token with the same claims, signed by this key. */
  readonly sign: (compact: string) => string
}

/** Makes an Ed25519 key. */
export function ownKey(): OwnKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const material = publicKey.export({ format: 'jwk' }) as JsonObject
  const kid = thumbprintOf(material)
  const header = base64url(JSON.stringify({ alg: 'EdDSA', kid, typ: 'JWT' }))
  return {
    kid,
    jwk: { ...material, use: 'sig', alg: 'EdDSA', kid },
    sign(compact) {
      const input = `${header}.${segmentsOf(compact).payload}`
      return `${input}.${base64url(signatureOf(privateKey, 'EdDSA', Buffer.from(input)))}`
    },
  }
}

/** Seconds since the epoch by the clock of the gateway. */
export function nowOf({ sign }: JwtService): number {
  return claimsOf(sign({}, 1)).iat
}
