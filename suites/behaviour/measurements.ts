import type { Measurement } from '../../harness/model/behaviour.ts'
import type { OriginBench } from '../../harness/model/bench.ts'
import { PUBLISHED_ALGORITHMS } from '../../harness/model/token.ts'
import type { Token } from '../../harness/model/token.ts'
import { unknownKid } from '../jwks/means.ts'
import { secondsUntilFetch, smallest } from './bisect.ts'
import { ACCEPTED, plot } from './plot.ts'
import type { Plot } from './plot.ts'

const TWO_DAYS = 2 * 86_400

/** Longest time, in milliseconds, that the measurement of a timeout may take. */
const TIMEOUT_MS = 2_500

async function isAccepted({ observes }: OriginBench, token: Token): Promise<boolean> {
  return (await observes(token, 'measurement')).outcome === 'accepted'
}

/** Whether a token of this moment is accepted, both times or one of two: the second may end before it is looked at. */
async function acceptedInTwo(bench: OriginBench, make: () => Token, times: 1 | 2): Promise<boolean> {
  const first = await isAccepted(bench, make())
  if (first === (times === 1)) return first
  return await isAccepted(bench, make())
}

/** Whether sending the token caused a fetch. */
async function fetches(bench: OriginBench, token: Token): Promise<boolean> {
  bench.jwks.mark()
  await bench.observes(token, 'measurement')
  return bench.jwks.fetches().length > 0
}

/** Leaves the origin with a set that it has fetched this moment. */
async function freshlyFetched(bench: OriginBench): Promise<boolean> {
  await bench.jwks.coldStart()
  return await fetches(bench, bench.mint())
}

const FETCHES = { x: 'seconds at the origin since a fetch', y: 'fetches of the JWKS so far' }

/** Lets time pass, and asks whether a request causes a fetch, with the fetches so far as points over time. */
function plotted(drawn: Plot, bench: OriginBench, makes: () => Token) {
  let passed = 0
  let count = 0
  drawn.note(0, 0)
  return {
    elapse: async (seconds: number): Promise<void> => {
      await bench.elapse(seconds)
      passed += seconds
    },
    ask: async (): Promise<boolean> => {
      const isFetched = await fetches(bench, makes())
      if (isFetched) count += 1
      drawn.note(passed, count)
      return isFetched
    },
  }
}

function age(known: ReadonlyMap<string, unknown>): number | undefined {
  const value = known.get('jwks-max-age')
  return typeof value === 'number' ? value : undefined
}

