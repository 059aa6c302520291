import {
  constants,
  createCipheriv,
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  pbkdf2Sync,
  publicEncrypt,
  randomBytes,
} from 'node:crypto'
import type { JsonWebKey } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { base64url } from '../model/compact.ts'
import type { JsonObject } from '../model/json.ts'
import type { JweOptions } from '../model/token.ts'

/** Password of PBES2 tokens; nobody else knows or needs it. */
export const PBES2_PASSWORD = 'trustspec'

const CEK_OCTETS = { A256GCM: 32, 'A128CBC-HS256': 32 } as const

interface Recipient {
  readonly cek: Uint8Array
  readonly encryptedKey: Uint8Array
  readonly header: JsonObject
}

/** A JWE in compact form (RFC 7516 section 7.1), really encrypted. */
export function encryptJwe(plaintext: string | Uint8Array, options: JweOptions): string {
  const { cek, encryptedKey, header } = recipientOf(options)
  const merged = {
    alg: options.alg,
    enc: options.enc,
    kid: options.key.kid,
    ...header,
    ...(options.deflate ? { zip: 'DEF' } : {}),
    ...options.header,
  }
  const aad = base64url(JSON.stringify(merged))
  const octets = Buffer.from(plaintext as string)
  const content = options.deflate ? deflateRawSync(octets) : octets
  const { iv, ciphertext, tag } = options.enc === 'A256GCM' ? gcm(cek, content, aad) : cbc(cek, content, aad)
  return [aad, base64url(encryptedKey), base64url(iv), base64url(ciphertext), base64url(tag)].join('.')
}

function recipientOf({ alg, enc, key, header }: JweOptions): Recipient {
  const cek = randomBytes(CEK_OCTETS[enc])
  const none = new Uint8Array()
  if (alg === 'dir') return { cek, encryptedKey: none, header: {} }
  if (alg === 'ECDH-ES') return { ...agreed(key.jwk, enc), encryptedKey: none }
  if (alg === 'RSA-OAEP-256') {
    const recipient = createPublicKey({ key: key.jwk, format: 'jwk' })
    const padding = constants.RSA_PKCS1_OAEP_PADDING
    return { cek, encryptedKey: publicEncrypt({ key: recipient, padding, oaepHash: 'sha256' }, cek), header: {} }
  }
  const salt = randomBytes(16)
  const count = typeof header?.['p2c'] === 'number' ? header['p2c'] : 1000
  const p2s = base64url(salt)
  // The iterations that a hostile header asks for are the recipient's to spend, not ours.
  const rounds = Math.min(count, 10_000)
  const wrapping = pbkdf2Sync(PBES2_PASSWORD, Buffer.concat([Buffer.from(`${alg}\0`), salt]), rounds, 16, 'sha256')
  return { cek, encryptedKey: wrapped(wrapping, cek), header: { p2s, p2c: count } }
}

/** AES Key Wrap (RFC 3394). */
function wrapped(wrapping: Uint8Array, cek: Uint8Array): Uint8Array {
  const cipher = createCipheriv('id-aes128-wrap', wrapping, Buffer.alloc(8, 0xa6))
  return Buffer.concat([cipher.update(cek), cipher.final()])
}

/** Direct key agreement with an ephemeral key (RFC 7518 section 4.6): Concat KDF of one round. */
function agreed(jwk: JsonWebKey, enc: JweOptions['enc']): Pick<Recipient, 'cek' | 'header'> {
  const publicKey = createPublicKey({ key: jwk, format: 'jwk' })
  const ephemeral = generateKeyPairSync('ec', { namedCurve: String(jwk.crv) })
  const secret = diffieHellman({ privateKey: ephemeral.privateKey, publicKey })
  const empty = uint32(0)
  const info = Buffer.concat([uint32(enc.length), Buffer.from(enc), empty, empty, uint32(CEK_OCTETS[enc] * 8)])
  const cek = createHash('sha256').update(uint32(1)).update(secret).update(info).digest()
  const { kty, crv, x, y } = ephemeral.publicKey.export({ format: 'jwk' })
  return { cek, header: { epk: { kty: String(kty), crv: String(crv), x: String(x), y: String(y) } } }
}

function uint32(value: number): Buffer {
  const octets = Buffer.alloc(4)
  octets.writeUInt32BE(value)
  return octets
}

function gcm(cek: Uint8Array, content: Uint8Array, aad: string) {
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', cek, iv).setAAD(Buffer.from(aad))
  const ciphertext = Buffer.concat([cipher.update(content), cipher.final()])
  return { iv, ciphertext, tag: cipher.getAuthTag() }
}

/** RFC 7518 section 5.2.3: the first half of the key authenticates, the second encrypts. */
function cbc(cek: Uint8Array, content: Uint8Array, aad: string) {
  const iv = randomBytes(16)
  const cipher = createCipheriv('aes-128-cbc', cek.subarray(16), iv)
  const ciphertext = Buffer.concat([cipher.update(content), cipher.final()])
  const length = Buffer.alloc(8)
  length.writeBigUInt64BE(BigInt(aad.length * 8))
  const mac = createHmac('sha256', cek.subarray(0, 16)).update(aad).update(iv).update(ciphertext).update(length)
  return { iv, ciphertext, tag: mac.digest().subarray(0, 16) }
}
