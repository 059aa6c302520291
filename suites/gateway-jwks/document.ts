import type { JwksProblem, JwksProblemKind } from '../../harness/model/capture.ts'
import type { GatewayBench, Served } from '../../harness/model/gateway-bench.ts'
import type { JsonObject } from '../../harness/model/json.ts'
import { distinct, isObject } from '../gateway-token/read.ts'

const SIGNING_TYPES = ['RSA', 'EC', 'OKP']

/** Key types that nobody has to know, and keys for encryption, are left to those whom they are for (RFC 7517 section 5). */
const OF_SIGNING_KEYS: readonly JwksProblemKind[] = ['key-type', 'use', 'key-operations', 'alg-of-key']

/** Fetches the JWKS and judges it by some kinds of problems alone. */
export async function judgeDocument(
  bench: GatewayBench,
  kinds: readonly JwksProblemKind[],
  expected: string,
): Promise<Served> {
  const { jwks, checkJwks, judge } = bench
  const served = await jwks()
  const { answer } = served
  judge(answer.status === 200, {
    stimulus: 'GET of the JWKS without a key',
    expected: 'status 200',
    observed: answer.failure ?? `status ${answer.status}`,
  })
  if (answer.status !== 200) return served
  const problems = await checkJwks(answer.body)
  const keys = keysOf(served)
  const details = problems
    .filter((problem) => kinds.includes(problem.kind) && !isForOthers(problem, keys))
    .map(({ key, detail }) => (key === undefined ? detail : `key ${key + 1}: ${detail}`))
  judge(details.length === 0, { stimulus: 'the JWKS', expected, observed: distinct(details).join('; ') })
  return served
}

/** Keys of a JWKS; those that are no objects are empty, so that positions stay. */
export function keysOf({ json }: Pick<Served, 'json'>): readonly JsonObject[] {
  const keys = isObject(json) ? json['keys'] : undefined
  return Array.isArray(keys) ? keys.map((key) => (isObject(key) ? key : {})) : []
}

/** The keys as text, whatever their order and that of their members. */
export function fingerprint(served: Pick<Served, 'json'>): string {
  return keysOf(served)
    .map((key) => JSON.stringify(Object.entries(key).toSorted(([one], [other]) => (one < other ? -1 : 1))))
    .toSorted()
    .join('\n')
}

function isForOthers({ kind, key }: JwksProblem, keys: readonly JsonObject[]): boolean {
  if (key === undefined || !OF_SIGNING_KEYS.includes(kind)) return false
  const { kty, use, crv } = keys[key] ?? {}
  return (
    use === 'enc' || crv === 'X25519' || crv === 'X448' || (typeof kty === 'string' && !SIGNING_TYPES.includes(kty))
  )
}
