import { NotApplicable } from '../../harness/model/errors.ts'
import type { Call, GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { JsonObject } from '../../harness/model/json.ts'
import { everyCall, underLoad, watchKeys } from './watch.ts'
import type { Watch } from './watch.ts'

/** A rotation that was watched to its end. */
export interface Rotation extends Watch {
  /** kids of the tokens before the rotation, and that of the last of them. */
  readonly inUse: ReadonlySet<string>
  readonly oldKid: string
  /** When the first token with a kid that nobody had used before arrived, in seconds by the clock of the gateway. */
  readonly takenOverSec: () => number | undefined
}

/** Seconds by which an origin may be behind where the gateway does not say. */
const OVERLAP_SEC = 60

/** Steps in which the overlap is passed, and how often it is passed at most. */
const STEPS = 20
const OVERLAPS = 3

/** Real steps where the clock cannot be moved: about three seconds. */
const REAL_STEPS = 20

const REAL_STEP_SEC = 0.05

/** Rotates the signing key under load, and goes on until a token with a new kid has arrived. */
export async function rotated(bench: GatewayBench): Promise<Rotation> {
  const { hooks, can, guard, profile, elapse } = bench
  const watch = watchKeys(bench)
  const calls = everyCall(bench)
  guard(await watch.poll(), 'No JWKS was served before the rotation.')
  const [before, during, after] = [await freshCalls(bench), await freshCalls(bench), await freshCalls(bench)]
  // The last one shows which key signs; the others may carry tokens that were kept.
  await watch.send([...calls, ...before], 'a call before the rotation')
  const inUse = new Set(watch.seen.map(({ kid }) => kid))
  const oldKid = watch.seen.at(-1)?.kid ?? ''
  guard(inUse.size > 0, 'No token with a kid reached the origin before the rotation.')
  await watch.poll()
  await underLoad(watch, [...during, ...calls], hooks.rotateSigningKey, 'a call during the rotation')
  await watch.send([...after, ...calls], 'a call just after the rotation')
  guard(await watch.poll(), 'No JWKS was served after the rotation.')

  const taken = () => watch.seen.find(({ kid }) => !inUse.has(kid))
  if (!taken()) {
    const isMovable = can('clock', 'a rotation that takes longer than three seconds')
    const step = isMovable ? (profile.rotationOverlapSec ?? OVERLAP_SEC) / STEPS : REAL_STEP_SEC
    for (let turn = 0; turn < (isMovable ? STEPS * OVERLAPS : REAL_STEPS) && !taken(); turn += 1) {
      await elapse(step)
      await watch.send(
        [...calls.slice(0, 1), ...calls.slice(turn % calls.length).slice(0, 1)],
        'a call after the rotation',
      )
      await watch.poll()
    }
    // A good gateway publishes the key for minutes first: that is no doubt about it, but more than can be waited for.
    if (!isMovable && !taken()) throw new NotApplicable('The new key did not sign within three seconds.')
  }
  return { ...watch, inUse, oldKid, takenOverSec: () => taken()?.atSec }
}

/** A call of a consumer for whom no token can be kept yet, where keys are issued without end; else none. */
async function freshCalls({ freshKey, profile }: GatewayBench): Promise<readonly Call[]> {
  if (profile.spareKeys !== undefined) return []
  try {
    return [{ key: await freshKey() }]
  } catch (error) {
    // Without it, the new key shows once the tokens of the others are minted anew.
    if (error instanceof NotApplicable) return []
    throw error
  }
}

/** Why a rotation that nobody saw proves nothing. */
export const NOT_TAKEN_OVER = 'No token with a new kid reached the origin after the rotation.'

/** Judges that each kid was published when it was used, and that none ever named two keys. */
export async function publishedBeforeUse(bench: GatewayBench): Promise<void> {
  const { judge, guard, records } = bench
  const { polls, seen, inUse, takenOverSec } = await rotated(bench)
  const early = new Set<string>()
  const late = new Set<string>()
  for (const { kid, atSec } of seen) {
    const last = polls.findLast((poll) => poll.atSec <= atSec)
    if (!last || last.kids.includes(kid)) continue
    // An origin that does not know the kid fetches the keys when the token is there (OpenID Connect Core 10.1.1).
    const next = polls.find((poll) => poll.atSec > atSec)
    if (next?.kids.includes(kid)) late.add(kid)
    else early.add(kid)
  }
  records('tokens with a new kid', seen.filter(({ kid }) => !inUse.has(kid)).length)
  records('the new key was published', late.size > 0 ? 'when it began to sign' : 'before it began to sign')
  judge(early.size === 0, {
    stimulus: 'tokens before, during and after the rotation',
    expected: 'the kid of each was in the JWKS before it arrived',
    observed: `${early.size} were in it neither before nor just after`,
  })
  const doubles = namesOfTwo(polls.flatMap(({ keys }) => keys))
  judge(doubles === 0, {
    stimulus: 'every JWKS before, during and after the rotation',
    expected: 'a new kid for a new key',
    observed: `${doubles} named different keys at different times`,
  })
  guard(takenOverSec() !== undefined, NOT_TAKEN_OVER)
}

const MATERIAL = ['kty', 'crv', 'x', 'y', 'n', 'e']

/** How many kids stand for more than one key of a type; of different types they may be alike (RFC 7517 section 4.5). */
function namesOfTwo(keys: readonly JsonObject[]): number {
  const material = new Map<string, Set<string>>()
  for (const key of keys) {
    const { kid, kty } = key
    if (typeof kid !== 'string') continue
    const name = JSON.stringify([kid, kty ?? null])
    const known = material.get(name) ?? new Set()
    material.set(name, known.add(JSON.stringify(MATERIAL.map((member) => key[member] ?? null))))
  }
  return [...material.values()].filter(({ size }) => size > 1).length
}

/** Seconds left to a token when it is looked for its key, so that it cannot expire meanwhile. */
const BEFORE_SEC = 1

/** Looks at the JWKS in the life of the last token of the old key. */
const LOOKS = 4

/** Judges that the old key stays published while tokens live that it signed, and goes when it is declared to. */
export async function retained(bench: GatewayBench): Promise<void> {
  const { judge, guard, can, now, elapse, profile } = bench
  const rotation = await rotated(bench)
  const { polls, seen, oldKid, takenOverSec, poll } = rotation
  const takenOver = takenOverSec()
  guard(takenOver !== undefined, NOT_TAKEN_OVER)
  const { maxLifetimeSec = Infinity, keyRetentionSec = 0 } = profile
  // A token that lives longer than declared is another finding.
  const ends = seen.flatMap(({ kid, exp, atSec }) =>
    kid === oldKid && exp !== undefined ? [Math.min(exp, atSec + maxLifetimeSec)] : [],
  )
  const endSec = Math.max(...ends)
  guard(ends.length > 0, 'The tokens of the old key do not say when they expire.')
  const ahead = endSec - BEFORE_SEC - now()
  if (ahead > 0 && can('token-passage', 'the old key until the last token of it has expired')) {
    for (let look = 0; look < LOOKS; look += 1) {
      await elapse(ahead / LOOKS)
      await poll()
    }
  }
  const due = polls.filter(({ atSec }) => atSec < endSec)
  const missing = due.filter(({ kids }) => !kids.includes(oldKid))
  judge(missing.length === 0, {
    stimulus: 'the JWKS while tokens of the old key are valid',
    expected: 'the old key is in it',
    observed: `it was not in ${missing.length} of ${due.length}`,
  })
  const stimulus = 'the JWKS after the declared retention'
  if (!can('retention', stimulus)) return
  await elapse(Math.max(0, (takenOver ?? 0) + keyRetentionSec + BEFORE_SEC - now()))
  guard(await poll(), 'No JWKS was served after the declared retention.')
  judge(polls.at(-1)?.kids.includes(oldKid) !== true, {
    stimulus,
    expected: 'the old key is no longer in it',
    observed: 'it is',
  })
}
