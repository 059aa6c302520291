import { createPublicKey } from 'node:crypto'
import { compactVerify, importJWK, jwtVerify } from 'jose'
import type { JWK } from 'jose'
import { describe, expect, test } from 'vitest'
import { embeddedKeys } from '../../fixtures/keys/keys.ts'
import { base64url, derOfRawEcdsa, octets, rawOfDerEcdsa, segmentsOf } from '../model/compact.ts'
import { PUBLISHED_ALGORITHMS } from '../model/token.ts'
import type { KeyRole, Mint } from '../model/token.ts'
import { isSigned } from '../origin/verify.ts'
import { keysFrom } from './keys.ts'
import type { KeyStore } from './keys.ts'
import { createMint } from './mint.ts'

const keys = embeddedKeys()
const CLAIMS = { iss: 'https://issuer.example.com', aud: 'https://orders.example.com', sub: 'ada', iat: 1_000 }

function minter(store: KeyStore = keys, role: KeyRole = 'RS256', trusted = true): Mint {
  const base = (key: { alg: string; kid: string }) => ({
    header: { alg: key.alg, kid: key.kid, typ: 'JWT' },
    claims: CLAIMS,
  })
  return createMint({ keys: store, main: store.get(role), base, trusted })
}

const mint = minter()
const text = (segment: string): string => Buffer.from(octets(segment)).toString('utf8')

describe('against jose', () => {
  test.each(PUBLISHED_ALGORITHMS)('%s: jose verifies what we sign', async (algorithm) => {
    const key = keys.get(algorithm)
    const token = mint({}, { key })

    const { payload, protectedHeader } = await jwtVerify(token.compact, await importJWK(key.jwk as JWK), {
      algorithms: [algorithm],
    })

    expect(payload).toEqual(CLAIMS)
    expect(protectedHeader).toEqual({ alg: algorithm, kid: key.kid, typ: 'JWT' })
  })

  test.each(['HS256', 'HS384', 'HS512'] as const)('%s: jose verifies what we authenticate', async (algorithm) => {
    const secret = new Uint8Array(64).fill(7)
    const token = mint({}, { key: secret, header: { alg: algorithm } })

    await expect(compactVerify(token.compact, secret)).resolves.toMatchObject({ protectedHeader: { alg: algorithm } })
  })

  test('a signature by another key is refused by jose', async () => {
    const token = mint({}, { key: keys.get('attacker-rsa') })

    await expect(jwtVerify(token.compact, await importJWK(keys.get('RS256').jwk as JWK))).rejects.toThrow('signature')
  })

  test('signAs makes another signature than the header says', async () => {
    const token = mint({}, { header: { alg: 'RS256' }, signAs: 'RS512' })

    await expect(jwtVerify(token.compact, await importJWK(keys.get('RS256').jwk as JWK))).rejects.toThrow('signature')
    const { header, payload, signature } = segmentsOf(token.compact)
    const publicKey = createPublicKey({ key: keys.get('RS256').jwk, format: 'jwk' })
    const signed = { signingInput: Buffer.from(`${header}.${payload}`), signature: octets(signature) }
    expect(isSigned(signed, { jwk: {}, publicKey }, 'RS512')).toBe(true)
  })
})

describe('worked examples of the RFCs', () => {
  const PAYLOAD = '{"iss":"joe",\r\n "exp":1300819380,\r\n "http://example.com/is_root":true}'

  test('RFC 7515, appendix A.1: HS256, octet for octet', () => {
    const secret = octets('AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow')
    const token = mint({}, { key: secret, headerText: '{"typ":"JWT",\r\n "alg":"HS256"}', payloadText: PAYLOAD })

    expect(segmentsOf(token.compact)).toEqual({
      header: 'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9',
      payload: 'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ',
      signature: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
    })
  })

  test('RFC 7515, appendix A.2: RS256 is verified', () => {
    const jwk = {
      kty: 'RSA',
      n: 'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
      e: 'AQAB',
    }
    const signature = octets(
      'cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw',
    )
    const signingInput = Buffer.from(`${base64url('{"alg":"RS256"}')}.${base64url(PAYLOAD)}`)
    const key = { jwk, publicKey: createPublicKey({ key: jwk, format: 'jwk' }) }

    expect(isSigned({ signingInput, signature }, key, 'RS256')).toBe(true)
    expect(isSigned({ signingInput, signature }, key, 'RS384')).toBe(false)
  })

  test('RFC 7515, appendix A.3: ES256 is verified', () => {
    const jwk = {
      kty: 'EC',
      crv: 'P-256',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    }
    const signature = octets('DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q')
    const signingInput = Buffer.from(`${base64url('{"alg":"ES256"}')}.${base64url(PAYLOAD)}`)
    const key = { jwk, publicKey: createPublicKey({ key: jwk, format: 'jwk' }) }

    expect(isSigned({ signingInput, signature }, key, 'ES256')).toBe(true)
    expect(rawOfDerEcdsa(derOfRawEcdsa(signature), 32)).toEqual(signature)
  })

  test('RFC 8037, appendix A.4: Ed25519, octet for octet', () => {
    const store = keysFrom({
      ...keys.stored,
      EdDSA: {
        kty: 'OKP',
        crv: 'Ed25519',
        d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
        x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
      },
    })
    const signed = minter(store, 'EdDSA')(
      {},
      { headerText: '{"alg":"EdDSA"}', payloadText: 'Example of Ed25519 signing' },
    )

    expect(signed.compact).toBe(
      'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
    )
    expect(store.get('EdDSA').thumbprint).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  })
})

