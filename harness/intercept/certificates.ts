import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import { bitString, der, octetString, oid, sequence } from './der.ts'

/** What a TLS server for the hosts needs, and what its clients have to trust. PEM. */
export interface Authority {
  readonly caPem: string
  readonly certPem: string
  readonly keyPem: string
}

const ECDSA_WITH_SHA256 = sequence(oid('1.2.840.10045.4.3.2'))

/** Wide, because the clock of whoever verifies it is moved forward: UTCTime (RFC 5280 section 4.1.2.5.1). */
const VALIDITY = sequence(utcTime('200101000000Z'), utcTime('491231235959Z'))

const BOOLEAN_TRUE = Uint8Array.of(0x01, 0x01, 0xff)

interface Issued {
  readonly pem: string
  readonly key: KeyObject
  readonly name: Uint8Array
  readonly keyId: Uint8Array
}

/** An authority made for one run, and a certificate by it for the hosts; its private key is in nothing that it gives. */
export function makeAuthority(hosts: readonly string[]): Authority {
  const authority = issue('trustspec test authority of one run', undefined, () => [
    // basicConstraints CA:TRUE, keyUsage keyCertSign and cRLSign (RFC 5280 section 4.2.1)
    extension('2.5.29.19', true, sequence(BOOLEAN_TRUE)),
    extension('2.5.29.15', true, Uint8Array.of(0x03, 0x02, 0x01, 0x06)),
  ])
  const leaf = issue(hosts[0] ?? 'localhost', authority, () => [
    extension('2.5.29.19', true, sequence()),
    extension('2.5.29.15', true, Uint8Array.of(0x03, 0x02, 0x07, 0x80)),
    extension('2.5.29.37', false, sequence(oid('1.3.6.1.5.5.7.3.1'))),
    extension('2.5.29.17', false, sequence(...hosts.map(generalName))),
  ])
  return {
    caPem: authority.pem,
    certPem: leaf.pem,
    keyPem: leaf.key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function issue(commonName: string, by: Issued | undefined, extensions: () => readonly Uint8Array[]): Issued {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = createPrivateKey(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const spki = pair.publicKey.export({ type: 'spki', format: 'der' })
  const keyId = createHash('sha1').update(spki).digest()
  const name = sequence(der(0x31, sequence(oid('2.5.4.3'), der(0x0c, Buffer.from(commonName)))))
  const serial = der(0x02, Uint8Array.of(0x01), randomBytes(15))
  const identifiers = [
    extension('2.5.29.14', false, octetString(keyId)),
    extension('2.5.29.35', false, sequence(der(0x80, by?.keyId ?? keyId))),
  ]
  const body = sequence(
    der(0xa0, Uint8Array.of(0x02, 0x01, 0x02)),
    serial,
    ECDSA_WITH_SHA256,
    by?.name ?? name,
    VALIDITY,
    name,
    spki,
    der(0xa3, sequence(...extensions(), ...identifiers)),
  )
  const signature = sign('sha256', body, by?.key ?? key)
  const certificate = sequence(body, ECDSA_WITH_SHA256, bitString(signature))
  return { pem: pemOf(certificate), key, name, keyId }
}

function extension(id: string, isCritical: boolean, value: Uint8Array): Uint8Array {
  return sequence(oid(id), ...(isCritical ? [BOOLEAN_TRUE] : []), octetString(value))
}

/** dNSName or iPAddress (RFC 5280 section 4.2.1.6). */
function generalName(host: string): Uint8Array {
  return isIP(host) === 4 ? der(0x87, Uint8Array.from(host.split('.').map(Number))) : der(0x82, Buffer.from(host))
}

function utcTime(text: string): Uint8Array {
  return der(0x17, Buffer.from(text))
}

function pemOf(octets: Uint8Array): string {
  const lines =
    Buffer.from(octets)
      .toString('base64')
      .match(/.{1,64}/gu) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
