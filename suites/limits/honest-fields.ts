import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { Answer } from '../../harness/model/http.ts'
import { fieldOf, legacyFields, retrySeconds, stringList, wrongInFields } from './fields.ts'
import { freshLimits, isThrottled } from './limits.ts'

const COUNTED = 10

/** Reads the fields of ten answers and a throttled one, and judges their form and what they claim of each other. */
export async function fieldsAreHonest(bench: GatewayBench): Promise<void> {
  const { judge, guard, observes, records } = bench
  for (const { limit, key, name } of await freshLimits(bench)) {
    const answers: { readonly stimulus: string; readonly answer: Answer }[] = []
    const most = 2 * limit.requests + (limit.burst ?? 0) + 10
    let throttled = false
    for (let sent = 1; sent <= most && !throttled; sent += 1) {
      const stimulus = `${name}, request ${sent}`
      const passage = await observes({ route: limit.route, key }, stimulus)
      throttled = isThrottled(passage, limit)
      if (throttled || sent <= COUNTED) answers.push({ stimulus, answer: passage.answer })
    }
    guard(throttled, `${name}: the limit was not reached.`)
    for (const { stimulus, answer } of answers) {
      const wrong = wrongInFields(answer)
      judge(wrong.length === 0, { stimulus, expected: 'fields of the draft', observed: wrong.join('; ') })
      judge(fieldOf(answer, 'ratelimit') !== undefined, { stimulus, expected: 'a RateLimit field', observed: 'none' })
      await withoutKey(bench, answer, key.key, stimulus)
    }
    const policies = new Set(answers.map(({ answer }) => fieldOf(answer, 'ratelimit-policy') ?? ''))
    judge(policies.size === 1, {
      stimulus: `${name}, ${answers.length} answers`,
      expected: 'the same RateLimit-Policy in each',
      observed: `${policies.size} different ones`,
    })
    const last = answers.at(-1)
    if (last) waitsLongEnough(bench, last.answer, last.stimulus)
    const old = answers.flatMap(({ answer }) => legacyFields(answer))
    if (old.length > 0) records(`${name}: older fields`, [...new Set(old)].join(', '))
    await notInTrailers(bench, limit.route.path)
  }
}

/** A partition key is for telling callers apart, and goes into logs: it must not lead back to the key. */
async function withoutKey(
  { judge, searchText }: GatewayBench,
  answer: Answer,
  key: string,
  stimulus: string,
): Promise<void> {
  const texts = ['ratelimit', 'ratelimit-policy'].map((field) => fieldOf(answer, field) ?? '')
  const partitions = texts
    .flatMap((text) => stringList(text) ?? [])
    .flatMap(({ parameters: { pk } }) => (pk instanceof Uint8Array ? [Buffer.from(pk).toString('latin1')] : []))
  const places = await searchText([...texts, ...partitions].join('\n'), { name: 'key', value: key })
  judge(places.length === 0, {
    stimulus,
    expected: 'a partition key without the API key',
    observed: 'the API key in it',
  })
}

/** Retry-After must not end before the time after which RateLimit says that there is more. */
function waitsLongEnough({ judge, now }: GatewayBench, answer: Answer, stimulus: string): void {
  const [value] = answer.header('retry-after')
  const seconds = value === undefined ? undefined : retrySeconds(value, now())
  const times = (stringList(fieldOf(answer, 'ratelimit') ?? '') ?? []).flatMap(({ parameters: { t } }) =>
    typeof t === 'number' ? [t] : [],
  )
  if (seconds === undefined || times.length === 0) return
  const most = Math.max(...times)
  judge(seconds >= most, { stimulus, expected: `Retry-After of at least t=${most}`, observed: `${seconds} s` })
}

async function notInTrailers({ raw, judge, profile, track }: GatewayBench, path: string): Promise<void> {
  const stimulus = 'an answer in chunks'
  const host = profile.jwksUrl === undefined ? 'localhost' : new URL(profile.jwksUrl).host
  const { nonce } = track()
  const { text } = await raw(
    `GET ${path}?trustspec=${nonce} HTTP/1.1\r\nHost: ${host}\r\nTE: trailers\r\nConnection: TE, close\r\n\r\n`,
    stimulus,
  )
  const trailers = text.slice(text.indexOf('\r\n\r\n') + 4).split('\r\n0\r\n')[1] ?? ''
  judge(!/^ratelimit/imu.test(trailers), { stimulus, expected: 'no RateLimit field in trailers', observed: 'one' })
}
