import type { GatewayBench, RawReply } from '../../harness/model/gateway-bench.ts'
import { message, rawHead, writing } from './raw.ts'
import { judgeToken, plain } from './looks.ts'

const CHUNKS = '7\r\n{"a":1}\r\n0\r\n'

/** Sends what the gateway sets for origins behind a chunked body, and judges that it does not become a header. */
export async function sendTrailers(bench: GatewayBench): Promise<void> {
  const { raw, track, judge, guard, notProven, profile, nonce } = bench
  const writes = writing(bench)
  if (!writes) {
    notProven('trailers behind a body', 'no route with a method that takes a body', 'POST in "routes" of the profile')
    return
  }
  const { route, method } = writes
  const own = await plain(bench, { route, method }, 'a call with a body')
  const send = async (trailers: readonly string[], announce: readonly string[], stimulus: string) => {
    const tracked = track()
    const head = rawHead(bench, route, tracked.nonce)
    const lines = ['Content-Type: application/json', 'Transfer-Encoding: chunked', ...announce]
    const body = `${CHUNKS}${trailers.map((line) => `${line}\r\n`).join('')}\r\n`
    return { reply: await raw(message(method, head, lines, body), stimulus), arrivals: tracked.arrivals() }
  }
  const control = await send([], [], 'a chunked body without trailers')
  if (isRefused(control.reply) && control.arrivals.length === 0) {
    notProven('trailers behind a body', 'the gateway takes no chunked bodies', 'a gateway that takes chunked bodies')
    return
  }
  guard(control.arrivals.length === 1, 'A chunked body without trailers did not reach the origin.')
  const forged = `forged-${nonce()}`
  const { header, scheme } = profile.token
  const names = [header, ...(profile.identityHeaders ?? [])]
  const trailers = names.map((name) => `${name}: ${name === header && scheme !== '' ? `${scheme} ` : ''}${forged}`)
  for (const [stimulus, announce] of [
    ['trailers that are announced', ['TE: trailers', `Trailer: ${names.join(', ')}`]],
    ['trailers that are not announced', []],
  ] as const) {
    const { arrivals } = await send(trailers, announce, stimulus)
    for (const arrival of arrivals) {
      const merged = names.filter((name) => arrival.header(name).some((value) => value.includes(forged)))
      judge(merged.length === 0, {
        stimulus,
        expected: 'trailers left out, or at the end of the request',
        observed: `merged into the headers: ${merged.join(', ')}`,
        failure: 'fail-open',
      })
      await judgeToken(bench, arrival, own.subject, stimulus)
    }
    judge(arrivals.length <= 1, { stimulus, expected: 'one request at the origin', observed: `${arrivals.length}` })
  }
}

function isRefused({ statuses: [status = 0] }: RawReply): boolean {
  return (status >= 400 && status < 500) || status === 501
}
