import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { KeyLocation } from '../../harness/model/gateway-profile.ts'
import { judgeToken, look, plain } from './looks.ts'
import type { Forged } from './looks.ts'
import { callAt } from './raw.ts'

/** A header that no gateway sets. */
const MARK = 'X-Trustspec-Injected'

/** Puts the end of a line and more headers into whatever a gateway may decode, and judges that they stay text. */
export async function injectHeaders(bench: GatewayBench): Promise<void> {
  const { profile, keys, nonce, can } = bench
  const own = await plain(bench, {}, 'a call with a valid key')
  const forged = `forged-${nonce()}`
  const names = [MARK, ...(profile.identityHeaders ?? []).slice(0, 1)]
  const lines = names.flatMap((name) => ['', `${name}: ${forged}`])
  const encoded = lines
    .map((line) => line.replaceAll(' ', '%20'))
    .join('%0d%0a')
    .replaceAll('%0d%0a%0d%0a', '%0d%0a')
  const [{ path }] = profile.routes
  const key = keys[0]?.key ?? ''
  const [at] = profile.keyLocations
  const query = at.in === 'query' ? `&${at.name}=${encodeURIComponent(key)}` : ''
  const calls: readonly Forged[] = [
    ['CR LF in the query', { query: `q=a${encoded}` }],
    ['CR LF behind a space in the query', { query: `q=a%20HTTP/1.1${encoded}` }],
    ['CR LF at the end of the path', { target: `${path}${encoded}?trustspec={nonce}${query}` }],
    ['CR LF behind a slash in the path', { target: `${path}/a${encoded}?trustspec={nonce}${query}` }],
    ...profile.keyLocations.flatMap((location): readonly Forged[] => {
      const call = callAt(bench, location)
      const name = `CR LF behind the key in the ${location.in} ${location.name}`
      return call ? [[name, { ...call, key: keyWith(location, key, encoded) }]] : []
    }),
    ['CR LF in another header', { headers: [['X-Ordinary', `a${encoded}`]] }],
  ]
  for (const one of calls) await judgeInjection(bench, one, names, forged, own.subject)
  if (!can('identity-headers', 'an attribute of the consumer with CR LF in it')) return
  if (!can('issue-key', 'an attribute of the consumer with CR LF in it')) return
  for (const [name, attribute] of [
    ['CR LF', `gold\r\n${MARK}: ${forged}`],
    ['LF', `gold\n${MARK}: ${forged}`],
  ] as const) {
    await judgeAttribute(bench, attribute, `an attribute of the consumer with ${name} in it`, forged)
  }
}

/** A parameter is decoded once on its way: there the octets themselves go into the call. */
function keyWith(location: KeyLocation, key: string, encoded: string): string {
  return location.in === 'header' || location.in === 'cookie'
    ? `${key}${encoded}`
    : `${key}${decodeURIComponent(encoded)}`
}

async function judgeInjection(
  bench: GatewayBench,
  [stimulus, call]: Forged,
  names: readonly string[],
  forged: string,
  subject: Awaited<ReturnType<typeof plain>>['subject'],
): Promise<void> {
  const reached = await look(bench, [stimulus, call])
  bench.judge(reached.length <= 1, {
    stimulus,
    expected: 'at most one request at the origin',
    observed: `${reached.length} requests`,
    failure: 'fail-open',
  })
  for (const arrival of reached) {
    judgeLines(bench, arrival, names, forged, stimulus)
    await judgeToken(bench, arrival, subject, stimulus)
  }
}

async function judgeAttribute(bench: GatewayBench, attribute: string, stimulus: string, forged: string): Promise<void> {
  const { freshKey, observes, verify, judge, notProven } = bench
  let key
  try {
    key = await freshKey({ attribute })
  } catch {
    notProven(stimulus, 'the gateway issues no key to such a consumer', 'nothing: it cannot come to that')
    return
  }
  // What an operator wrote into a consumer may well be answered with 500: nothing goes on then.
  const { arrivals } = await observes({ key }, stimulus)
  for (const arrival of arrivals()) {
    judgeLines(bench, arrival, [MARK], forged, stimulus)
    const { problems } = await verify(arrival)
    judge(problems.length === 0, {
      stimulus,
      expected: 'one valid gateway token',
      observed: problems.map(({ detail }) => detail).join('; '),
      failure: 'fail-open',
    })
  }
}

function judgeLines(
  { judge }: GatewayBench,
  {
    header,
    lines,
    target,
  }: {
    readonly header: (name: string) => readonly string[]
    readonly lines: readonly string[]
    readonly target: string
  },
  names: readonly string[],
  forged: string,
  stimulus: string,
): void {
  const has = names.some((name) => header(name).some((value) => value.includes(forged)))
  const begins = lines.some((line) =>
    names.some((name) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`) && line.includes(forged)),
  )
  judge(!has && !begins && !/[\r\n]/u.test(target), {
    stimulus,
    expected: 'no header at the origin that the caller wrote into something else',
    observed: 'the injected header',
    failure: 'fail-open',
  })
}
