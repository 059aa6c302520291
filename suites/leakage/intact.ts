import type { Arrival } from '../../harness/model/capture.ts'
import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { HeaderLines } from '../../harness/model/http.ts'
import { mainKey, methodWithBody } from '../api-keys/calls.ts'

/** Header lines that mean nothing to a gateway, and that no hop may change (RFC 9110 section 7.6.1). */
const ORDINARY: HeaderLines = [
  ['Accept-Language', 'de-CH, en;q=0.5'],
  ['Cache-Control', 'no-transform'],
  ['Cookie', 'session=1; theme=dark'],
  ['DNT', '1'],
  ['From', 'caller@example.com'],
  ['Idempotency-Key', '"8e03978e"'],
  ['Prefer', 'return=minimal'],
  ['Referer', 'https://app.example.com/orders?page=2'],
  ['Sec-Fetch-Mode', 'cors'],
  ['X-Trustspec-Plain', 'Value, with "quotes" and  two spaces'],
  ['X-Trustspec-Twice', 'one'],
  ['X-Trustspec-Twice', 'two'],
  ['X-Trustspec-Empty', ''],
]

/** Preconditions and ranges: the origin has to see them, or it answers something else (RFC 9110 sections 13 and 14). */
const CONDITIONAL: HeaderLines = [
  ['If-Match', '"a", "b"'],
  ['If-None-Match', 'W/"c"'],
  ['If-Modified-Since', 'Sat, 01 Jan 2022 00:00:00 GMT'],
  ['If-Unmodified-Since', 'Fri, 01 Jan 2027 00:00:00 GMT'],
  ['Range', 'bytes=0-9'],
  ['If-Range', '"d"'],
]

const QUERY = 'q=1&q=2&empty=&flag&encoded=%2Fa%20b%26c&plus=a+b&q=3'

/** Octets of the large body. */
const LARGE = 100 * 1024

/** Judges that a request reaches the origin as it was sent, but for what is declared. */
export async function judgeIntact(bench: GatewayBench): Promise<void> {
  const { forwards, observes, profile, notProven, random, records } = bench
  mainKey(bench)
  const [route] = profile.routes
  const same = async (headers: HeaderLines, stimulus: string): Promise<void> => {
    const { arrivals } = await forwards({ headers, query: QUERY }, stimulus)
    for (const arrival of arrivals()) {
      sameHeaders(bench, arrival, headers, stimulus)
      sameQuery(bench, arrival, stimulus)
    }
  }
  await same(ORDINARY, 'ordinary header lines, and names that stand twice in the query')
  await same(CONDITIONAL, 'conditional header lines')

  const method = methodWithBody(route.methods)
  if (method === undefined) {
    notProven('a body of 100 kB', 'needs a route with POST, PUT or PATCH', '"routes" of the profile')
  } else await sameBody(bench, method, random(LARGE))

  const at = route.path.lastIndexOf('/') + 1
  const first = (route.path.codePointAt(at) ?? 0).toString(16)
  const target = `${route.path.slice(0, at)}%${first}${route.path.slice(at + 1)}`
  if (at >= route.path.length) return
  // A gateway may know its routes in one spelling alone.
  const { answer, arrivals } = await observes({ target: `${target}?${QUERY}` }, 'a path with an encoded letter')
  records('takes a path with an encoded letter', answer.outcome === 'accepted')
  for (const arrival of arrivals()) {
    sameQuery(bench, arrival, 'a path with an encoded letter')
    const path = arrival.target.split('?')[0] ?? ''
    const due = route.originPath ?? route.path
    bench.judge(decoded(path) === decoded(due), {
      stimulus: 'a path with an encoded letter',
      expected: 'the same path at the origin',
      observed: 'another one',
    })
  }
}

async function sameBody({ forwards, judge }: GatewayBench, method: string, body: Uint8Array): Promise<void> {
  const stimulus = `${method} with a body of 100 kB`
  const type = 'application/octet-stream'
  const { arrivals } = await forwards({ method, body, contentType: type }, stimulus)
  for (const arrival of arrivals()) {
    judge(Buffer.compare(arrival.body.octets, body) === 0, {
      stimulus,
      expected: 'the same octets at the origin',
      observed: `${arrival.body.total} octets, not the same`,
    })
    judge(arrival.header('content-type').join() === type, {
      stimulus,
      expected: 'the same Content-Type at the origin',
      observed: 'another one',
    })
  }
}

/** Lines of a name may be joined to a list (RFC 9110 section 5.3). */
function sameHeaders({ judge, profile }: GatewayBench, arrival: Arrival, sent: HeaderLines, stimulus: string): void {
  const altered = new Set((profile.alteredHeaders ?? []).map((name) => name.toLowerCase()))
  const names = new Set(sent.map(([name]) => name))
  const wrong = [...names].filter((name) => {
    if (altered.has(name.toLowerCase())) return false
    const due = sent.flatMap(([other, value]) => (other === name ? [value] : []))
    const joint = name === 'Cookie' ? '; ' : ', '
    return arrival.header(name).join(joint) !== due.join(joint)
  })
  judge(wrong.length === 0, {
    stimulus,
    expected: 'the same header lines at the origin',
    observed: `missing or changed: ${wrong.join(', ')}`,
  })
}

function sameQuery({ judge }: GatewayBench, { target }: Arrival, stimulus: string): void {
  const query = target.slice(target.indexOf('?') + 1)
  const upper = (text: string): string => text.replaceAll(/%[0-9a-f]{2}/giu, (one) => one.toUpperCase())
  judge(upper(query) === QUERY || upper(query).startsWith(`${QUERY}&`), {
    stimulus,
    expected: 'the same query at the origin',
    observed: 'something of it is missing, changed or moved',
  })
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
