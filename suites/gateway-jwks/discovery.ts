import type { GatewayBench, Served } from '../../harness/model/gateway-bench.ts'
import { distinct, isObject, readToken } from '../gateway-token/read.ts'
import { sampled } from '../gateway-token/sample.ts'
import { fingerprint, keysOf } from './document.ts'

/** Judges that the metadata name the issuer of the tokens and lead to its keys. */
export async function judgeMetadata(bench: GatewayBench): Promise<void> {
  const { fetch, judge, can, guard, profile, tokenOf } = bench
  const { discoveryUrl = '', issuer } = profile
  const { answer, json } = await fetch(discoveryUrl)
  const stimulus = 'the metadata of the issuer'
  judge(answer.status === 200 && isObject(json), {
    stimulus,
    expected: 'status 200 and a JSON object',
    observed: answer.failure ?? `status ${answer.status}${isObject(json) ? '' : ', no JSON object'}`,
  })
  if (answer.status !== 200 || !isObject(json)) return
  const { issuer: told, jwks_uri: uri } = json
  if (can('issuer', 'issuer of the metadata against the declared one')) {
    judge(told === issuer, {
      stimulus,
      expected: 'issuer is the declared one, octet for octet',
      observed: typeof told === 'string' ? told : 'no issuer that is a string',
    })
  }
  if (can('capture', 'issuer of the metadata against iss of the tokens') && can('key', 'iss of the tokens')) {
    const samples = await sampled(bench)
    const named = distinct(
      samples.flatMap(({ arrivals }) => arrivals).map((arrival) => readToken(tokenOf(arrival) ?? '').claims['iss']),
    )
    guard(named.length > 0, 'No token reached an origin.')
    judge(
      named.every((iss) => iss === told),
      {
        stimulus: 'iss of the tokens',
        expected: 'issuer of the metadata, octet for octet',
        observed: 'another',
      },
    )
  }
  judge(typeof uri === 'string', { stimulus, expected: 'a jwks_uri', observed: 'none that is a string' })
  if (typeof uri === 'string') await judgeKeysAt(bench, uri)
}

/** Looks at the JWKS: the keys may change in between, and workers may differ, which is another finding. */
const LOOKS = 5

/** Judges that the address of the metadata serves the keys that the gateway publishes. */
async function judgeKeysAt(bench: GatewayBench, uri: string): Promise<void> {
  const { fetch, jwks, judge, can, notProven, guard, profile } = bench
  const stimulus = 'the keys at the jwks_uri of the metadata'
  if (!can('jwks', stimulus)) return
  const { jwksUrl = '', discoveryUrl = '' } = profile
  if (![jwksUrl, discoveryUrl].some((known) => originOf(known) === originOf(uri))) {
    notProven(stimulus, 'needs a jwks_uri at the host of the gateway under test', '--jwks-url URL, as in the metadata')
    return
  }
  const told: Served = await fetch(uri)
  let own = await jwks()
  guard(keysOf(own).length > 0, 'What is served is no JWKS.')
  for (let look = 1; look < LOOKS && fingerprint(own) !== fingerprint(told); look += 1) own = await jwks()
  judge(told.answer.status === 200 && fingerprint(own) === fingerprint(told), {
    stimulus,
    expected: 'those of the JWKS',
    observed: told.answer.status === 200 ? 'others' : (told.answer.failure ?? `status ${told.answer.status}`),
  })
}

/** Scheme, host and port; undefined where it is no URL. */
function originOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).origin : undefined
}
