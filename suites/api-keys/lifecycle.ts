import { NotApplicable } from '../../harness/model/errors.ts'
import type { GatewayBench, KeyWish } from '../../harness/model/gateway-bench.ts'
import type { ApiKey } from '../../harness/model/gateway-profile.ts'
import type { Connection } from '../../harness/model/http.ts'
import { mainKey, subjectOf } from './calls.ts'

/** Longest time that is really waited for, in seconds. */
const LONGEST_WAIT_SEC = 3

/** Calls with a key before it is revoked, so that every cache knows it. */
const WARM = 10

/** Seconds until a key expires, which may have to be waited for. */
const EXPIRES_SEC = 2

/** Every instance under test, by number. */
export function instancesOf({ profile }: Pick<GatewayBench, 'profile'>): readonly number[] {
  return [0, ...(profile.instances ?? []).map((_, at) => at + 1)]
}

function at(instance: number): { readonly instance?: number } {
  return instance === 0 ? {} : { instance }
}

function on(instance: number): string {
  return instance === 0 ? '' : `, on instance ${instance + 1}`
}

/** Must be refused by every instance. */
export async function refusedEverywhere(bench: GatewayBench, key: ApiKey, name: string): Promise<void> {
  for (const instance of instancesOf(bench)) await bench.refuses({ key, ...at(instance) }, `${name}${on(instance)}`)
}

/** Uses the key until every cache of every instance has it, and the connection too; false where it never worked. */
async function warmed(
  { observes, profile }: GatewayBench,
  key: ApiKey,
  connection: Connection,
  name: string,
): Promise<boolean> {
  let works = true
  for (const instance of instancesOf({ profile })) {
    for (let count = 0; count < WARM; count += 1) {
      const { answer } = await observes({ key, ...(instance === 0 ? { on: connection } : at(instance)) }, name)
      works &&= answer.outcome === 'accepted'
    }
  }
  return works
}

/** Must not be let in on a connection that had it before: an old configuration may live on there. */
async function refusedOn(
  { observes, judge }: GatewayBench,
  key: ApiKey,
  connection: Connection,
  name: string,
): Promise<void> {
  const stimulus = `${name}, on a connection that knew it`
  const { answer, arrivals } = await observes({ key, on: connection }, stimulus)
  // It may have been closed meanwhile, and the closing be noticed only now.
  const reached = arrivals().length > 0
  judge(answer.outcome !== 'accepted' && !reached, {
    stimulus,
    expected: 'refused, and not forwarded',
    observed: `status ${answer.status}${reached ? '; it reached the origin' : ''}`,
    failure: 'fail-open',
  })
}

/**
 * Waits until the key is refused, at most as long as is declared for changes of keys to count everywhere; false where
 * that cannot be waited for. The seconds that passed until then are measured.
 */
export async function propagated(bench: GatewayBench, key: ApiKey, stimulus: string): Promise<number | undefined> {
  const { profile, elapse, can, observes } = bench
  const due = profile.keyPropagationSec
  if (due > LONGEST_WAIT_SEC && !can('clock', stimulus)) return undefined
  const isIn = async (): Promise<boolean> => {
    const { answer } = await observes({ key }, `${stimulus}, before that is due`)
    return answer.outcome === 'accepted'
  }
  if (due === 0) return 0
  const began = performance.now()
  let passed = 0
  while (await isIn()) {
    // What a gateway does by itself, such as reading its configuration again, takes as long when its clock is moved.
    if (passed >= due && performance.now() - began >= Math.min(due, LONGEST_WAIT_SEC) * 1000) break
    const step = Math.min(due - passed, Math.max(1, due / 10))
    if (step > 0) await elapse(step)
    passed += step
  }
  return Math.max(passed, (performance.now() - began) / 1000)
}

