/** Octets of one DER element (X.690 section 8.1); content may be several elements. */
export function der(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(content)
  return Buffer.concat([Uint8Array.of(tag, ...lengthOf(body.length)), body])
}

function lengthOf(length: number): readonly number[] {
  if (length < 0x80) return [length]
  const octets: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256)
  return [0x80 + octets.length, ...octets]
}

/** An object identifier from its dotted form, such as `2.5.29.17`. */
export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return der(0x06, Uint8Array.from([first * 40 + second, ...rest.flatMap(base128)]))
}

function base128(value: number): readonly number[] {
  const octets = [value % 128]
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) octets.unshift((rest % 128) + 128)
  return octets
}

/** SEQUENCE of these elements. */
export function sequence(...elements: readonly Uint8Array[]): Uint8Array {
  return der(0x30, ...elements)
}

/** BIT STRING of whole octets. */
export function bitString(octets: Uint8Array): Uint8Array {
  return der(0x03, Uint8Array.of(0), octets)
}

/** OCTET STRING. */
export function octetString(octets: Uint8Array): Uint8Array {
  return der(0x04, octets)
}
