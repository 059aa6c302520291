/** The three segments of a JWS in compact form, still base64url (RFC 7515 section 7.1). */
export interface Segments {
  readonly header: string
  readonly payload: string
  readonly signature: string
}

/** Base64url without padding (RFC 7515 section 2); text is encoded as UTF-8. */
export function base64url(data: string | Uint8Array): string {
  return Buffer.from(data as Uint8Array).toString('base64url')
}

/** Octets of base64url text; lenient, for tokens that we made. */
export function octets(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64url'))
}

/** Splits a well-formed compact JWS. */
export function segmentsOf(compact: string): Segments {
  const [header = '', payload = '', signature = ''] = compact.split('.')
  return { header, payload, signature }
}

/** Joins segments, each replaced by the one in `change` if there is one. */
export function joined(segments: Segments, change: Partial<Segments> = {}): string {
  const { header, payload, signature } = { ...segments, ...change }
  return `${header}.${payload}.${signature}`
}

/** The same octets with one bit flipped; negative positions count from the end. */
export function flipBit(data: Uint8Array, position: number): Uint8Array {
  const copy = Uint8Array.from(data)
  const at = position < 0 ? copy.length + position : position
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

/** ECDSA signature R||S (RFC 7518 section 3.4) as the DER SEQUENCE of two INTEGERs. */
export function derOfRawEcdsa(raw: Uint8Array): Uint8Array {
  const half = raw.length / 2
  const body = [...derInteger(raw.subarray(0, half)), ...derInteger(raw.subarray(half))]
  return Uint8Array.from([0x30, ...(body.length < 0x80 ? [body.length] : [0x81, body.length]), ...body])
}

/** DER SEQUENCE of two INTEGERs as R||S with `size` octets each; throws RangeError when one does not fit. */
export function rawOfDerEcdsa(der: Uint8Array, size: number): Uint8Array {
  const raw = new Uint8Array(size * 2)
  let at = der[1] === 0x81 ? 3 : 2
  for (const offset of [0, size]) {
    const length = der[at + 1] ?? 0
    let integer = der.subarray(at + 2, at + 2 + length)
    while (integer.length > size && integer[0] === 0) integer = integer.subarray(1)
    raw.set(integer, offset + size - integer.length)
    at += 2 + length
  }
  return raw
}

function derInteger(unsigned: Uint8Array): number[] {
  let start = 0
  while (start < unsigned.length - 1 && unsigned[start] === 0) start += 1
  const digits = [...unsigned.subarray(start)]
  if ((digits[0] ?? 0) >= 0x80) digits.unshift(0)
  return [0x02, digits.length, ...digits]
}