/** Revokes a fresh key that every cache knows, and judges it once the change is due; what came before is measured. */
export async function revokeFresh(bench: GatewayBench): Promise<void> {
  const { freshKey, hooks, guard, records, forwards, connect } = bench
  const key = await freshKey()
  await using connection = await connect()
  guard(await warmed(bench, key, connection, 'a fresh key'), 'A fresh key did not work before it was revoked.')
  await hooks.revokeKey(key)
  const passed = await propagated(bench, key, 'a revoked key')
  if (passed === undefined) return
  records('refused after, s', Math.round(passed * 100) / 100)
  await refusedEverywhere(bench, key, 'a revoked key')
  await refusedOn(bench, key, connection, 'a revoked key')
  await forwards({ key: mainKey(bench) }, 'another key after that')
}

/** A fresh key as it is wished for; undefined, and listed as not proven, where the hook does not heed the wish. */
export async function wished(
  { freshKey, notProven }: GatewayBench,
  wish: KeyWish,
  stimulus: string,
): Promise<ApiKey | undefined> {
  try {
    return await freshKey(wish)
  } catch (error) {
    if (!(error instanceof NotApplicable)) throw error
    notProven(stimulus, error.message, `"wishes" of the hook issueKey with "${Object.keys(wish).join('", "')}"`)
    return undefined
  }
}

/** Keys that end by themselves or were switched off. */
export async function judgeEnded(bench: GatewayBench): Promise<void> {
  const { profile, can, elapse, guard, connect } = bench
  for (const [at, key] of (profile.expiredKeys ?? []).entries()) {
    await refusedEverywhere(bench, key, `expired key ${at + 1}`)
  }
  for (const [at, key] of (profile.disabledKeys ?? []).entries()) {
    await refusedEverywhere(bench, key, `disabled key ${at + 1}`)
  }
  if (!can('issue-key', 'a key that expires while it is in use')) return
  const disabled = await wished(bench, { disabled: true }, 'a disabled key')
  if (disabled && (await propagated(bench, disabled, 'a disabled key')) !== undefined)
    await refusedEverywhere(bench, disabled, 'a disabled key')
  const ending = await wished(bench, { expiresInSec: EXPIRES_SEC }, 'a key that expires')
  if (!ending) return
  await using connection = await connect()
  guard(await warmed(bench, ending, connection, 'a key before it expires'), 'A key did not work before it expired.')
  await elapse(EXPIRES_SEC + 1)
  if ((await propagated(bench, ending, 'an expired key')) === undefined) return
  await refusedEverywhere(bench, ending, 'an expired key')
  await refusedOn(bench, ending, connection, 'an expired key')
}

/** Two keys of one consumer, the first of which is to be revoked. */
export async function pairOf(bench: GatewayBench): Promise<readonly [old: ApiKey, kept: ApiKey]> {
  const { profile, freshKey, can } = bench
  if (profile.pairOfKeys) return [profile.pairOfKeys[1], profile.pairOfKeys[0]]
  can('issue-key', 'two keys of one consumer')
  const first = await freshKey()
  return [first, await freshKey({ like: first })]
}

/** Both keys of a consumer work; once one is revoked, the other alone does. */
export async function judgeRollover(bench: GatewayBench): Promise<void> {
  const { forwards, hooks, guard, connect } = bench
  const [old, kept] = await pairOf(bench)
  await using connection = await connect()
  const first = await forwards({ key: old, on: connection }, 'the old key, while there is a new one')
  const second = await forwards({ key: kept }, 'the new key, beside the old one')
  const isOne = old.consumer === kept.consumer || (await subjectOf(bench, first)) === (await subjectOf(bench, second))
  guard(isOne, 'The two keys are not of one consumer.')
  await hooks.revokeKey(old)
  const passed = await propagated(bench, old, 'the old key, once it is revoked')
  await forwards({ key: kept }, 'the new key, once the old one is revoked')
  if (passed === undefined) return
  await refusedEverywhere(bench, old, 'the old key, once it is revoked')
  await refusedOn(bench, old, connection, 'the old key, once it is revoked')
}
