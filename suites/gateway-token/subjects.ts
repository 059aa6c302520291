import type { GatewayBench, Passage } from '../../harness/model/gateway-bench.ts'
import type { ApiKey } from '../../harness/model/gateway-profile.ts'
import { distinct, readToken } from './read.ts'
import { mustPass } from './sample.ts'

const INTERLEAVED = 300

/** Requests at once, unless fewer are declared to be possible. */
const AT_ONCE = 60

const NONE = 'no sub'

type Sub = string | undefined

/** Sub of the token that a request carried. */
function subjectOf({ tokenOf }: GatewayBench, { arrivals }: Passage): Sub {
  const [arrival] = arrivals()
  const compact = arrival && tokenOf(arrival)
  const sub = compact === undefined ? undefined : readToken(compact).claims['sub']
  return typeof sub === 'string' ? sub : undefined
}

/** Learns the sub of each consumer one request after the other, and judges that it is theirs alone. */
export async function serialSubjects(bench: GatewayBench): Promise<ReadonlyMap<string, Sub>> {
  const { keys, observes, judge, profile } = bench
  const subjects = new Map<string, Sub[]>()
  for (let round = 1; round <= 3; round += 1) {
    for (const [at, key] of keys.entries()) {
      const route = profile.routes[(round - 1) % profile.routes.length] ?? profile.routes[0]
      const passage = await observes({ key, route }, `key ${at + 1}, round ${round} of three`)
      mustPass(bench, passage)
      subjects.set(key.consumer, [...(subjects.get(key.consumer) ?? []), subjectOf(bench, passage)])
    }
  }
  for (const [at, { consumer, subject }] of keys.entries()) {
    const own = distinct(subjects.get(consumer) ?? [])
    const others = keys.filter((key) => key.consumer !== consumer).flatMap((key) => subjects.get(key.consumer) ?? [])
    const isDue = subject === undefined || own[0] === subject
    const observed = [
      ...(own.length === 1 ? [] : [`${own.length} different ones`]),
      ...(own.some((sub) => sub !== undefined && others.includes(sub)) ? ['that of another consumer'] : []),
      ...(own.includes(undefined) ? [NONE] : []),
      ...(isDue ? [] : ['another than the declared one']),
    ]
    judge(observed.length === 0, {
      stimulus: `key ${at + 1}, one request after the other`,
      expected: 'one sub, which no other consumer has',
      observed: observed.join('; '),
    })
  }
  return new Map([...subjects].map(([consumer, [first]]) => [consumer, first]))
}

/** Sends requests of all consumers at the same time, and judges that each carries the sub of the key that sent it. */
export async function interleaved(bench: GatewayBench, subjects: ReadonlyMap<string, Sub>): Promise<void> {
  const { keys, observes, judge, profile } = bench
  const atOnce = Math.min(AT_ONCE, profile.concurrency?.requests ?? AT_ONCE)
  const calls = Array.from({ length: INTERLEAVED }, (_, turn) => ({
    key: keys[turn % keys.length] as ApiKey,
    route: profile.routes[Math.floor(turn / keys.length) % profile.routes.length] ?? profile.routes[0],
  }))
  let foreign = 0
  for (let from = 0; from < calls.length; from += atOnce) {
    await Promise.all(
      calls.slice(from, from + atOnce).map(async ({ key, route }, at) => {
        const passage = await observes({ key, route }, `request ${from + at + 1} of ${INTERLEAVED}, interleaved`)
        mustPass(bench, passage)
        if (subjectOf(bench, passage) !== subjects.get(key.consumer)) foreign += 1
      }),
    )
  }
  judge(foreign === 0, {
    stimulus: `${INTERLEAVED} requests of all consumers, ${atOnce} at a time`,
    expected: 'each carries the sub of the key that sent it',
    observed: `${foreign} carry another`,
  })
}
