import type { GatewayBench, Served } from '../../harness/model/gateway-bench.ts'
import type { HeaderLines } from '../../harness/model/http.ts'
import { readToken } from '../gateway-token/read.ts'
import { sampled } from '../gateway-token/sample.ts'
import { fingerprint, keysOf } from './document.ts'

const UNKNOWN_KEYS = 200

/** Fetches at least, while the others go on. */
const FETCHES = 5

/** Longest time that is really waited for, in seconds. */
const SHORT_SEC = 3

/** Judges that the JWKS is served to anyone at any time: a used-up key and a flood of unknown ones change nothing. */
export async function alwaysAvailable(bench: GatewayBench): Promise<void> {
  const { jwks, guard, judge, observes, profile, can, nonce, elapse } = bench
  const first = await jwks()
  const judged = async (stimulus: string, all: readonly Served[]): Promise<void> => {
    // A key may have come or gone meanwhile.
    const own = [fingerprint(first), fingerprint(await jwks())]
    const bad = all.filter((served) => served.answer.status !== 200 || !own.includes(fingerprint(served)))
    const [wrong] = bad
    judge(wrong === undefined, {
      stimulus,
      expected: 'status 200, with the same keys',
      observed: `${bad.length} of ${all.length} not, such as ${wrong?.answer.failure ?? `status ${wrong?.answer.status}`}`,
    })
  }
  judge(first.answer.status === 200, {
    stimulus: 'without a key',
    expected: 'status 200',
    observed: first.answer.failure ?? `status ${first.answer.status}`,
  })
  if (first.answer.status !== 200) return
  guard(keysOf(first).length > 0, 'What is served is no JWKS.')

  const usedUp = 'while a key has used up its limit'
  if (can('limits', usedUp) && can('fresh-keys', usedUp)) {
    await useUp(bench)
    await judged(usedUp, [await jwks(), await jwks()])
  }
  const flood = `during ${UNKNOWN_KEYS} calls with unknown keys`
  const { authFailures } = profile
  const locked = authFailures && authFailures.windowSec > SHORT_SEC
  if (locked && !can('clock', flood)) return
  const load = { isOver: false }
  const all: Served[] = []
  const calls = Promise.all(
    Array.from({ length: UNKNOWN_KEYS }, () => observes({ key: `unknown-${nonce()}` }, flood)),
  ).finally(() => {
    load.isOver = true
  })
  const fetches = async (): Promise<void> => {
    while (!load.isOver || all.length < FETCHES) all.push(await jwks())
  }
  await Promise.all([calls, fetches()])
  // The address of the run is not to stay locked out.
  if (authFailures) await elapse(authFailures.windowSec)
  await judged(flood, all)
}

/** Sends calls with a fresh key until its limit refuses one. */
async function useUp({ profile, freshKey, observes, guard }: GatewayBench): Promise<void> {
  const limit = profile.limits.find(({ requests }) => requests <= UNKNOWN_KEYS)
  if (!limit) return
  const { route, requests, burst = 0, status = 429 } = limit
  const key = await freshKey()
  let isReached = false
  for (let sent = 0; sent < 2 * (requests + burst) + 2 && !isReached; sent += 1) {
    const { answer } = await observes({ key, route }, 'a call that uses up the limit of a key')
    isReached = answer.status === status
  }
  guard(isReached, `The declared limit never answered ${status}.`)
}

const CONCURRENT = 30

/** Judges that every fetch at the same time gives the same keys, among them those that sign. */
export async function sameForAll(bench: GatewayBench): Promise<void> {
  const { jwks, judge, guard, tokenOf } = bench
  const samples = await sampled(bench)
  const kids = samples
    .flatMap(({ arrivals }) => arrivals)
    .map((arrival) => readToken(tokenOf(arrival) ?? '').header['kid'])
  const all = await Promise.all(Array.from({ length: CONCURRENT }, () => jwks()))
  guard(keysOf(all[0] ?? {}).length > 0, 'What is served is no JWKS.')
  const different = new Set(all.map(kidsOf)).size
  const stimulus = `${CONCURRENT} fetches at the same time`
  judge(different === 1, { stimulus, expected: 'the same kids in each', observed: `${different} different sets` })
  const lacking = all.filter((served) => {
    const published = keysOf(served).map(({ kid }) => kid)
    return kids.some((kid) => kid !== undefined && !published.includes(kid))
  })
  judge(lacking.length === 0, {
    stimulus,
    expected: 'in each the kids of the tokens that reached the origin just before',
    observed: `${lacking.length} lack some`,
  })
}

function kidsOf(served: Served): string {
  return keysOf(served)
    .map(({ kid }) => JSON.stringify(kid ?? null))
    .toSorted()
    .join(' ')
}

/** Judges that origins may keep the JWKS, and not for longer than a rotation allows. */
export async function cacheable(bench: GatewayBench): Promise<void> {
  const { jwks, judge, guard, profile, records, notProven } = bench
  const served = await jwks()
  guard(keysOf(served).length > 0, 'What is served is no JWKS.')
  const { maxAge, noStore } = cacheControlOf(served.answer.headers)
  const stimulus = 'Cache-Control of the JWKS'
  judge(!noStore, { stimulus, expected: 'no no-store', observed: 'no-store' })
  judge(maxAge !== undefined, { stimulus, expected: 'max-age', observed: 'no max-age that is a number' })
  if (maxAge === undefined) return
  records('max-age of the JWKS, s', maxAge)
  const { rotationOverlapSec } = profile
  if (rotationOverlapSec === undefined) {
    notProven(
      'max-age against the overlap of rotations',
      'needs a declared overlap',
      '"rotationOverlapSec" in the profile',
    )
    return
  }
  judge(maxAge <= rotationOverlapSec, {
    stimulus,
    expected: `max-age of at most ${rotationOverlapSec} s, the declared overlap of rotations`,
    observed: `${maxAge} s`,
  })
}

function cacheControlOf(headers: HeaderLines): { readonly maxAge?: number; readonly noStore: boolean } {
  const directives = headers
    .filter(([name]) => name.toLowerCase() === 'cache-control')
    .flatMap(([, value]) => value.split(','))
    .map((directive) => directive.trim().toLowerCase())
  // Of several the longest: whoever reads another is on the safe side.
  const ages = directives.flatMap((directive) => {
    const [, digits] = /^max-age="?(\d+)"?$/u.exec(directive) ?? []
    return digits === undefined ? [] : [Number(digits)]
  })
  return { ...(ages.length > 0 ? { maxAge: Math.max(...ages) } : {}), noStore: directives.includes('no-store') }
}
