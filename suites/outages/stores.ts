import type { Arrival } from '../../harness/model/capture.ts'
import type { Call, GatewayBench, Passage } from '../../harness/model/gateway-bench.ts'
import type { ApiKey, LimitProfile } from '../../harness/model/gateway-profile.ts'
import type { Json } from '../../harness/model/json.ts'
import { judgeToken, plain, told } from '../spoofing/looks.ts'
import { recovers } from './recovery.ts'

/** A key of the same form that nobody has. */
export function unknownKey({ keys, random }: GatewayBench): string {
  const known = keys[0]?.key ?? ''
  const octets = random(known.length)
  const letters = 'abcdefghijklmnopqrstuvwxyz'
  const other = (set: string, at: number): string => set[(octets[at] ?? 0) % set.length] ?? ''
  const kept = known.indexOf('_') + 1
  return Array.from(known)
    .map((letter, at) => {
      if (at < kept) return letter
      if (/\d/u.test(letter)) return other('0123456789', at)
      if (/[a-z]/u.test(letter)) return other(letters, at)
      return /[A-Z]/u.test(letter) ? other(letters.toUpperCase(), at) : letter
    })
    .join('')
}

/** Sends an unknown key, and gives what to judge once all is over: a gateway may forward after it has answered. */
async function refuseUnknown(bench: GatewayBench, call: Call, stimulus: string): Promise<() => void> {
  const { observes, judge, records } = bench
  const { answer, arrivals } = await observes({ ...call, key: unknownKey(bench) }, stimulus)
  judge(answer.outcome !== 'accepted' && answer.failure !== 'timeout', {
    stimulus,
    expected: 'refused',
    observed: told(answer),
    failure: answer.outcome === 'accepted' ? 'fail-open' : 'fail-crash',
  })
  records(`status of ${stimulus}`, answer.status)
  return () => {
    const count = arrivals().length
    judge(count === 0, {
      stimulus,
      expected: 'not forwarded',
      observed: `${told(answer)}; it reached the origin ${count} times`,
      failure: 'fail-open',
    })
  }
}

/** Judges whatever reached the origin of a call: never without a valid token of the caller. */
async function judgeReached(
  bench: GatewayBench,
  { answer, arrivals }: Passage,
  subject: Json | undefined,
  stimulus: string,
): Promise<readonly Arrival[]> {
  const reached = arrivals()
  for (const arrival of reached) await judgeToken(bench, arrival, subject, stimulus)
  bench.judge(answer.outcome !== 'accepted' || reached.length > 0, {
    stimulus,
    expected: 'not answered 2xx unless the origin was asked',
    observed: `${told(answer)}, and nothing reached the origin`,
    failure: 'fail-open',
  })
  bench.judge(answer.failure !== 'timeout', {
    stimulus,
    expected: 'an answer',
    observed: told(answer),
    failure: 'fail-crash',
  })
  return reached
}

/** Takes the key store away: nobody unknown gets in, and nobody known without the own name. */
export async function loseKeyStore(bench: GatewayBench): Promise<void> {
  const { hooks, profile, observes, guard, judge, records } = bench
  const own = await plain(bench, {}, 'a call with a valid key')
  let afterwards: () => void
  {
    await using _ = await hooks.keyStoreDown()
    afterwards = await refuseUnknown(bench, {}, 'an unknown key while the key store is away')
    const stimulus = 'a known key while the key store is away'
    const passage = await observes({}, stimulus)
    const { answer } = passage
    await judgeReached(bench, passage, own.subject, stimulus)
    records(`status of ${stimulus}`, answer.status)
    if (profile.cachesKeys !== true) {
      guard(
        answer.outcome !== 'accepted' || profile.cachesKeys === false,
        'A known key still works: the store is not away, or keys are kept; then say "cachesKeys": true in the profile.',
      )
      judge(answer.outcome !== 'accepted', {
        stimulus,
        expected: '5xx, for keys are declared not to be kept',
        observed: told(answer),
        failure: 'fail-open',
      })
    }
  }
  await recovers(bench).finally(afterwards)
}

/** Takes the store of limits away: what is declared happens to known keys, and unknown ones are refused. */
export async function loseLimitStore(bench: GatewayBench): Promise<void> {
  const { hooks, profile, notProven } = bench
  const [limit] = profile.limits
  const key = await keyFor(bench)
  const call: Call = { ...(limit ? { route: limit.route } : {}), ...(key ? { key } : {}) }
  const own = await plain(bench, call, 'a call with a valid key')
  let afterwards: () => void
  {
    await using _ = await hooks.limitStoreDown()
    afterwards = await refuseUnknown(bench, call, 'an unknown key while the store of limits is away')
    await judgeWithoutLimit(bench, call, limit, own.subject)
  }
  if (limit?.onStoreDown === undefined) {
    notProven(
      'a known key while the store of limits is away',
      'what happens then is not declared',
      '"onStoreDown" in "limits" of the profile',
    )
  }
  await recovers(bench, call).finally(afterwards)
}

async function judgeWithoutLimit(
  bench: GatewayBench,
  call: Call,
  limit: LimitProfile | undefined,
  subject: Json | undefined,
): Promise<void> {
  const stimulus = 'a known key while the store of limits is away'
  const passage = await bench.observes(call, stimulus)
  const reached = await judgeReached(bench, passage, subject, stimulus)
  const { answer } = passage
  if (limit?.onStoreDown === 'open') {
    bench.judge(answer.outcome === 'accepted', {
      stimulus,
      expected: 'forwarded, as declared',
      observed: told(answer),
      failure: 'fail-closed',
    })
  } else if (limit?.onStoreDown === 'closed') {
    bench.judge(answer.outcome !== 'accepted' && reached.length === 0, {
      stimulus,
      expected: 'refused, as declared',
      observed: told(answer),
      failure: 'fail-open',
    })
  }
}

/** Takes the signer away: nothing is forwarded without a valid token. */
export async function loseSigner(bench: GatewayBench): Promise<void> {
  const { hooks, observes, guard, judge, profile } = bench
  const key = await keyFor(bench)
  const own = await plain(bench, {}, 'a call with a valid key')
  const sent: { readonly stimulus: string; readonly passage: Passage; readonly subject: Json | undefined }[] = []
  {
    await using _ = await hooks.signerDown()
    for (const route of profile.routes) {
      const stimulus = `a known key on ${route.path} while the signer is away`
      const passage = await observes({ route }, stimulus)
      sent.push({ stimulus, passage, subject: own.subject })
    }
    if (key) {
      const stimulus = 'a key that was never used while the signer is away'
      sent.push({ stimulus, passage: await observes({ key }, stimulus), subject: key.subject })
    }
  }
  await recovers(bench)
  let withheld = 0
  for (const { stimulus, passage, subject } of sent) {
    const { answer } = passage
    // A token that was signed before, and is still good, may go out.
    const reached = await judgeReached(bench, passage, subject, stimulus)
    if (reached.length > 0) continue
    withheld += 1
    judge(answer.status >= 500 || answer.outcome === 'refused', {
      stimulus,
      expected: '5xx',
      observed: told(answer),
      failure: 'fail-open',
    })
  }
  guard(withheld > 0, 'Every call was still forwarded with a valid token: that the signer is away does not show.')
}

/** A key that no limit has counted and no token was signed for, where one can be had. */
async function keyFor({ can, freshKey }: GatewayBench): Promise<ApiKey | undefined> {
  return can('fresh-keys', 'a key that was never used') ? await freshKey() : undefined
}