describe('octets', () => {
  test('raw header and payload text are sent as they are', () => {
    const headerText = '{"alg":"RS256","alg":"none"}'
    const payloadText = Uint8Array.of(0xff, 0xfe, 0x7b, 0x00)
    const { header, payload } = segmentsOf(mint({}, { headerText, payloadText }).compact)

    expect(text(header)).toBe(headerText)
    expect(octets(payload)).toEqual(payloadText)
  })

  test('undefined removes a member, null and __proto__ stay', () => {
    const claims = JSON.parse('{"__proto__":1}') as Record<string, number>
    const { header, payload } = segmentsOf(
      mint({ ...claims, sub: undefined, x: null }, { header: { typ: undefined } }).compact,
    )

    expect(Object.keys(JSON.parse(text(header)) as object)).toEqual(['alg', 'kid'])
    expect(text(payload)).not.toContain('"sub"')
    expect(text(payload)).toContain('"x":null')
  })

  test('an unencoded payload stands in the token as it is (RFC 7797)', async () => {
    const token = mint({}, { header: { b64: false, crit: ['b64'] }, unencodedPayload: true, payloadText: 'plain' })
    const [, payload] = token.compact.split('.')

    expect(payload).toBe('plain')
    const key = await importJWK(keys.get('RS256').jwk as JWK)
    await expect(compactVerify(token.compact, key)).resolves.toMatchObject({
      payload: new TextEncoder().encode('plain'),
    })
  })

  test('the signature can be replaced or changed', () => {
    const replaced = mint({}, { signature: Uint8Array.of(1, 2) })
    const doubled = mint({}, { signature: (signature) => Uint8Array.from([...signature, ...signature]) })

    expect(octets(segmentsOf(replaced.compact).signature)).toEqual(Uint8Array.of(1, 2))
    expect(octets(segmentsOf(doubled.compact).signature)).toHaveLength(512)
  })

  test('an HMAC key may be empty', () => {
    const token = mint({}, { key: new Uint8Array(), header: { alg: 'HS512' } })

    expect(octets(segmentsOf(token.compact).signature)).toHaveLength(64)
  })
})

describe('what the bench is told', () => {
  test.each([
    ['unchanged', mint(), true, 'RS256'],
    ['by another published key', mint({}, { key: keys.get('ES256') }), true, 'ES256'],
    ['with other claims', mint({ sub: 'bob' }), false, 'RS256'],
    ['by an attacker', mint({}, { key: keys.get('attacker-ec') }), false, 'RS256'],
    ['by an unsuitable key', mint({}, { key: keys.get('use-enc') }), false, 'RS256'],
    ['with another signature', mint({}, { signature: new Uint8Array() }), false, 'RS256'],
    ['where nobody trusts us', minter(keys, 'RS256', false)(), false, 'RS256'],
  ] as const)('%s', (_, token, control, provenBy) => {
    expect(token.control).toBe(control)
    expect(token.provenBy).toBe(provenBy)
    expect(token.yours).toBe(false)
  })

  test('the subject is that of the claims, also of raw ones', () => {
    expect(mint({ sub: 'bob' }).subject).toBe('bob')
    expect(mint({ sub: 1 }).subject).toBeUndefined()
    expect(mint({}, { payloadText: '{"sub":"cleo"}' }).subject).toBe('cleo')
    expect(mint({}, { payloadText: '{"sub":' }).subject).toBeUndefined()
  })
})
