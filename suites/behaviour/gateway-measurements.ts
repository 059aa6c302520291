import { Buffer } from 'node:buffer'
import type { GatewayMeasurement, Measured, MeasuredValue } from '../../harness/model/behaviour.ts'
import { NotApplicable } from '../../harness/model/errors.ts'
import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { ApiKey, ResolvedGatewayProfile } from '../../harness/model/gateway-profile.ts'
import { FORMS, toldBy } from '../limits/fields.ts'
import { limiterFound, limitFound, MOST_REQUESTS, overshootFound } from '../limits/measured.ts'
import { smallest } from './bisect.ts'
import { ACCEPTED, plot } from './plot.ts'

/** Longest time for which a revoked key is looked at, in seconds; without a clock to move, what can be waited for. */
const LONGEST_SEC = 86_400
const LONGEST_WAIT_SEC = 3

/** Octets up to which heads and keys are tried, and the step between two of them. */
const MOST_OCTETS = 64 * 1024
const STEP = 256

/** Octets of a header line besides its value. */
const LINE = 'X-Padding: \r\n'.length

const numberIn = (known: ReadonlyMap<string, MeasuredValue>, name: string): number | undefined => {
  const value = known.get(name)
  return typeof value === 'number' ? value : undefined
}

/** The limit that was found, as far as it can be used up again and again. */
function limitIn(known: ReadonlyMap<string, MeasuredValue>): number {
  const limit = numberIn(known, 'limit')
  if (limit === undefined) throw new NotApplicable('No limit was found.')
  return limit
}

/** Windows that were found together with the kind of limiter, by the profile of their run. */
const WINDOWS = new WeakMap<ResolvedGatewayProfile, number>()

/** Seconds until a key that has just been revoked is refused: exact up to a second, then by the next look. */
async function delayOf(
  { observes, elapse, can }: GatewayBench,
  key: ApiKey,
): Promise<MeasuredValue | Measured | undefined> {
  const most = can('clock', 'measurement') ? LONGEST_SEC : LONGEST_WAIT_SEC
  const drawn = plot({ x: 'seconds since then', y: ACCEPTED })
  let passed = 0
  for (;;) {
    const { answer } = await observes({ key }, 'measurement')
    drawn.note(passed, answer.outcome !== 'refused')
    if (answer.outcome === 'refused') return drawn.of(passed <= 1 ? passed : `at most ${passed}`)
    const step = Math.min(Math.max(1, passed), most - passed)
    if (step <= 0) return drawn.of(`more than ${passed}`)
    await elapse(step)
    passed += step
  }
}

async function usedKey({ freshKey, forwards }: GatewayBench): Promise<ApiKey> {
  const key = await freshKey()
  await forwards({ key }, 'measurement')
  return key
}

