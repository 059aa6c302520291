import type { GatewayBench, Passage } from '../../harness/model/gateway-bench.ts'
import { retryAfterSec } from './answers.ts'
import { FORMS, partitionsIn, soonestIn, toldBy, valueOf, wrongWith } from './fields.ts'
import { exhaust, freshLimits } from './limits.ts'
import { trailersIn } from './trailers.ts'

/** Answers that are looked at before the throttled one. */
const ANSWERS = 10

/** Characters of a key in a row that are key material. */
const SLICE = 12

const FIELDS = ['RateLimit', 'RateLimit-Policy'] as const

/** RateLimit and RateLimit-Policy are what the draft says, over many answers and a throttled one. */
export async function tellsOfLimits(bench: GatewayBench): Promise<void> {
  const { judge, records, now, observes } = bench
  for (const fresh of await freshLimits(bench)) {
    const { limit, key, name: where } = fresh
    const open = `${where}, answers within the limit`
    const closed = `${where}, a throttled answer`
    const passages: Passage[] = []
    for (let sent = 0; sent < Math.min(ANSWERS, limit.requests); sent += 1) {
      passages.push(await observes({ route: limit.route, key }, open))
    }
    const throttled = await exhaust(bench, fresh)
    const told = [...passages.map((one) => [open, one] as const), [closed, throttled] as const]
    for (const name of FIELDS) {
      const values = told.flatMap(([stimulus, { answer }]) => {
        const value = valueOf(answer, name)
        return value === undefined ? [] : [{ stimulus, value }]
      })
      // Not every answer need have them (section 6.2).
      judge(values.length > 0, { stimulus: open, expected: name, observed: 'none in any answer' })
      for (const { stimulus, value } of values) {
        const wrong = wrongWith(name, value).map((text) => `${name}: ${text}`)
        if (tellsKey(value, key.key)) wrong.push(`${name} has a part of the key`)
        judge(wrong.length === 0, { stimulus, expected: 'fields as in the draft', observed: wrong.join('; ') })
      }
    }
    const policies = new Set(passages.flatMap(({ answer }) => valueOf(answer, 'RateLimit-Policy') ?? []))
    judge(policies.size < 2, {
      stimulus: open,
      expected: 'the same RateLimit-Policy',
      observed: `${policies.size} different ones`,
    })
    const { answer } = throttled
    const soonest = soonestIn(valueOf(answer, 'RateLimit') ?? '')
    const retry = retryAfterSec(answer.header('Retry-After')[0] ?? '', now())
    if (soonest !== undefined && retry !== undefined) {
      // Each is rounded to seconds by itself.
      judge(retry >= soonest - 1, {
        stimulus: closed,
        expected: `Retry-After of at least ${soonest} s`,
        observed: `${retry} s`,
      })
    }
    const forms = new Set([...passages, throttled].flatMap((one) => toldBy(one.answer)).map(({ form }) => FORMS[form]))
    records(`fields of ${where}`, [...forms].join(', '))
    await notInTrailers(bench, limit.route.path, key.key)
  }
}

/** Whether a value holds a part of the key, as it is or in a partition key. */
function tellsKey(value: string, key: string): boolean {
  const texts = [value, ...partitionsIn(value).map((octets) => String.fromCharCode(...octets))]
  for (let at = 0; at + SLICE <= key.length; at += 1) {
    const slice = key.slice(at, at + SLICE)
    if (texts.some((text) => text.includes(slice))) return true
  }
  return false
}

async function notInTrailers({ raw, judge, profile }: GatewayBench, path: string, key: string) {
  const [{ in: place, name, scheme }] = profile.keyLocations
  if (place !== 'header') return
  const value = scheme === undefined || scheme === '' ? key : `${scheme} ${key}`
  const stimulus = `trailers of an answer of ${path}`
  const { text } = await raw(
    `GET ${path} HTTP/1.1\r\nHost: limits.example.com\r\n${name}: ${value}\r\nTE: trailers\r\nConnection: TE, close\r\n\r\n`,
    stimulus,
  )
  const found = trailersIn(text).filter((line) => /^ratelimit(?:-policy)?:/iu.test(line))
  judge(found.length === 0, {
    stimulus,
    expected: 'no RateLimit fields',
    observed: found.map((line) => line.slice(0, 40)).join('; '),
  })
}
