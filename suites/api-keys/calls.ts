import { NotApplicable } from '../../harness/model/errors.ts'
import type { Call, GatewayBench, Passage } from '../../harness/model/gateway-bench.ts'
import type { ApiKey, KeyLocation, ResolvedGatewayProfile } from '../../harness/model/gateway-profile.ts'
import { madeUpLike } from './anatomy.ts'

/** A call with the name that reports give it; never the text of a key. */
export type NamedCall = readonly [name: string, call: Call]

/** Calls that a case has open at once. */
const AT_ONCE = 8

/** Does something with every call, several at a time, and gives what came of each. */
export async function forEach<T>(
  calls: readonly NamedCall[],
  act: (call: Call, name: string) => Promise<T>,
): Promise<readonly T[]> {
  const results: T[] = []
  for (let at = 0; at < calls.length; at += AT_ONCE) {
    results.push(...(await Promise.all(calls.slice(at, at + AT_ONCE).map(([name, call]) => act(call, name)))))
  }
  return results
}

/** Where a key is sent, in words. */
export function placeOf({ in: kind, name, scheme }: KeyLocation): string {
  return `in the ${kind} ${name}${scheme === undefined || scheme === '' ? '' : ` with ${scheme}`}`
}

/** The locations of a kind that are declared. */
export function locationsIn(
  { keyLocations }: ResolvedGatewayProfile,
  ...kinds: readonly KeyLocation['in'][]
): readonly KeyLocation[] {
  return keyLocations.filter((location) => kinds.includes(location.in))
}

/** The main key; the runner gives none of these cases without one. */
export function mainKey({ keys, guard }: Pick<GatewayBench, 'keys' | 'guard'>): ApiKey {
  const [key] = keys
  guard(key !== undefined, 'There is no API key that works.')
  return key ?? { key: '', consumer: '' }
}

/** A key of the same form as the main one that nobody has. */
export function unknownKey(bench: Pick<GatewayBench, 'keys' | 'guard' | 'profile' | 'random'>): string {
  const { key } = mainKey(bench)
  const { keyFormat } = bench.profile
  const made = madeUpLike(key, bench.random)
  bench.guard(made !== key, 'No key can be made up that differs from the one that is known.')
  bench.guard(
    keyFormat === undefined || new RegExp(keyFormat.pattern, 'u').test(made),
    'No key could be made up that fits the declared pattern.',
  )
  return made
}

/** A method of the route that has a body, if there is one. */
export function methodWithBody(methods: readonly string[]): string | undefined {
  return methods.find((method) => ['POST', 'PUT', 'PATCH'].includes(method))
}

/**
 * Must not be forwarded, nor answered with 2xx, 5xx or not at all. That the connection is closed is enough for what is
 * no HTTP, or too much of it (RFC 9112 section 9.6 lets the other side lose the answer).
 */
export async function turnsAway(
  { withholds, judge }: Pick<GatewayBench, 'withholds' | 'judge'>,
  call: Call,
  stimulus: string,
): Promise<Passage> {
  const passage = await withholds(call, stimulus)
  const { status, failure } = passage.answer
  if (passage.arrivals().length > 0) return passage
  judge(failure !== 'timeout' && status < 500 && !(status >= 200 && status < 300), {
    stimulus,
    expected: 'refused with 4xx, or the connection closed',
    observed: failure === 'timeout' ? 'no answer in time' : `status ${status}`,
    failure: failure === 'timeout' || status >= 500 ? 'fail-crash' : 'fail-open',
  })
  return passage
}

/** `sub` of the token that reached the origin for a call; undefined where none did. */
export async function subjectOf(
  { verify }: Pick<GatewayBench, 'verify'>,
  { arrivals }: Pick<Passage, 'arrivals'>,
): Promise<string | undefined> {
  const [arrival] = arrivals()
  const sub = arrival ? (await verify(arrival)).claims?.['sub'] : undefined
  return typeof sub === 'string' ? sub : undefined
}

/** What a call needs besides so that a key can go there: a method with a body, for a form. */
export function bodyCall({ profile }: Pick<GatewayBench, 'profile'>, kind: KeyLocation['in']): Pick<Call, 'method'> {
  if (kind !== 'body') return {}
  const method = methodWithBody(profile.routes[0].methods)
  if (method === undefined) throw new NotApplicable('The first route has no method for a key in a form.')
  return { method }
}
