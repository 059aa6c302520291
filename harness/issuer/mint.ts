import { base64url } from '../model/compact.ts'
import type { Change, Json, JsonObject } from '../model/json.ts'
import { ALGORITHMS, PUBLISHED_ALGORITHMS } from '../model/token.ts'
import type { Algorithm, KeyRole, Mint, MintOptions, SigningKey, Token } from '../model/token.ts'
import { hmac } from '../signing/jws.ts'
import type { KeyStore } from './keys.ts'

/** What every token of one minter starts from. */
export interface MintSettings {
  readonly keys: KeyStore
  /** Key of control tokens; may be a copy of a key under another kid. */
  readonly main: SigningKey
  /** Header and claims of a control token, by the clock of the implementation under test; called once for each token. */
  readonly base: (key: SigningKey) => { readonly header: JsonObject; readonly claims: JsonObject }
  /** Whether a token without changes must be accepted. */
  readonly trusted: boolean
  /** Segments keep their base64 padding. */
  readonly padding?: boolean
}

const OWN_CONTROL: ReadonlySet<KeyRole> = new Set<KeyRole>([...PUBLISHED_ALGORITHMS, 'no-alg-rsa', 'no-alg-ec'])

/** Makes tokens out of octets, each part as the caller wants it. */
export function createMint(settings: MintSettings): Mint {
  const { keys, main, base, trusted } = settings
  const encoded = settings.padding ? padded : base64url
  return (claims = {}, options = {}) => {
    const key = options.key && !(options.key instanceof Uint8Array) ? options.key : main
    const start = base(key)
    const header = changed(start.header, {
      ...(options.key instanceof Uint8Array ? { alg: 'HS256' } : {}),
      ...options.header,
    })
    const payload = changed(start.claims, claims)
    const algorithm = algorithmOf(options, header, key)
    const headerPart = encoded(options.headerText ?? JSON.stringify(header))
    const payloadOctets = Buffer.from((options.payloadText ?? JSON.stringify(payload)) as string)
    const payloadPart = options.unencodedPayload ? payloadOctets.toString('latin1') : encoded(payloadOctets)
    const input = Buffer.from(`${headerPart}.${payloadPart}`, 'latin1')
    const signature = signatureOf(options, () =>
      options.key instanceof Uint8Array ? hmac(options.key, algorithm, input) : keys.sign(key.role, algorithm, input),
    )
    const subject = subjectOf(options, payload)
    return {
      compact: `${headerPart}.${payloadPart}.${encoded(signature)}`,
      control: trusted && isUnchanged(claims, options) && (key === main || OWN_CONTROL.has(key.role)),
      provenBy: OWN_CONTROL.has(key.role) ? key.role : main.role,
      ...(subject === undefined ? {} : { subject }),
      yours: false,
    } satisfies Token
  }
}

/** Base64url with the padding that RFC 7515 section 2 leaves out. */
function padded(data: string | Uint8Array): string {
  const text = base64url(data)
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

function changed(object: JsonObject, change: Change): JsonObject {
  const members = Object.entries({ ...object, ...change }).filter(
    (member): member is [string, Json] => member[1] !== undefined,
  )
  // A null prototype, so that a member named __proto__ is a member.
  return Object.assign(Object.create(null) as Record<string, Json>, Object.fromEntries(members))
}

function algorithmOf({ signAs, key: given }: MintOptions, header: JsonObject, key: SigningKey): Algorithm {
  const named = ALGORITHMS.find((algorithm) => algorithm === header['alg'])
  const fitting = given instanceof Uint8Array ? named?.startsWith('HS') : named !== undefined && fits(named, key)
  return signAs ?? (fitting ? named : undefined) ?? (given instanceof Uint8Array ? 'HS256' : key.alg)
}

/** Whether a key of that type can compute the algorithm at all. */
function fits(algorithm: Algorithm, { kty }: SigningKey): boolean {
  const types = { R: 'RSA', P: 'RSA', E: algorithm.startsWith('Ed') ? 'OKP' : 'EC', H: 'oct' } as const
  return types[algorithm[0] as keyof typeof types] === kty
}

function signatureOf({ signature }: MintOptions, compute: () => Uint8Array): Uint8Array {
  if (signature instanceof Uint8Array) return signature
  return signature ? signature(compute()) : compute()
}

function subjectOf({ payloadText }: MintOptions, payload: JsonObject): string | undefined {
  let claims: unknown = payload
  if (payloadText !== undefined) {
    try {
      claims = JSON.parse(Buffer.from(payloadText as string).toString('utf8'))
    } catch {
      return undefined
    }
  }
  const subject = typeof claims === 'object' && claims !== null && 'sub' in claims ? claims.sub : undefined
  return typeof subject === 'string' ? subject : undefined
}

function isUnchanged(claims: Change, options: MintOptions): boolean {
  return (
    Object.keys(claims).length === 0 &&
    Object.keys(options).every((name) => name === 'key') &&
    !(options.key instanceof Uint8Array)
  )
}
