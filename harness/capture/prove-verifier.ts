import type { TokenExpectation, TokenProblemKind } from '../model/capture.ts'
import { flipBit, joined, octets, segmentsOf, base64url } from '../model/compact.ts'
import type { Json } from '../model/json.ts'
import { verifyGatewayToken } from './verify.ts'

/**
 * What the verifier could not be shown to notice; empty when it is proven. The token must be one that it accepts
 * the signature of; then copies of it are corrupted in every part.
 */
export function proveVerifier(compact: string, jwks: Json, expected: TokenExpectation): readonly string[] {
  const kindsOf = (token: string, keys = jwks): readonly TokenProblemKind[] =>
    verifyGatewayToken(token, keys, expected).problems.map(({ kind }) => kind)
  const segments = segmentsOf(compact)
  const { header = {}, claims = {} } = verifyGatewayToken(compact, jwks, expected)
  const signature = octets(segments.signature)
  const corrupted: readonly (readonly [name: string, token: string, TokenProblemKind])[] = [
    [
      'a signature with its first bit changed',
      joined(segments, { signature: base64url(flipBit(signature, 0)) }),
      'signature',
    ],
    [
      'a signature with its last bit changed',
      joined(segments, { signature: base64url(flipBit(signature, -1)) }),
      'signature',
    ],
    ['a signature of zeros', joined(segments, { signature: base64url(new Uint8Array(signature.length)) }), 'signature'],
    ['a signature that is cut', joined(segments, { signature: base64url(signature.subarray(1)) }), 'signature-size'],
    [
      'other claims',
      joined(segments, { payload: base64url(JSON.stringify({ ...claims, sub: 'another' })) }),
      'signature',
    ],
    ['another header', joined(segments, { header: base64url(JSON.stringify({ ...header, cty: 'JWT' })) }), 'signature'],
    [
      'alg none',
      joined(segments, { header: base64url(JSON.stringify({ ...header, alg: 'none' })) }),
      'alg-not-asymmetric',
    ],
    ['padding', `${compact}=`, 'base64url'],
  ]
  const accepted = !kindsOf(compact).some((kind) => kind === 'signature' || kind === 'signature-size')
  return [
    ...(accepted ? [] : ['a signature that it accepts']),
    ...corrupted.flatMap(([name, token, kind]) => (kindsOf(token).includes(kind) ? [] : [name])),
    ...(kindsOf(compact, { keys: [] }).includes('signature') ? [] : ['that the key is not published']),
  ]
}
