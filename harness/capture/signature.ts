import type { TokenProblem, TokenProblemKind } from '../model/capture.ts'
import type { Json, JsonObject } from '../model/json.ts'
import { algorithmNamed, fits, imported, isSignature, signatureSize, weaknessOf } from './algorithms.ts'
import type { SignatureAlgorithm } from './algorithms.ts'
import { isObject } from './json.ts'

const problem = (kind: TokenProblemKind, detail: string): TokenProblem => ({ kind, detail })

/** What is wrong with algorithm, key and signature of a token. */
export function signatureProblems(
  header: JsonObject,
  input: Uint8Array,
  signature: Uint8Array,
  jwks: Json,
): readonly TokenProblem[] {
  const { alg, kid } = header
  if (typeof alg !== 'string') return [problem('alg-missing', 'the header has no alg that is a string')]
  const algorithm = algorithmNamed(alg)
  const published = isObject(jwks) ? jwks['keys'] : undefined
  if (!Array.isArray(published)) return [problem('jwks', 'the JWKS has no array of keys')]
  const keys = (published as readonly Json[]).filter(isObject)
  const named = typeof kid === 'string' ? keys.filter((key) => key['kid'] === kid) : []
  const naming = kidProblems(kid, named)
  if (!algorithm) return [problem('alg-not-asymmetric', 'the algorithm is not an asymmetric one'), ...naming]
  // A token whose kid leads nowhere may still be signed by a published key: that is another finding.
  if (naming.length > 0) {
    const fitting = keys.filter((key) => fits(algorithm, key))
    return [...naming, ...octetProblems(algorithm, fitting, input, signature)]
  }
  const fitting = named.filter((key) => fits(algorithm, key))
  if (fitting.length === 0) return [problem('key-type', 'no key of that kid is of the type of the algorithm')]
  const ambiguous = fitting.length > 1
  return [
    ...(ambiguous ? [problem('kid-ambiguous', 'the kid names several keys that fit the algorithm')] : []),
    ...fitting.flatMap((key) => keyProblems(key, alg)),
    ...octetProblems(algorithm, fitting, input, signature),
  ]
}

function kidProblems(kid: Json | undefined, named: readonly JsonObject[]): readonly TokenProblem[] {
  if (typeof kid !== 'string' || kid === '') return [problem('kid-missing', 'the header has no kid that is a string')]
  return named.length === 0 ? [problem('kid-unknown', 'no published key has that kid')] : []
}

function keyProblems(key: JsonObject, alg: string): readonly TokenProblem[] {
  const { use, key_ops: operations } = key
  const weakness = weaknessOf(key)
  const verifies = operations === undefined || (Array.isArray(operations) && operations.includes('verify'))
  return [
    ...(key['alg'] === undefined || key['alg'] === alg
      ? []
      : [problem('alg-of-key', 'the key is published for another algorithm')]),
    ...(use === undefined || use === 'sig' ? [] : [problem('key-use', 'the key is not published for signatures')]),
    ...(verifies ? [] : [problem('key-operations', 'verify is not among the operations of the key')]),
    ...(weakness === undefined ? [] : [problem('key-weak', weakness)]),
  ]
}

/** What is wrong with a signature that one of the keys must have made. */
function octetProblems(
  algorithm: SignatureAlgorithm,
  keys: readonly JsonObject[],
  input: Uint8Array,
  signature: Uint8Array,
): readonly TokenProblem[] {
  const sized = keys.filter((key) => signatureSize(algorithm, key) === signature.length)
  if (keys.length > 0 && sized.length === 0)
    return [problem('signature-size', `a signature of ${signature.length} octets is none of the algorithm`)]
  const usable = sized.map(imported)
  if (usable.some((key) => key && isSignature(algorithm, key, input, signature))) return []
  return usable.length > 0 && usable.every((key) => key === undefined)
    ? [problem('key-invalid', 'the key cannot be imported')]
    : [problem('signature', 'it is not signed by a key that is published for it')]
}
