import type { OriginBench } from '../../harness/model/bench.ts'
import { base64url, flipBit, joined, octets, segmentsOf } from '../../harness/model/compact.ts'
import type { Answer } from '../../harness/model/http.ts'
import type { ResolvedProfile } from '../../harness/model/profile.ts'
import { altered } from '../../harness/model/token.ts'
import type { SigningKey, Token } from '../../harness/model/token.ts'

/** Fetches that are one for every worker and one to spare. */
export function fewFetches({ jwks }: ResolvedProfile): number {
  return 2 * Number(jwks.workers)
}

/** A token whose kid nobody has published. */
export function unknownKid(bench: OriginBench): Token {
  const { keys, mint, nonce } = bench
  return mint({}, { key: { ...attackerOf(bench), alg: keys.main.alg, kid: nonce() } })
}

/** An unpublished key that computes the algorithm of the main one. */
export function attackerOf({ keys }: OriginBench): SigningKey {
  const { kty } = keys.main
  return keys.get(kty === 'RSA' ? 'attacker-rsa' : kty === 'EC' ? 'attacker-ec' : 'attacker-ed')
}

/** A valid token with one bit of its signature turned. */
export function corrupted(token: Token): Token {
  const segments = segmentsOf(token.compact)
  const signature = base64url(flipBit(octets(segments.signature), 10))
  return altered(token, joined(segments, { signature }))
}

/** Judges that a request was not let in: with no usable keys 5xx is as good as 401, but silence is not. */
export function notLetIn({ judge }: OriginBench, stimulus: string, answer: Answer): void {
  const isIn = answer.outcome === 'accepted' || (answer.status >= 200 && answer.status < 300)
  judge(!isIn && answer.failure === undefined, {
    stimulus,
    expected: 'any answer but 2xx',
    observed: answer.failure ?? `status ${answer.status}`,
    failure: isIn ? 'fail-open' : 'fail-crash',
  })
}

/** Sends a token whose kid is unknown, so that the origin fetches; tells whether the fault was served to it. */
export async function provoke(bench: OriginBench, stimulus: string): Promise<boolean> {
  const { observes, jwks } = bench
  await observes(unknownKid(bench), stimulus)
  return jwks.served() > 0
}

/** What a fault that no fetch ran into proves. */
export const NEVER_SERVED = 'The fault was never served: the origin did not fetch the JWKS when it was due.'
