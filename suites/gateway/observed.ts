import { defineSuite } from '../../harness/model/case.ts'
import { mainKey, unknownKey } from '../api-keys/calls.ts'
import { nearMisses } from '../api-keys/variants.ts'

/** Calls of each kind whose times are compared. */
const TIMED = 15

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other)
  return Math.round((sorted[sorted.length >> 1] ?? 0) * 100) / 100
}

export default defineSuite({
  id: 'gateway/observed',
  title: 'Recorded behaviour of gateways (no verdict)',
  cases: [
    {
      id: 'notes',
      title: 'does what is good to know and no standard decides',
      level: 'INFO',
      clause: ['cwe-208', 'rfc7515/jose-header'],
      needs: ['key'],
      runs: 'alone',
      rationale: 'Two gateways that differ here are both right, and their origins and callers see the difference.',
      remedy: 'Compare the values of your gateways; none of them is wrong.',
      async run(bench) {
        const { observes, records, can, verify, nonce, tokenOf } = bench
        const { key } = mainKey(bench)
        const [, near = unknownKey(bench)] = nearMisses(key)[0] ?? []
        const times = { unknown: [] as number[], near: [] as number[] }
        for (let count = 0; count < TIMED; count += 1) {
          times.unknown.push((await observes({ key: unknownKey(bench) }, 'an unknown key')).answer.ms)
          times.near.push((await observes({ key: near }, 'a key that differs in one character')).answer.ms)
        }
        records('median for an unknown key, ms', median(times.unknown))
        records('median for a key that differs in one character, ms', median(times.near))
        if (!can('capture', 'what the origin sees')) return
        const { arrivals } = await observes({ headers: [['Cookie', 'session=1']] }, 'a call with a cookie')
        const [arrival] = arrivals()
        records('forwards cookies', arrival?.header('cookie').join('; ').includes('session=1') === true)
        const header = arrival && tokenOf(arrival) !== undefined ? (await verify(arrival)).header : undefined
        for (const name of ['jku', 'jwk', 'x5u', 'x5c', 'x5t']) {
          records(`${name} in the header of tokens`, header !== undefined && Object.hasOwn(header, name))
        }
        // RFC 9864 section 2.2 deprecates the name that does not say which curve.
        records('alg of tokens', String(header?.['alg'] ?? 'none'))
        const own = nonce()
        const refusal = { status: 401, headers: [['WWW-Authenticate', 'Bearer error="invalid_token"']] as const }
        const programme = bench.capture.answer(refusal, { nonce: own })
        const { answer } = await observes({ headers: [['X-Trustspec-Case', own]] }, 'the origin refuses the token')
        if (programme.served() === 0) return
        records('status for a caller whose token the origin refuses', answer.status)
        records(
          'passes the challenge of the origin on',
          answer.header('www-authenticate').join().includes('invalid_token'),
        )
      },
    },
  ],
})
