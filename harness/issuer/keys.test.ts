import { X509Certificate, createPublicKey } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { calculateJwkThumbprint, compactDecrypt, importJWK } from 'jose'
import type { JWK } from 'jose'
import { describe, expect, onTestFinished, test } from 'vitest'
import { embeddedKeys } from '../../fixtures/keys/keys.ts'
import type { JweOptions, KeyRole } from '../model/token.ts'
import { selfSignedCertificate } from './certificate.ts'
import { encryptJwe, PBES2_PASSWORD } from './jwe.ts'
import { loadKeys } from './keyfile.ts'

const keys = embeddedKeys()

test('thumbprints are those that jose calculates', async () => {
  for (const jwk of keys.published()) {
    const role = (Object.keys(keys.stored) as KeyRole[]).find((name) => keys.get(name).kid === jwk['kid'])
    expect(keys.get(role ?? 'oct').thumbprint).toBe(await calculateJwkThumbprint(jwk as JWK))
  }
})

test('the published set is small, has kids that differ, and nothing private or symmetric', () => {
  const published = keys.published()
  const kids = published.map(({ kid }) => kid)

  expect(new Set(kids).size).toBe(published.length)
  expect(JSON.stringify({ keys: published }).length).toBeLessThan(40 * 1024)
  for (const jwk of published) {
    expect(Object.keys(jwk)).not.toEqual(expect.arrayContaining([expect.stringMatching(/^(?:d|p|q|dp|dq|qi|k)$/u)]))
    expect(jwk['kty']).not.toBe('oct')
  }
  for (const role of ['attacker-rsa', 'attacker-ec', 'attacker-ed', 'oct'] as const) {
    expect(kids).not.toContain(keys.get(role).kid)
  }
})

test('the plain set has ordinary keys alone', () => {
  const plain = keys.published({ plain: true })

  expect(plain.map(({ alg }) => alg)).toEqual([
    'RS256',
    'RS384',
    'RS512',
    'PS256',
    'PS384',
    'PS512',
    'ES256',
    'ES384',
    'ES512',
    'EdDSA',
    'Ed25519',
  ])
  expect(plain.every(({ use }) => use === 'sig')).toBe(true)
})

describe('key file', () => {
  async function folder(): Promise<string> {
    const made = await mkdtemp(path.join(tmpdir(), 'trustspec-keys-'))
    onTestFinished(() => rm(made, { recursive: true }))
    return path.join(made, 'cache', 'trustspec')
  }

  test('is made for its owner alone, and two runs at once agree', { timeout: 60_000 }, async () => {
    const file = path.join(await folder(), 'signing-keys.json')

    const [one, other] = await Promise.all([loadKeys(file), loadKeys(file)])
    const again = await loadKeys(file)

    expect(one.published()).toEqual(other.published())
    expect(again.published()).toEqual(one.published())
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await stat(path.dirname(file))).mode & 0o777).toBe(0o700)
  })

  test('that is torn is refused with what to do', async () => {
    const file = path.join(path.dirname(path.dirname(await folder())), 'torn.json')
    await writeFile(file, '{"keys":{"RS256":')

    await expect(loadKeys(file)).rejects.toMatchObject({ code: 'ERR_USAGE', fields: { file } })
    expect(await readFile(file, 'utf8')).toBe('{"keys":{"RS256":')
  })
})

describe('JWE', () => {
  const recipients: readonly (readonly [JweOptions['alg'], KeyRole])[] = [
    ['RSA-OAEP-256', 'RS256'],
    ['ECDH-ES', 'ES256'],
    ['ECDH-ES', 'ES384'],
  ]

  test.each(recipients)('%s to the key of %s is decrypted by jose', async (alg, role) => {
    const stored = await importJWK(keys.stored[role] as JWK, alg)

    for (const enc of ['A256GCM', 'A128CBC-HS256'] as const) {
      const compact = encryptJwe('claims', { alg, enc, key: keys.get(role), header: { cty: 'JWT' } })
      const { plaintext, protectedHeader } = await compactDecrypt(compact, stored)
      expect(Buffer.from(plaintext).toString()).toBe('claims')
      expect(protectedHeader).toMatchObject({ alg, enc, cty: 'JWT', kid: keys.get(role).kid })
    }
  })

  test('PBES2 wraps the key under the password', async () => {
    const alg = 'PBES2-HS256+A128KW'
    const compact = encryptJwe('claims', { alg, enc: 'A128CBC-HS256', key: keys.get('RS256') })

    const { plaintext } = await compactDecrypt(compact, new TextEncoder().encode(PBES2_PASSWORD), {
      keyManagementAlgorithms: [alg],
    })
    expect(Buffer.from(plaintext).toString()).toBe('claims')
  })

  test('dir has no encrypted key, and deflate names itself', () => {
    const compact = encryptJwe('a'.repeat(1000), { alg: 'dir', enc: 'A256GCM', key: keys.get('RS256'), deflate: true })
    const [header = '', encryptedKey, , ciphertext = ''] = compact.split('.')

    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toMatchObject({ alg: 'dir', zip: 'DEF' })
    expect(encryptedKey).toBe('')
    expect(ciphertext.length).toBeLessThan(100)
  })
})

test.each(['attacker-rsa', 'attacker-ec', 'attacker-ed'] as const)('the certificate of %s is well-formed', (role) => {
  const certificate = new X509Certificate(selfSignedCertificate(keys, role))
  const own = createPublicKey({ key: keys.get(role).jwk, format: 'jwk' })
  const other = createPublicKey({ key: keys.get('RS256').jwk, format: 'jwk' })

  expect(certificate.subject).toBe('CN=attacker.example.com')
  expect(certificate.verify(own)).toBe(true)
  expect(certificate.verify(other)).toBe(false)
})
