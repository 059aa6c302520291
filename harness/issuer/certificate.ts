import { derOfRawEcdsa } from '../model/compact.ts'
import type { KeyRole } from '../model/token.ts'
import type { KeyStore } from './keys.ts'

/** Object identifiers of the signature algorithms, DER. */
const SIGNED_WITH = {
  RSA: [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00],
  EC: [0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
  OKP: [0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70],
} as const

const SEQUENCE = 0x30
const COMMON_NAME = [0x06, 0x03, 0x55, 0x04, 0x03]

/** A self-signed X.509 v3 certificate of the key, DER, for CN attacker.example.com. */
export function selfSignedCertificate(keys: KeyStore, role: KeyRole): Uint8Array {
  const key = keys.get(role)
  const algorithm = [...SIGNED_WITH[key.kty as keyof typeof SIGNED_WITH]]
  const name = der(
    SEQUENCE,
    der(0x31, der(SEQUENCE, [...COMMON_NAME, ...der(0x0c, [...Buffer.from('attacker.example.com')])])),
  )
  const validity = der(SEQUENCE, [...utcTime('200101000000Z'), ...utcTime('491231235959Z')])
  const version = der(0xa0, [0x02, 0x01, 0x02])
  const serial = [0x02, 0x01, 0x01]
  const body = [...version, ...serial, ...algorithm, ...name, ...validity, ...name, ...key.spkiDer]
  const toBeSigned = der(SEQUENCE, body)
  const raw = keys.sign(role, key.alg, Uint8Array.from(toBeSigned))
  const signature = key.kty === 'EC' ? derOfRawEcdsa(raw) : raw
  return Uint8Array.from(der(SEQUENCE, [...toBeSigned, ...algorithm, ...der(0x03, [0, ...signature])]))
}

function utcTime(text: string): number[] {
  return der(0x17, [...Buffer.from(text)])
}

function der(tag: number, content: readonly number[]): number[] {
  const { length } = content
  if (length < 0x80) return [tag, length, ...content]
  return length < 0x100 ? [tag, 0x81, length, ...content] : [tag, 0x82, length >> 8, length & 0xff, ...content]
}
