import type { HeaderLines } from '../../harness/model/http.ts'
import type { ScannerBench } from '../../harness/model/scanner.ts'

/** An alert that must not count: its name, its body, and the lines that go with it. */
export type Forgery = readonly [name: string, body: string, headers: HeaderLines]

const IDENTIFIER = 'Github-Public-Key-Identifier'
const SIGNATURE = 'Github-Public-Key-Signature'

/** DER of the signature whose r and s are 0, which an ECDSA check without bounds takes for good (CVE-2022-21449). */
const ZERO = Buffer.from([0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00]).toString('base64')

/** Alerts about the token that are not signed as they should be. */
export function forgeriesOf(scanner: Omit<ScannerBench, 'post'>, token: string): readonly Forgery[] {
  const { key } = scanner
  const body = scanner.bodyOf({ token })
  const stranger = scanner.newKey()
  const line = (name: string, value: string) => [name, value] as const
  const genuine = key.sign(body)
  const der = Buffer.from(genuine, 'base64')
  const signedBy = (signature: string): HeaderLines => [line(IDENTIFIER, key.identifier), line(SIGNATURE, signature)]
  const pretty = JSON.stringify(JSON.parse(body), undefined, 2)
  return [
    ['neither identifier nor signature', body, []],
    ['no signature', body, [line(IDENTIFIER, key.identifier)]],
    ['no identifier', body, [line(SIGNATURE, genuine)]],
    ['an empty signature', body, signedBy('')],
    ['a signature that is no base64', body, signedBy('!!!')],
    ['a signature that is no DER', body, signedBy(Buffer.from('a signature').toString('base64'))],
    ['the signature of another key under the known identifier', body, signedBy(stranger.sign(body))],
    ['a key that is not published', body, scanner.headersFor(body, stranger)],
    ['the signature of another body', body, signedBy(key.sign(scanner.bodyOf({ token: 'another' })))],
    ['the signature of the same matches written otherwise', body, signedBy(key.sign(pretty))],
    ['the same matches written otherwise than signed', pretty, signedBy(genuine)],
    ['a signature that is cut', body, signedBy(der.subarray(0, -3).toString('base64'))],
    ['a signature with r and s of 0', body, signedBy(ZERO)],
    ['a signature with its last bit changed', body, signedBy(flipped(der).toString('base64'))],
  ]
}

function flipped(der: Buffer): Buffer {
  const copy = Buffer.from(der)
  copy.writeUInt8(copy.readUInt8(copy.length - 1) ^ 1, copy.length - 1)
  return copy
}