/** What is measured of every gateway, in the order of the table; later ones build on earlier ones. */
export const GATEWAY_MEASUREMENTS: readonly GatewayMeasurement[] = [
  {
    name: 'limit',
    title: 'requests let through before one is throttled',
    needs: ['key', 'fresh-keys'],
    measure: async (bench) => (await limitFound(bench)) ?? `none within ${MOST_REQUESTS}`,
  },
  {
    name: 'limit-overshoot',
    title: 'requests beyond that let through of a burst of three times as many',
    needs: ['key', 'fresh-keys'],
    measure: (bench, known) => overshootFound(bench, limitIn(known)),
  },
  {
    name: 'limiter',
    title: 'how the limit counts',
    needs: ['key', 'fresh-keys'],
    async measure(bench, known) {
      const found = await limiterFound(bench, limitIn(known))
      if (!found) return undefined
      WINDOWS.set(bench.profile, found.windowSec)
      const drawn = plot({ x: 'seconds since the first request', y: 'requests let through so far' })
      let through = 0
      for (const [atSec, count] of found.through) {
        through += count
        drawn.note(atSec, through)
      }
      return drawn.of(found.kind)
    },
  },
  {
    name: 'limit-window',
    title: 'window of the limit',
    unit: 's',
    needs: ['key', 'fresh-keys'],
    measure: ({ profile }) => Promise.resolve(WINDOWS.get(profile)),
  },
  {
    name: 'ratelimit-fields',
    title: 'fields that tell of limits',
    needs: ['key'],
    measure({ allAnswers }) {
      const forms = new Set(allAnswers().flatMap(({ answer }) => toldBy(answer).map(({ form }) => FORMS[form])))
      return Promise.resolve(forms.size === 0 ? 'none' : [...forms].join(', '))
    },
  },
  {
    name: 'key-revocation-delay',
    title: 'time until a revoked key is refused',
    unit: 's',
    needs: ['key', 'issue-key', 'revoke-key'],
    async measure(bench) {
      const key = await usedKey(bench)
      await bench.hooks.revokeKey(key)
      return await delayOf(bench, key)
    },
  },
  {
    name: 'leaked-key-delay',
    title: 'time until a key that was reported as leaked is refused',
    unit: 's',
    needs: ['key', 'fresh-keys', 'secret-scanning'],
    async measure(bench) {
      const key = await usedKey(bench)
      const { status } = await bench.scanner.post(bench.scanner.bodyOf({ token: key.key }), 'measurement')
      return status >= 200 && status < 300 ? await delayOf(bench, key) : undefined
    },
  },
  {
    name: 'token-lifetime',
    title: 'time from iat to exp of gateway tokens',
    unit: 's',
    needs: ['key', 'capture'],
    async measure({ forwards, tokenOf }) {
      const { arrivals } = await forwards({}, 'measurement')
      const [arrival] = arrivals()
      const claims = claimsOf(arrival && tokenOf(arrival))
      const { iat, exp } = claims ?? {}
      return typeof iat === 'number' && typeof exp === 'number' ? exp - iat : undefined
    },
  },
  {
    name: 'largest-head',
    title: 'largest header section of a request that is forwarded, about',
    unit: 'octets',
    needs: ['key'],
    async measure({ observes }) {
      const drawn = plot({ x: 'octets of the header section, about', y: ACCEPTED })
      const isTooLarge = async (steps: number): Promise<boolean> => {
        // In lines of a size that no server minds.
        const lines = Array.from(
          { length: steps },
          (_, at) => [`X-Padding-${at}`, 'x'.repeat(STEP - LINE - String(at).length - 1)] as const,
        )
        const isIn = (await observes({ headers: lines }, 'measurement')).answer.outcome === 'accepted'
        drawn.note(steps * STEP, isIn)
        return !isIn
      }
      const first = await smallest(1, MOST_OCTETS / STEP, isTooLarge)
      return drawn.of(first === undefined ? `more than ${MOST_OCTETS}` : (first - 1) * STEP)
    },
  },
  {
    name: 'largest-key',
    title: 'largest API key that is refused for what it is, not for its size, about',
    unit: 'octets',
    needs: ['key'],
    async measure({ observes, nonce }) {
      const drawn = plot({ x: 'octets of the key', y: 'refused for what it is (1) or for its size (0)' })
      const isTooLarge = async (steps: number): Promise<boolean> => {
        const key = `tsk_${nonce()}`.padEnd(steps * STEP, 'x')
        const { status } = (await observes({ key }, 'measurement')).answer
        const isForItself = status === 401 || status === 403
        drawn.note(steps * STEP, isForItself)
        return !isForItself
      }
      if (await isTooLarge(1)) return undefined
      const first = await smallest(2, MOST_OCTETS / STEP, isTooLarge)
      return drawn.of(first === undefined ? `more than ${MOST_OCTETS}` : (first - 1) * STEP)
    },
  },
  {
    name: 'jwks-max-age',
    title: 'max-age of the JWKS',
    unit: 's',
    needs: ['jwks'],
    async measure({ jwks }) {
      const { answer } = await jwks()
      const [, seconds] = /(?:^|[\s,])max-age="?(\d+)/iu.exec(answer.header('Cache-Control').join(', ')) ?? []
      return seconds === undefined ? 'none' : Number(seconds)
    },
  },
]

function claimsOf(compact: string | undefined): Readonly<Record<string, unknown>> | undefined {
  const [, payload] = compact?.split('.') ?? []
  if (payload === undefined) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
    return typeof claims === 'object' && claims !== null ? (claims as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}