/** What is measured of every origin, in the order of the table; later ones build on earlier ones. */
export const MEASUREMENTS: readonly Measurement[] = [
  {
    name: 'algorithms',
    title: 'algorithms accepted',
    needs: ['issuer'],
    async measure(bench) {
      const accepted: string[] = []
      for (const algorithm of PUBLISHED_ALGORITHMS) {
        if (await isAccepted(bench, bench.mint({}, { key: bench.keys.get(algorithm) }))) accepted.push(algorithm)
      }
      return accepted.join(', ')
    },
  },
  {
    name: 'leeway-exp',
    title: 'time after exp for which a token is accepted',
    unit: 's',
    needs: ['issuer'],
    async measure(bench, _known, second) {
      const { mint } = bench
      const drawn = plot({ x: 'seconds after exp', y: ACCEPTED })
      const late = async (seconds: number): Promise<boolean> => {
        const make = () => {
          const exp = second() - seconds
          return mint({ exp, iat: exp - 60, nbf: exp - 60 })
        }
        const isIn = await acceptedInTwo(bench, make, 1)
        drawn.note(seconds, isIn)
        return !isIn
      }
      return drawn.of((await smallest(0, TWO_DAYS, late)) ?? 'without limit')
    },
  },
  {
    name: 'leeway-nbf',
    title: 'time before nbf for which a token is accepted',
    unit: 's',
    needs: ['issuer'],
    async measure(bench, _known, second) {
      const { mint } = bench
      const drawn = plot({ x: 'seconds before nbf', y: ACCEPTED })
      const early = async (seconds: number): Promise<boolean> => {
        const isIn = await acceptedInTwo(bench, () => mint({ nbf: second() + seconds }), 2)
        drawn.note(seconds, isIn)
        return !isIn
      }
      // The first one refused lies one second beyond the last one accepted.
      const first = await smallest(1, 240, early)
      return drawn.of(first === undefined ? 'without limit' : first - 1)
    },
  },
  {
    name: 'largest-token',
    title: 'largest token accepted',
    unit: 'octets',
    needs: ['issuer'],
    async measure(bench) {
      const { mint } = bench
      const base = mint().compact.length
      const step = 256
      const padded = (steps: number) =>
        mint({ padding: 'x'.repeat(Math.max(0, Math.floor((steps * step - base) * 0.75))) })
      const drawn = plot({ x: 'octets of the token', y: ACCEPTED })
      const tooLarge = async (steps: number): Promise<boolean> => {
        const token = padded(steps)
        const isIn = await isAccepted(bench, token)
        drawn.note(token.compact.length, isIn)
        return !isIn
      }
      const first = await smallest(Math.ceil(base / step) + 1, (64 * 1024) / step, tooLarge)
      return drawn.of(first === undefined ? 64 * 1024 : padded(first - 1).compact.length)
    },
  },
  {
    name: 'jwks-max-age',
    title: 'age at which the JWKS is fetched again',
    unit: 's',
    needs: ['issuer', 'jwks-fetched', 'clock', 'cold-start'],
    async measure(bench) {
      if (!(await freshlyFetched(bench))) return undefined
      const drawn = plot(FETCHES)
      const seconds = await secondsUntilFetch({ ...plotted(drawn, bench, () => bench.mint()), most: TWO_DAYS })
      return drawn.of(seconds ?? 'none within two days')
    },
  },
  {
    name: 'refetch-on-unknown-kid',
    title: 'an unknown kid causes a fetch',
    needs: ['issuer', 'jwks-fetched', 'clock', 'cold-start'],
    async measure(bench, known) {
      const { elapse, mint } = bench
      if (!(await freshlyFetched(bench))) return undefined
      // Half-way through its age the set is in use, and any cooldown that is worth the name has passed.
      await elapse(Math.floor((age(known) ?? 7_200) / 2))
      await bench.observes(mint(), 'measurement')
      return await fetches(bench, unknownKid(bench))
    },
  },
  {
    name: 'jwks-cooldown',
    title: 'time between two fetches for unknown kids',
    unit: 's',
    needs: ['issuer', 'jwks-fetched', 'clock', 'cold-start'],
    async measure(bench, known) {
      if (known.get('refetch-on-unknown-kid') !== true) return undefined
      if (!(await freshlyFetched(bench))) return undefined
      const drawn = plot(FETCHES)
      const { elapse, ask } = plotted(drawn, bench, () => unknownKid(bench))
      // One right after the other: what fetches for both knows no cooldown.
      if ((await ask()) && (await ask())) return 0
      return drawn.of(await secondsUntilFetch({ elapse, ask, most: age(known) ?? TWO_DAYS }))
    },
  },
  {
    name: 'fetches-at-once',
    title: 'fetches for 20 requests at once without keys',
    needs: ['issuer', 'jwks-fetched', 'cold-start'],
    async measure(bench) {
      const { jwks, observes, mint } = bench
      jwks.serve({ delayMs: 100 })
      await jwks.coldStart()
      jwks.mark()
      await Promise.all(Array.from({ length: 20 }, () => observes(mint(), 'measurement')))
      const { length } = jwks.fetches()
      return length === 0 ? undefined : length
    },
  },
  {
    name: 'stale-on-error',
    title: 'time beyond that age for which keys serve while the JWKS is away',
    unit: 's',
    needs: ['issuer', 'jwks-fetched', 'clock', 'cold-start'],
    async measure(bench, known) {
      const { jwks, elapse, mint } = bench
      const maxAge = age(known)
      if (maxAge === undefined || !(await freshlyFetched(bench))) return undefined
      jwks.serve({ status: 500, body: '' })
      await elapse(maxAge + 1)
      let passed = 0
      const drawn = plot({ x: 'seconds beyond that age', y: ACCEPTED })
      const isDead = async (seconds: number): Promise<boolean> => {
        if (seconds > passed) await elapse(seconds - passed)
        passed = Math.max(passed, seconds)
        const isIn = await isAccepted(bench, mint())
        drawn.note(seconds, isIn)
        return !isIn
      }
      // Time goes forward only: in steps of an eighth of what has passed, which is as precise as this needs to be.
      for (let seconds = 0; seconds <= 86_400; seconds = Math.max(seconds + 10, Math.floor(seconds * 1.125))) {
        if (await isDead(seconds)) return drawn.of(seconds === 0 ? 0 : `less than ${seconds}`)
      }
      return drawn.of('without limit')
    },
  },
  {
    name: 'cache-control',
    title: 'max-age of the JWKS answer is honoured',
    needs: ['issuer', 'jwks-fetched', 'clock', 'cold-start'],
    async measure(bench, known) {
      const { jwks, elapse, mint } = bench
      const maxAge = age(known)
      if (maxAge === undefined || maxAge < 20) return undefined
      jwks.serve({ headers: { 'cache-control': 'max-age=5' }, etag: false })
      if (!(await freshlyFetched(bench))) return undefined
      await elapse(10)
      return await fetches(bench, mint())
    },
  },
  {
    name: 'etag',
    title: 'asks for the JWKS conditionally',
    needs: ['issuer', 'jwks-fetched'],
    measure: ({ jwks }) =>
      Promise.resolve(
        jwks.all().some(({ headers }) => headers.some(([name]) => name.toLowerCase() === 'if-none-match')),
      ),
  },
  {
    name: 'fetch-timeout',
    title: 'time after which a fetch is given up',
    unit: 'ms',
    needs: ['issuer', 'jwks-fetched', 'cold-start'],
    async measure(bench) {
      const { jwks, observes, mint } = bench
      await jwks.coldStart()
      jwks.serve({ hang: true })
      const { ms, failure } = await observes({ token: mint(), withinMs: TIMEOUT_MS }, 'measurement')
      if (jwks.served() === 0) return undefined
      return failure === 'timeout' ? `more than ${TIMEOUT_MS}` : Math.round(ms / 50) * 50
    },
  },
]
