import { requestOf } from '../bench/calls.ts'
import { tokenOf } from '../bench/chain-bench.ts'
import { passInChain } from '../bench/chain-passage.ts'
import { directRequest } from '../bench/chain-session.ts'
import type { ChainSession } from '../bench/chain-session.ts'
import { answerOf, seen } from '../bench/exchange.ts'
import { octets, segmentsOf } from '../model/compact.ts'
import type { ChainOrigin, TappedToken } from '../model/chain-bench.ts'
import type { Call } from '../model/gateway-bench.ts'
import type { ApiKey } from '../model/gateway-profile.ts'
import type { Answer } from '../model/http.ts'
import type { Check } from '../model/result.ts'

/** What the pre-flight of a chain has to work with. */
export interface ChainPreflightMeans extends Pick<
  ChainSession,
  'gateway' | 'origin' | 'clients' | 'direct' | 'unreachable' | 'tap' | 'proxy' | 'keyring' | 'clocks' | 'originMs'
> {
  readonly candidates: readonly ApiKey[]
  readonly noClock?: string
  readonly nonce: () => string
  readonly logTail: () => readonly string[]
  readonly onCheck: (check: Check) => void
}

/** What the pre-flight of a chain found out. */
export interface ChainPreflight {
  readonly checks: readonly Check[]
  /** Why no case can be judged. */
  readonly cause?: string
  readonly working: readonly ApiKey[]
  readonly tapped: boolean
  readonly proxied: boolean
  readonly jwks: boolean
  /** The origin accepts a forged token. */
  readonly believes: boolean
  /** The clocks of both sides were proven to move. */
  readonly movable: boolean
}

/** Leeway, in seconds, that an origin may have which declares none. */
const MOST_LEEWAY_SEC = 600

/** Establishes what every case rests on, or names the one cause for which none can be judged. */
export async function chainPreflight(means: ChainPreflightMeans, anonymous: Answer): Promise<ChainPreflight> {
  const { gateway, direct, unreachable, tap, proxy, keyring, candidates } = means
  const checks: Check[] = []
  const working: ApiKey[] = []
  const found = { tapped: false, proxied: false, jwks: false, believes: false, movable: false }
  let captured: TappedToken | undefined
  const check = (name: string, ok: boolean, detail: string): void => {
    checks.push({ name, ok, detail })
    means.onCheck({ name, ok, detail })
  }
  const done = (cause?: string): ChainPreflight => ({
    checks,
    working,
    ...found,
    ...(cause === undefined ? {} : { cause }),
  })

  check('answers', anonymous.failure === undefined, `a request without a key: ${seen(anonymous)}`)
  if (anonymous.failure) return done(`The gateway does not answer a request without a key: ${seen(anonymous)}.`)
  if (unreachable !== undefined) check('reaches the origin past the gateway', false, unreachable)
  else if (direct) check('reaches the origin past the gateway', true, direct.base)
  if (candidates.length === 0) return done()

  for (const [at, key] of candidates.entries()) {
    const { answer, passed, token } = await through(means, { key })
    const ok = answer.outcome === 'accepted'
    check(`key ${at + 1} reaches the origin`, ok, seen(answer))
    if (!ok && at === 0) return done(causeOf(answer, passed, means))
    if (ok) working.push(key)
    if (at > 0 || !tap) continue
    found.tapped = passed > 0
    check('passes the tap', found.tapped, found.tapped ? tap.url : `nothing passed ${tap.url}`)
    if (!found.tapped) {
      return done(
        `The gateway answers ${answer.status} to a valid key, but nothing passed the tap: set its origin to ${tap.url}.`,
      )
    }
    check('attaches a token', token !== undefined, `in ${gateway.token.header}`)
    captured = token
  }
  if (direct) {
    const answer = await directly(means, captured ? forged(captured) : unknownKid(means.originMs()))
    found.believes = answer?.outcome === 'accepted'
    check('the origin looks at signatures', !found.believes, answer ? `a forged token: ${seen(answer)}` : direct.base)
  }
  if (keyring) {
    const { wire, json } = await keyring.fetch()
    found.jwks = wire.status === 200 && json !== undefined
    check('publishes a JWKS', found.jwks, `${gateway.jwksUrl ?? ''}: status ${wire.status}`)
  }
  if (proxy) {
    const { fetches } = proxy
    const didPass = (): boolean => fetches().some(({ what }) => what === 'passed')
    // An origin that was running before has its keys already: a kid that nobody has makes it look.
    if (!didPass() && direct) await directly(means, unknownKid(means.originMs()))
    found.proxied = didPass()
    check('the origin fetches the JWKS through the proxy', found.proxied, proxy.url)
  }
  await proveClocks(means, found, check)
  return done()
}

