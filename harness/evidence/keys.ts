import { constants, createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

/** Signs, and says with which key. */
export interface Signer {
  /** SHA-256 of the public key as SubjectPublicKeyInfo, hexadecimal: a hint for readers, never believed. */
  readonly keyid: string
  readonly sign: (octets: Uint8Array) => Uint8Array
}

/** A public key that is trusted; what it verifies with is decided by the key alone, never by the envelope. */
export interface TrustedKey {
  readonly keyid: string
  /** Such as `Ed25519`. */
  readonly algorithm: string
  readonly verifies: (octets: Uint8Array, signature: Uint8Array) => boolean
}

interface Algorithm {
  readonly name: string
  readonly hash: string | null
  readonly options: { readonly padding?: number; readonly saltLength?: number }
}

const LEAST_RSA_BITS = 2048

/** What a key signs with; a string says why it does not. */
function algorithmOf(key: KeyObject): Algorithm | string {
  const { modulusLength = 0, namedCurve, hashAlgorithm = 'sha256', saltLength = 32 } = key.asymmetricKeyDetails ?? {}
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return { name: 'Ed25519', hash: null, options: {} }
    case 'ec':
      if (namedCurve === 'prime256v1') return { name: 'ECDSA P-256 with SHA-256', hash: 'sha256', options: {} }
      if (namedCurve === 'secp384r1') return { name: 'ECDSA P-384 with SHA-384', hash: 'sha384', options: {} }
      return `an EC key on ${namedCurve ?? 'another curve'}`
    case 'rsa':
      if (modulusLength < LEAST_RSA_BITS) return `an RSA key of ${modulusLength} bits`
      return {
        name: 'RSA PKCS #1 v1.5 with SHA-256',
        hash: 'sha256',
        options: { padding: constants.RSA_PKCS1_PADDING },
      }
    case 'rsa-pss':
      if (modulusLength < LEAST_RSA_BITS) return `an RSA key of ${modulusLength} bits`
      if (hashAlgorithm !== 'sha256' || saltLength > 32) return `an RSA-PSS key for ${hashAlgorithm}`
      return {
        name: 'RSA-PSS with SHA-256',
        hash: 'sha256',
        options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
      }
    default:
      return `a key of type ${key.asymmetricKeyType ?? 'unknown'}`
  }
}

function keyidOf(key: KeyObject): string {
  const spki = key.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(spki).digest('hex')
}

/** A private key from PEM, or from base64 of PEM; a string says what is wrong with it, never what it is. */
export function signerOf(text: string): Signer | string {
  const pem = pemOf(text)
  if (pem === undefined) return 'no PEM file, or one that holds more than one key'
  if (pem.label === 'PUBLIC KEY') return 'a public key'
  if (/ENCRYPTED/u.test(pem.text)) return 'an encrypted key'
  if (!pem.label.endsWith('PRIVATE KEY')) return 'no private key'
  let key: KeyObject
  try {
    key = createPrivateKey(pem.text)
  } catch {
    return 'a private key that cannot be read'
  }
  const algorithm = algorithmOf(key)
  if (typeof algorithm === 'string') return algorithm
  return {
    keyid: keyidOf(createPublicKey(key)),
    sign: (octets) => sign(algorithm.hash, octets, { key, ...algorithm.options }),
  }
}

/** A public key from PEM; a string says what is wrong with it. */
export function trustedKeyOf(text: string): TrustedKey | string {
  const pem = pemOf(text)
  if (pem === undefined) return 'no PEM file, or one that holds more than one key'
  if (pem.label.endsWith('PRIVATE KEY')) return 'a private key'
  if (pem.label !== 'PUBLIC KEY') return 'no public key'
  let key: KeyObject
  try {
    key = createPublicKey(pem.text)
  } catch {
    return 'a public key that cannot be read'
  }
  const algorithm = algorithmOf(key)
  if (typeof algorithm === 'string') return algorithm
  return {
    keyid: keyidOf(key),
    algorithm: algorithm.name,
    verifies: (octets, signature) => verify(algorithm.hash, octets, { key, ...algorithm.options }, signature),
  }
}

/** The one PEM block of a text, which may be base64 as a whole: some CI systems keep secrets of one line alone. */
function pemOf(text: string): { readonly label: string; readonly text: string } | undefined {
  const plain = text.includes('-----BEGIN') ? text : Buffer.from(text, 'base64').toString('latin1')
  const blocks = [...plain.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/gu)]
  const keys = blocks.filter(([, label]) => label !== 'EC PARAMETERS')
  const [only, ...others] = keys
  return only?.[1] === undefined || others.length > 0 ? undefined : { label: only[1], text: `${only[0]}\n` }
}
