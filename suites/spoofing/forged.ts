import { Buffer } from 'node:buffer'
import { createPrivateKey, sign } from 'node:crypto'
import type { Call, GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { KeyLocation } from '../../harness/model/gateway-profile.ts'
import type { HeaderLines } from '../../harness/model/http.ts'
import type { JsonObject } from '../../harness/model/json.ts'
import { captured, judgeToken, look, plain } from './looks.ts'
import type { Forged, Plain } from './looks.ts'
import { callAt } from './raw.ts'

/** PKCS#8 of an Ed25519 key in front of its 32 octets (RFC 8410 section 7). */
const ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex')

const part = (value: JsonObject): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Tokens of an attacker who knows everything but the key of the gateway. */
export async function forgedTokens(
  { verify, now, random, keys, nonce }: GatewayBench,
  { arrival }: Plain,
): Promise<{ readonly signed: string; readonly others: readonly (readonly [name: string, compact: string])[] }> {
  const { header = {}, claims = {} } = await verify(arrival)
  const key = createPrivateKey({ key: Buffer.concat([ED25519, random(32)]), format: 'der', type: 'pkcs8' })
  const sub = keys[1]?.subject ?? `forged-${nonce()}`
  const compact = (changes: JsonObject): string => {
    const input = `${part({ ...header, alg: 'EdDSA' })}.${part({ ...claims, sub, ...changes })}`
    return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`
  }
  return {
    signed: compact({ jti: nonce() }),
    others: [
      ['an expired token of an attacker', compact({ jti: nonce(), exp: Math.floor(now()) - 3_600 })],
      ['an unsigned token (alg none)', `${part({ alg: 'none', typ: 'JWT' })}.${part({ ...claims, sub })}.`],
    ],
  }
}

/** Every other letter in upper case. */
function mixed(name: string): string {
  return Array.from(name)
    .map((letter, at) => (at % 2 === 0 ? letter.toLowerCase() : letter.toUpperCase()))
    .join('')
}

/** Calls with a valid key there, and forged tokens where the gateway puts its own. */
export function withForged(
  { profile, keys }: GatewayBench,
  location: KeyLocation,
  call: Call,
  signed: string,
  others: readonly (readonly [name: string, compact: string])[],
): readonly Forged[] {
  const { header, scheme } = profile.token
  const value = (compact: string): string => (scheme === '' ? compact : `${scheme} ${compact}`)
  const lines = (...names: readonly string[]): HeaderLines => names.map((name) => [name, value(signed)])
  const where = `key in the ${location.in} ${location.name}`
  const called = (name: string, headers: HeaderLines): Forged => [`${where}, ${name}`, { ...call, headers }]
  const isShared = location.in === 'header' && location.name.toLowerCase() === header.toLowerCase()
  const key = keys[0]?.key ?? ''
  const own = location.scheme === undefined || location.scheme === '' ? key : `${location.scheme} ${key}`
  return [
    called(`a token of an attacker in ${header}`, lines(header)),
    called(`a token of an attacker in ${header.toLowerCase()}`, lines(header.toLowerCase())),
    called(`a token of an attacker in ${header.toUpperCase()}`, lines(header.toUpperCase())),
    called(`a token of an attacker in ${mixed(header)}`, lines(mixed(header))),
    called(`a token of an attacker in two lines of ${header}`, lines(header, header.toLowerCase())),
    called(`two tokens of an attacker in one line of ${header}`, [[header, `${value(signed)}, ${value(signed)}`]]),
    ...others.map(([name, compact]) => called(`${name} in ${header}`, [[header, value(compact)]])),
    // Where key and token share a header, what is in front of the key is another stimulus than what is behind it.
    ...(isShared
      ? ([
          [
            `${where}, a token of an attacker in front of it`,
            { key: null, headers: [...lines(header), [header, own]] },
          ],
          [
            `${where}, a token of an attacker behind it in the same line`,
            { key: null, headers: [[header, `${own}, ${value(signed)}`]] },
          ],
        ] satisfies Forged[])
      : []),
  ]
}

/** Sends forged tokens beside a valid key, and judges that the origin gets the one of the gateway alone. */
export async function replaceToken(bench: GatewayBench): Promise<void> {
  const { profile, keys, tokenOf, judge, can } = bench
  const own = await plain(bench, {}, 'a call with a valid key')
  const { signed, others } = await forgedTokens(bench, own)
  const real: (readonly [name: string, compact: string])[] = []
  const [, second] = keys
  if (can('second-consumer', 'a token of the gateway for another consumer') && second) {
    const theirs = tokenOf(await captured(bench, { key: second }, 'a call of another consumer'))
    if (theirs !== undefined) real.push(['a token of the gateway for another consumer', theirs])
  }
  for (const location of profile.keyLocations) {
    const call = callAt(bench, location)
    if (!call) continue
    for (const one of withForged(bench, location, call, signed, [...others, ...real])) {
      const [stimulus] = one
      for (const arrival of await look(bench, one)) {
        const lines = arrival.header(profile.token.header)
        judge(
          lines.length === 1 &&
            ![signed, ...others.map(([, token]) => token)].some((token) => lines[0]?.includes(token)),
          {
            stimulus,
            expected: `one line of ${profile.token.header}, without the token of the caller`,
            observed: `${lines.length} lines, or the token of the caller`,
            failure: 'fail-open',
          },
        )
        await judgeToken(bench, arrival, own.subject, stimulus)
      }
    }
  }
}
