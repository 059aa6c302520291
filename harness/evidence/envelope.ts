import { strictObject } from '../origin/strict-json.ts'

/** The only payload that an envelope of ours may hold: an in-toto statement. */
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json'

/** A DSSE envelope whose parts are decoded and not verified: nothing of it is to be believed. */
export interface Envelope {
  readonly payloadType: string
  readonly payload: Uint8Array
  readonly signatures: readonly { readonly signature: Uint8Array; readonly keyid?: string }[]
}

/** What is signed, by DSSE v1: the type and the payload, each behind its length in octets. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType, 'utf8')
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${type.length} `),
    type,
    Buffer.from(` ${payload.length} `),
    Buffer.from(payload),
  ])
}

/** The envelope around a payload as JSON, signed once. */
export function envelopeText(
  payload: Uint8Array,
  signer: { readonly keyid: string; readonly sign: (octets: Uint8Array) => Uint8Array },
): string {
  const sig = Buffer.from(signer.sign(preAuthEncoding(PAYLOAD_TYPE, payload))).toString('base64')
  const envelope = {
    payload: Buffer.from(payload).toString('base64'),
    payloadType: PAYLOAD_TYPE,
    signatures: [{ keyid: signer.keyid, sig }],
  }
  return `${JSON.stringify(envelope, undefined, 2)}\n`
}

/** Reads an envelope; a string says what is wrong with it. Other members are ignored, as DSSE wants it. */
export function readEnvelope(octets: Uint8Array): Envelope | string {
  const read = strictObject(octets)
  if (!read) return 'no JSON object, or one with a repeated member'
  const { payload, payloadType, signatures } = read.value
  if (typeof payloadType !== 'string') return 'without a payloadType'
  const body = octetsOf(payload)
  if (!body) return 'its payload is not base64'
  if (!Array.isArray(signatures) || signatures.length === 0) return 'without a signature'
  const decoded = signatures.map(signatureOf)
  const isWhole = (one: (typeof decoded)[number]): one is NonNullable<typeof one> => one !== undefined
  if (!decoded.every(isWhole)) return 'a signature of it is not base64, or its keyid is no text'
  return { payloadType, payload: body, signatures: decoded }
}

function signatureOf(value: unknown): Envelope['signatures'][number] | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { sig, keyid } = value as { readonly sig?: unknown; readonly keyid?: unknown }
  const signature = octetsOf(sig)
  if (!signature || (keyid !== undefined && typeof keyid !== 'string')) return undefined
  return { signature, ...(keyid === undefined ? {} : { keyid }) }
}

/** Decodes base64 of either alphabet, written in the one way that its octets have; undefined for all else. */
function octetsOf(text: unknown): Buffer | undefined {
  if (typeof text !== 'string') return undefined
  const octets = Buffer.from(text, 'base64')
  const [standard, urlSafe] = [octets.toString('base64'), octets.toString('base64url')]
  const padded = urlSafe.padEnd(standard.length, '=')
  return octets.length > 0 && [standard, urlSafe, padded].includes(text) ? octets : undefined
}
