import { constants, generateKeyPairSync, verify } from 'node:crypto'
import { expect, test } from 'vitest'
import { MAKE, newPair, signer, trusted } from './evidence.testing.ts'
import { signerOf, trustedKeyOf } from './keys.ts'

const OCTETS = Buffer.from('what is signed')

test('RSA-PSS is that of SHA-256 with a salt of 32 octets', () => {
  const pair = MAKE['RSA-PSS']?.() ?? newPair()
  const signature = signer(pair).sign(OCTETS)
  const key = { key: pair.publicPem, padding: constants.RSA_PKCS1_PSS_PADDING }

  expect(verify('sha256', OCTETS, { ...key, saltLength: 32 }, signature)).toBe(true)
  expect(verify('sha256', OCTETS, { ...key, saltLength: 20 }, signature)).toBe(false)
  expect(trusted(pair).verifies(OCTETS, signature)).toBe(true)
})

test('a key of RSA is told the same keyid by both halves', () => {
  for (const make of Object.values(MAKE)) {
    const pair = make()
    expect(signer(pair).keyid).toBe(trusted(pair).keyid)
    expect(signer(pair).keyid).toMatch(/^[0-9a-f]{64}$/u)
  }
})

const PKCS8 = { type: 'pkcs8', format: 'pem' } as const
const SPKI = { type: 'spki', format: 'pem' } as const

test.each([
  ['an RSA key of 1024 bits', generateKeyPairSync('rsa', { modulusLength: 1024 })],
  ['an RSA key of 1024 bits', generateKeyPairSync('rsa-pss', { modulusLength: 1024 })],
  [
    'an RSA-PSS key for sha512',
    generateKeyPairSync('rsa-pss', { modulusLength: 2048, hashAlgorithm: 'sha512', mgf1HashAlgorithm: 'sha512' }),
  ],
  ['an EC key on secp521r1', generateKeyPairSync('ec', { namedCurve: 'P-521' })],
  ['an EC key on secp256k1', generateKeyPairSync('ec', { namedCurve: 'secp256k1' })],
  ['a key of type ed448', generateKeyPairSync('ed448')],
  ['a key of type x25519', generateKeyPairSync('x25519')],
] as const)('%s neither signs nor verifies', (says, { privateKey, publicKey }) => {
  expect(signerOf(String(privateKey.export(PKCS8)))).toBe(says)
  expect(trustedKeyOf(String(publicKey.export(SPKI)))).toBe(says)
})

test('what is no key says what it is, and never its text', () => {
  const { privatePem, publicPem } = newPair()
  const secret = generateKeyPairSync('ed25519').privateKey
  const encrypted = String(secret.export({ ...PKCS8, cipher: 'aes-256-cbc', passphrase: 'x' }))
  const broken = privatePem.replace(/\n\w{8}/u, '\nAAAAAAAA')
  const certificate = publicPem.replaceAll('PUBLIC KEY', 'CERTIFICATE')
  expect(signerOf(encrypted)).toBe('an encrypted key')
  expect(signerOf(publicPem)).toBe('a public key')
  expect(signerOf(broken)).toBe('a private key that cannot be read')
  expect(signerOf(certificate)).toBe('no private key')
  expect(trustedKeyOf(certificate)).toBe('no public key')
  expect(trustedKeyOf(privatePem)).toBe('a private key')
  expect(trustedKeyOf(publicPem.replace(/\n\w{8}/u, '\nAAAAAAAA'))).toBe('a public key that cannot be read')
  for (const text of ['', 'x', privatePem + newPair().privatePem]) {
    expect(signerOf(text)).toBe('no PEM file, or one that holds more than one key')
    expect(trustedKeyOf(text)).toBe('no PEM file, or one that holds more than one key')
  }
})

test('a private key may stand behind the parameters of its curve, as older tools write it, or in base64', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const sec1 = String(privateKey.export({ type: 'sec1', format: 'pem' }))
  const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n'
  const whole = parameters + sec1
  for (const text of [whole, Buffer.from(whole).toString('base64')]) expect(signerOf(text)).toBeTypeOf('object')
})
