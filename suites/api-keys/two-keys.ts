import type { Call, GatewayBench, Passage } from '../../harness/model/gateway-bench.ts'
import type { ApiKey, GatewayRoute, KeyLocation } from '../../harness/model/gateway-profile.ts'
import { mainKey, placeOf, subjectOf, unknownKey } from './calls.ts'
import { lineOf } from './variants.ts'

/** A request with two keys: what it is called, and how it is made of them. */
type Pairing = readonly [name: string, call: (one: string, other: string) => Call]

/** The valid keys of a request, each with the `sub` of its tokens. */
type Subjects = readonly (readonly [key: ApiKey, subject: string | undefined])[]

/** Two lines of the header, and a list in one. */
function inHeader(location: KeyLocation): readonly Pairing[] {
  const { name } = location
  return [
    [
      `as two lines of ${name}`,
      (one, other) => ({
        key: null,
        headers: [
          [name, lineOf(location, one)],
          [name, lineOf(location, other)],
        ],
      }),
    ],
    [
      `as a list in ${name}`,
      (one, other) => ({ key: null, headers: [[name, `${lineOf(location, one)}, ${lineOf(location, other)}`]] }),
    ],
    [
      `with a comma between them in ${name}`,
      (one, other) => ({ key: null, headers: [[name, lineOf(location, `${one},${other}`)]] }),
    ],
  ]
}

/** One key in each of two locations. */
function inBoth(first: KeyLocation, second: KeyLocation): Pairing {
  return [
    `${placeOf(first)} and ${placeOf(second)}`,
    (one, other) => ({ key: other, location: second, ...alone(first, one) }),
  ]
}

/** A key in a location, as parts of a call that leave room for another one. */
function alone(location: KeyLocation, key: string): Call {
  const pair = `${location.name}=${encodeURIComponent(key)}`
  if (location.in === 'header') return { headers: [[location.name, lineOf(location, key)]] }
  return location.in === 'query' ? { query: pair } : { headers: [['Cookie', `${location.name}=${key}`]] }
}

/** Every way in which two keys can be sent here. */
function pairingsOf({ profile: { keyLocations } }: GatewayBench): readonly Pairing[] {
  const apart = keyLocations.filter((location) => location.in !== 'body')
  return [
    ...keyLocations.filter((location) => location.in === 'header').flatMap(inHeader),
    ...apart.flatMap((first, at) => apart.slice(at + 1).map((second) => inBoth(first, second))),
  ]
}

/** Judges every request with two keys: refused, or all that follows is about one and the same consumer. */
export async function judgeTwoKeys(bench: GatewayBench): Promise<void> {
  const { keys, can, notProven, forwards, profile } = bench
  const first = mainKey(bench)
  const second = keys.find(({ consumer }) => consumer !== first.consumer)
  const pairings = pairingsOf(bench)
  if (pairings.length === 0)
    notProven('two keys', 'needs a location that can hold two', '"keyLocations" of the profile')
  if (profile.keyLocations.length < 2) {
    notProven('two keys in two locations', 'needs a second declared location', '"keyLocations" of the profile')
  }
  const unknown = unknownKey(bench)
  const ofFirst: Subjects = [[first, await subjectOf(bench, await forwards({ key: first }, 'the first key alone'))]]
  const ofBoth: Subjects = second
    ? [...ofFirst, [second, await subjectOf(bench, await forwards({ key: second }, 'the second key alone'))]]
    : ofFirst
  for (const [name, call] of pairings) {
    await judgeOne(bench, call(first.key, unknown), `a valid key and an unknown one, ${name}`, ofFirst)
    await judgeOne(bench, call(unknown, first.key), `an unknown key and a valid one, ${name}`, ofFirst)
    const stimulus = `two valid keys, ${name}`
    if (!second) continue
    const isIn = await judgeOne(bench, call(first.key, second.key), stimulus, ofBoth)
    if (isIn) await judgeCount(bench, (one, other, route) => ({ ...call(one, other), route }), stimulus)
  }
  if (!second) can('second-consumer', 'two valid keys at once')
}

/** Whether it was let in; if so, whose token it got and whether a key went on. */
async function judgeOne(bench: GatewayBench, call: Call, stimulus: string, subjects: Subjects): Promise<boolean> {
  const { observes, judge, search, notProven } = bench
  const passage = await observes(call, stimulus)
  const { answer, arrivals } = passage
  judge(answer.outcome !== 'crashed', {
    stimulus,
    expected: 'refused, or let in as one consumer',
    observed: answer.failure ?? `status ${answer.status}`,
    failure: 'fail-crash',
  })
  const reached = arrivals()
  if (reached.length === 0) {
    if (answer.outcome === 'accepted') {
      notProven(stimulus, 'let in, and what reached the origin is not seen', '--capture-port N')
    }
    return false
  }
  const sub = await subjectOf(bench, passage)
  judge(
    subjects.some(([, one]) => one === sub),
    {
      stimulus,
      expected: 'a token for the consumer of a key that is valid',
      observed: 'a token for somebody else',
      failure: 'fail-open',
    },
  )
  const secrets = subjects.map(([{ key }], at) => ({ name: `key ${at + 1}`, value: key }))
  const places = (await search(reached, ...secrets)).filter(({ what, part }) => what === 'value' && part !== 'token')
  judge(places.length === 0, {
    stimulus,
    expected: 'no key at the origin',
    observed: places.map(({ secret, part, name }) => `${secret} in the ${part} ${name}`).join(', '),
    failure: 'fail-open',
  })
  return true
}

/** Uses up the limit of whoever the token names, and looks whether somebody else paid for it. */
async function judgeCount(
  bench: GatewayBench,
  callOf: (one: string, other: string, route: GatewayRoute) => Call,
  stimulus: string,
): Promise<void> {
  const { profile, can, freshKey, observes, forwards, judge } = bench
  const limit = profile.limits.find(
    ({ scope, requests }) => requests <= 200 && (scope === 'key' || scope === 'consumer'),
  )
  if (!limit || !can('fresh-keys', `${stimulus}: whose limit counts`)) return
  const pair = [await freshKey(), await freshKey()] as const
  const subjects = new Map<string | undefined, ApiKey>()
  for (const key of pair) subjects.set(await subjectOf(bench, await forwards({ key }, 'a fresh key alone')), key)
  const [one, other] = pair
  let last: Passage | undefined
  for (let count = 0; count < limit.requests; count += 1) {
    const passage = await observes(callOf(one.key, other.key, limit.route), stimulus)
    if (passage.answer.outcome === 'accepted') last = passage
  }
  const named = last && subjects.get(await subjectOf(bench, last))
  const bystander = pair.find((key) => key !== named)
  if (!named || !bystander) return
  const { answer } = await observes({ key: bystander, route: limit.route }, 'the key that the token does not name')
  judge(answer.status !== (limit.status ?? 429), {
    stimulus,
    expected: 'counted for the consumer that the token names',
    observed: 'counted for the other one',
    failure: 'fail-open',
  })
}
