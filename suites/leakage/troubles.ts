import type { Answering } from '../../harness/model/capture.ts'
import type { GatewayBench, Passage } from '../../harness/model/gateway-bench.ts'
import { givesAway, placesText, signatureOf, textOf, tokensIn } from './secrets.ts'

/** What an origin can do to a request, by name; none of it tells anything of the request. */
const TROUBLES: readonly (readonly [name: string, answering: Answering])[] = [
  ['answers 200', {}],
  ['answers 204', { status: 204 }],
  ['answers 401', { status: 401, headers: [['WWW-Authenticate', 'Bearer error="invalid_token"']] }],
  ['answers 404', { status: 404, body: 'none' }],
  ['answers 500', { status: 500, body: 'failed' }],
  ['answers 503', { status: 503, body: 'busy' }],
  ['redirects', { redirect: '/elsewhere' }],
  ['resets the connection unread', { fault: 'reset-unread' }],
  ['resets the connection unanswered', { fault: 'reset-unanswered' }],
  ['closes the connection unanswered', { fault: 'close-unanswered' }],
  ['resets behind the head', { fault: 'reset-after-head' }],
  ['breaks off in the body', { fault: 'close-mid-body' }],
  ['breaks off in a chunk', { fault: 'close-mid-chunk' }],
]

/** Header in which a call names the programme that is for it. */
const OWN_NONCE = 'X-Trustspec-Case'

/** What a caller sees is searched on a connection of its own, so that no answer is lost that broke off. */
const ALONE = ['Connection', 'close'] as const

/** Judges that no answer, whatever the origin does, shows the token of its request. */
export async function judgeTroubles(bench: GatewayBench): Promise<void> {
  const { capture, observes, nonce, guard, can, profile } = bench
  const known = new Set<string>()
  const passages: (readonly [stimulus: string, passage: Passage])[] = []
  const trouble = async (name: string, answering: Answering): Promise<void> => {
    const own = nonce()
    const stimulus = `the origin ${name}`
    const programme = capture.answer(answering, { nonce: own })
    const passage = await observes({ headers: [[OWN_NONCE, own], ALONE] }, stimulus)
    for (const arrival of passage.arrivals()) {
      for (const token of arrival.headers.flatMap(([, value]) => tokensIn(value))) known.add(token)
    }
    guard(passage.arrivals().length > 0, `${stimulus}: the request never reached it.`)
    guard(Object.keys(answering).length === 0 || programme.served() > 0, `${stimulus}: it was never served.`)
    passages.push([stimulus, passage])
  }
  const others = async (): Promise<void> => {
    for (const [name, answering] of TROUBLES) await trouble(name, answering)
  }
  // The longest one is under way meanwhile.
  const stall = can('origin-timeout', 'the origin stalls')
    ? stalled(bench, (profile.originTimeoutSec ?? 0) * 1000, known)
    : undefined
  const [ended, waited] = await Promise.allSettled([others(), stall])
  for (const one of [ended, waited]) if (one.status === 'rejected') throw one.reason
  if (waited.status === 'fulfilled' && waited.value) passages.push(['the origin stalls', waited.value])
  await using outage = await capture.down()
  passages.push(['the origin refuses', await observes({ headers: [ALONE] }, 'the origin refuses')])
  await outage[Symbol.asyncDispose]()
  guard(known.size > 0, 'No token reached the origin.')
  for (const [stimulus, { answer }] of passages) await judgeAnswer(bench, stimulus, textOf(answer), [...known])
}

async function stalled(
  { capture, observes, nonce, guard }: GatewayBench,
  timeoutMs: number,
  known: Set<string>,
): Promise<Passage> {
  const own = nonce()
  using hold = capture.hold({ nonce: own })
  const passage = await observes(
    { headers: [[OWN_NONCE, own], ALONE], withinMs: timeoutMs + 2_000 },
    'the origin stalls',
  )
  guard(hold.most() > 0, 'The origin stalls: the request never reached it.')
  for (const arrival of passage.arrivals()) {
    for (const token of arrival.headers.flatMap(([, value]) => tokensIn(value))) known.add(token)
  }
  return passage
}

async function judgeAnswer(
  { judge, searchText, profile }: GatewayBench,
  stimulus: string,
  text: string,
  tokens: readonly string[],
): Promise<void> {
  const secrets = tokens.map((token, at) => ({ name: `token ${at + 1}`, value: signatureOf(token) }))
  const places = (await searchText(text, ...secrets)).filter(givesAway)
  // Where nothing reached the origin its token is not known: any token of this issuer is one too many.
  const issuers = new Set([profile.issuer, ...tokens.map(issuerOf)])
  const foreign = tokensIn(text).some((token) => issuerOf(token) !== undefined && issuers.has(issuerOf(token)))
  judge(places.length === 0 && !foreign, {
    stimulus,
    expected: 'no gateway token in the answer',
    observed: places.length > 0 ? `its signature ${placesText(places)}` : 'a token of the gateway',
    failure: 'fail-open',
  })
}

function issuerOf(compact: string): unknown {
  try {
    const claims: unknown = JSON.parse(Buffer.from(compact.split('.')[1] ?? '', 'base64url').toString())
    return typeof claims === 'object' && claims !== null && 'iss' in claims ? claims.iss : undefined
  } catch {
    return undefined
  }
}
