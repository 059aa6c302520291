import { Buffer } from 'node:buffer'
import type { ChainBench, TappedToken } from '../../harness/model/chain-bench.ts'
import type { Call } from '../../harness/model/gateway-bench.ts'

/** Seconds added to a declared number, so that rounding on either side does not matter. */
const MARGIN_SEC = 1

/** The same for a real wait for what began in this case, which is precise. */
const SHORT_MARGIN_SEC = 0.1

/** A declared number of seconds with its margin. */
export function past({ movable }: Pick<ChainBench, 'movable'>, seconds: number): number {
  return seconds + (movable ? MARGIN_SEC : SHORT_MARGIN_SEC)
}

/** Leeway, in seconds, that an origin may have which declares none. */
const MOST_LEEWAY_SEC = 600

/** Sends a call that must be accepted, and gives the token of it that passed the tap. */
export async function captured(bench: ChainBench, call: Call, stimulus: string): Promise<TappedToken> {
  const token = bench.tokenOf(await bench.accepts(call, stimulus))
  bench.guard(token !== undefined, 'No token passed the tap.')
  return token as TappedToken
}

/** A captured token that the origin takes once more past the gateway, without which its refusal later proves nothing. */
export async function replayable(bench: ChainBench, call: Call, what: string): Promise<TappedToken> {
  const token = await captured(bench, call, `a call whose token is captured`)
  const { outcome, status } = await bench.direct({ token: token.compact }, what)
  bench.records(what, outcome === 'accepted' ? 'accepted' : `status ${status}`)
  bench.applies(outcome !== 'refused', 'The origin refuses a captured token past the gateway while it is valid.')
  bench.guard(outcome === 'accepted', 'The origin does not answer a captured token past the gateway.')
  return token
}

/** Seconds from now until the origin must refuse the token for its exp. */
export function untilExpired({ guard, now, origin }: ChainBench, { exp }: TappedToken): number {
  guard(exp !== undefined, 'The token that passed the tap has no exp.')
  return Math.max(0, (exp ?? 0) - now()) + (origin.leewaySec ?? MOST_LEEWAY_SEC) + MARGIN_SEC
}

/** Seconds after which the origin cannot hold an old JWKS any more. */
export function jwksAge({ origin, gateway, applies }: ChainBench): number {
  const { maxAgeSec = 0, honoursCacheControl } = origin.jwks ?? {}
  if (honoursCacheControl !== true) return maxAgeSec
  const told = gateway.rotationOverlapSec
  applies(told !== undefined, 'The origin honours max-age, and the gateway declares no "rotationOverlapSec" above it.')
  return Math.max(maxAgeSec, told ?? 0)
}

/** A token with a kid that nobody has, otherwise like those of the gateway; nothing in it verifies. */
export function unknownKid({ gateway, now, nonce }: ChainBench): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const { issuer, audience, algorithms: [alg = 'RS256'] = [] } = gateway
  const iat = Math.floor(now())
  const claims = { iss: issuer, aud: audience, sub: 'nobody', iat, exp: iat + 60, jti: nonce() }
  return `${part({ alg, kid: nonce(), typ: gateway.typ ?? 'JWT' })}.${part(claims)}.${part(nonce())}`
}