async function through(means: ChainPreflightMeans, call: Call) {
  const { clients, gateway, origin, tap } = means
  const nonce = means.nonce()
  const wire = await clients[0].send(requestOf(call, nonce, gateway, undefined))
  const tapped = () => tap?.requestsOf(nonce) ?? []
  return { answer: answerOf(wire, origin), passed: tapped().length, token: tokenOf({ tapped }, gateway) }
}

async function directly({ direct, origin }: ChainPreflightMeans, token: string): Promise<Answer | undefined> {
  return direct && answerOf(await direct.client.send(directRequest({ token }, origin)), origin)
}

/** The captured token with another signature of the same length. */
function forged({ compact }: TappedToken): string {
  const { header, payload, signature } = segmentsOf(compact)
  return `${header}.${payload}.${Buffer.alloc(octets(signature).length, 7).toString('base64url')}`
}

/** A token with a kid that nobody has; nothing in it verifies. */
function unknownKid(nowMs: number): string {
  const part = (value: object | string): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = part({ exp: Math.floor(nowMs / 1000) + 60 })
  return `${part({ alg: 'RS256', kid: `trustspec-${nowMs}` })}.${claims}.${part('signature')}`
}

/**
 * The clocks of gateways and origins in this process are those that they were given. Other ones are moved past the life
 * of a token: then the origin must refuse it, and accept a new one.
 */
async function proveClocks(
  means: ChainPreflightMeans,
  found: { movable: boolean; readonly tapped: boolean },
  check: (name: string, ok: boolean, detail: string) => void,
): Promise<void> {
  const { clocks, noClock, direct, origin } = means
  if (!clocks) {
    if (noClock !== undefined) check('time can be moved', false, noClock)
    return
  }
  const [main] = means.candidates
  const isGiven = clocks.gateway.kind === 'injected' && clocks.origin.kind === 'injected'
  if (!isGiven) {
    const { token } = await through(means, main ? { key: main } : {})
    const before = token && (await directly(means, token.compact))
    if (!direct || before?.outcome !== 'accepted' || token?.exp === undefined) {
      check(
        'time can be moved',
        false,
        'proven by a token that is sent to the origin again, which is not accepted there',
      )
      return
    }
    await passInChain(means, lifeOf(token, means.originMs(), origin))
    const after = await directly(means, token.compact)
    const fresh = await through(means, main ? { key: main } : {})
    if (after?.outcome !== 'refused' || fresh.answer.outcome !== 'accepted') {
      check('time can be moved', false, 'an old token did not expire, or a new one is not accepted')
      return
    }
  }
  found.movable = true
  check('time can be moved', true, `${clocks.gateway.kind}, ${clocks.origin.kind}`)
}

function lifeOf({ exp = 0 }: TappedToken, nowMs: number, { leewaySec = MOST_LEEWAY_SEC }: ChainOrigin): number {
  return Math.max(0, exp - nowMs / 1000) + leewaySec + 2
}

/** Why a valid key does not reach the origin, and where to look. */
function causeOf(answer: Answer, passed: number, { gateway, origin, tap, logTail }: ChainPreflightMeans): string {
  const [at] = gateway.keyLocations
  const what = `The first API key, sent in the ${at.in} ${at.name}${at.scheme === undefined ? '' : ` with ${at.scheme}`},`
  if (answer.outcome === 'other' && answer.status >= 200 && answer.status < 300) {
    return `${what} is answered with ${answer.status}, but without the marker ${JSON.stringify(origin.marker)}: correct "marker" of the origin.`
  }
  const line = logTail().findLast((text) => /error/iu.test(text))
  const log = line === undefined ? '' : `; the log says: ${line.trim().slice(0, 200)}`
  const where = !tap
    ? 'check the key and the route, and that the origin trusts this gateway'
    : passed === 0
      ? 'nothing passed the tap, so check the key, "keyLocations" and the route'
      : 'it passed the tap, so compare issuer, audience, algorithms and JWKS URL of the origin with the gateway'
  if (answer.outcome === 'crashed') return `${what} is answered with ${seen(answer)}; ${where}${log}.`
  return `${what} is not accepted (${seen(answer)}): ${where}${log}.`
}
