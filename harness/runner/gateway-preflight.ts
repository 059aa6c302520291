import { carriedToken } from '../capture/carried.ts'
import { requestOf } from '../bench/calls.ts'
import { answerOf, seen } from '../bench/exchange.ts'
import type { Keyring } from '../bench/keyring.ts'
import { placeOfToken } from '../bench/tokens.ts'
import type { Capture } from '../capture/server.ts'
import type { Client } from '../client/client.ts'
import { TrustspecError } from '../model/errors.ts'
import type { Call } from '../model/gateway-bench.ts'
import type { ApiKey, ResolvedGatewayProfile } from '../model/gateway-profile.ts'
import type { Answer } from '../model/http.ts'
import type { Check } from '../model/result.ts'

/** What the pre-flight of a gateway has to work with. */
export interface GatewayPreflightMeans {
  readonly client: Client
  readonly profile: ResolvedGatewayProfile
  readonly captures?: { readonly first: Capture; readonly second: Capture }
  readonly keyring?: Keyring
  readonly candidates: readonly ApiKey[]
  readonly nonce: () => string
  readonly logTail: () => readonly string[]
  readonly onCheck: (check: Check) => void
}

/** What the pre-flight of a gateway found out. */
export interface GatewayPreflight {
  readonly checks: readonly Check[]
  /** Why no case can be judged. */
  readonly cause?: string
  readonly working: readonly ApiKey[]
  readonly captured: boolean
  readonly secondCaptured: boolean
  readonly jwks: boolean
}

/** Asks without a key whether anything answers; ERR_TARGET_UNREACHABLE when nothing listens. */
export async function reachGateway(client: Client, profile: ResolvedGatewayProfile, url: string): Promise<Answer> {
  const answer = answerOf(await client.send(requestOf({ key: null }, 'reach', profile, undefined)), {})
  if (answer.failure === 'unreachable') {
    throw new TrustspecError('ERR_TARGET_UNREACHABLE', 'Nothing answers at the URL under test', {
      url,
      instead: 'start the gateway, or correct the host and the port',
    })
  }
  return answer
}

/** Establishes what every case rests on, or names the one cause for which none can be judged. */
export async function gatewayPreflight(means: GatewayPreflightMeans, anonymous: Answer): Promise<GatewayPreflight> {
  const { client, profile, captures, keyring, candidates } = means
  const checks: Check[] = []
  const working: ApiKey[] = []
  const found = { captured: false, secondCaptured: false, jwks: false }
  const check = (name: string, ok: boolean, detail: string): void => {
    checks.push({ name, ok, detail })
    means.onCheck({ name, ok, detail })
  }
  const done = (cause?: string): GatewayPreflight => ({
    checks,
    working,
    ...found,
    ...(cause === undefined ? {} : { cause }),
  })
  const send = async (call: Call, main?: ApiKey) => {
    const nonce = means.nonce()
    const wire = await client.send(requestOf(call, nonce, profile, main))
    const answer = answerOf(wire, captures || profile.marker === undefined ? {} : { marker: profile.marker })
    return { answer, nonce }
  }

  check('answers', anonymous.failure === undefined, `a request without a key: ${seen(anonymous)}`)
  if (anonymous.failure) return done(`The gateway does not answer a request without a key: ${seen(anonymous)}.`)
  if (candidates.length === 0) return done()

  for (const [at, key] of candidates.entries()) {
    const { answer, nonce } = await send({ key })
    const ok = answer.outcome === 'accepted'
    check(`key ${at + 1} is let in`, ok, seen(answer))
    if (!ok && at === 0) return done(causeOf(answer, means))
    if (ok) working.push(key)
    if (at > 0 || !captures) continue
    const [arrival] = captures.first.requestsOf(nonce)
    found.captured = arrival !== undefined
    check(
      'forwards to the capture origin',
      found.captured,
      arrival ? captures.first.url : `nothing reached ${captures.first.url}`,
    )
    if (!arrival) {
      return done(
        `The gateway answers ${answer.status} to a valid key, but nothing reached the capture origin: set its origin to ${captures.first.url}.`,
      )
    }
    const { header } = placeOfToken(profile)
    const { compact } = carriedToken(arrival, placeOfToken(profile))
    check(
      'attaches a token',
      compact !== undefined,
      compact === undefined ? `no token is in ${header}` : `in ${header}`,
    )
  }
  const second = profile.routes.find(({ origin }) => origin === 2)
  if (second && captures) {
    const { nonce } = await send({ route: second }, working[0])
    found.secondCaptured = captures.second.requestsOf(nonce).length > 0
    check('forwards to the second capture origin', found.secondCaptured, captures.second.url)
  }
  if (keyring) {
    const { wire, json } = await keyring.fetch()
    found.jwks = wire.status === 200 && json !== undefined
    check('publishes a JWKS', found.jwks, `${profile.jwksUrl ?? ''}: status ${wire.status}`)
  }
  return done()
}

/** Why a valid key is not let in, and where to look. */
function causeOf(answer: Answer, { profile, logTail }: GatewayPreflightMeans): string {
  const [at] = profile.keyLocations
  const what = `The first API key, sent in the ${at.in} ${at.name}${at.scheme === undefined ? '' : ` with ${at.scheme}`},`
  if (answer.outcome === 'other' && answer.status >= 200 && answer.status < 300) {
    return `${what} is answered with ${answer.status}, but without the marker ${JSON.stringify(profile.marker)}: correct "marker".`
  }
  const line = logTail().findLast((text) => /error/iu.test(text))
  const log = line === undefined ? '' : `; the gateway logged: ${line.trim().slice(0, 200)}`
  if (answer.outcome === 'crashed') return `${what} is answered with ${seen(answer)}${log}.`
  return `${what} is not let in (${seen(answer)}): check the key, "keyLocations" and the route${log}.`
}
