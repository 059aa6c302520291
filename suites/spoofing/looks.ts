import type { Arrival } from '../../harness/model/capture.ts'
import type { Call, GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { Answer } from '../../harness/model/http.ts'
import type { Json } from '../../harness/model/json.ts'

/** A call with something forged in it, and the name that reports give it; never the text of a key or a token. */
export type Forged = readonly [name: string, call: Call]

/** What an answer was, in a few words. */
export function told({ status, failure }: Answer): string {
  return failure ?? `status ${status}`
}

/** What a call that nobody altered looks like at the origin. */
export interface Plain {
  readonly arrival: Arrival
  readonly issuer: Json | undefined
  readonly audience: Json | undefined
  readonly subject: Json | undefined
}

/** Sends a call that must reach the origin with a valid token: what altered ones are compared with. */
export async function plain({ forwards, verify, guard }: GatewayBench, call: Call, stimulus: string): Promise<Plain> {
  const { arrivals } = await forwards(call, stimulus)
  const [arrival] = arrivals()
  const token = arrival && (await verify(arrival))
  guard(token?.problems.length === 0, 'A call with a valid key did not reach the origin with a valid token.')
  const { iss, aud, sub } = token?.claims ?? {}
  return { arrival: arrival as Arrival, issuer: iss, audience: aud, subject: sub }
}

/** Sends a call that reaches the origin, whatever its token is. */
export async function captured({ forwards, guard }: GatewayBench, call: Call, stimulus: string): Promise<Arrival> {
  const [arrival] = (await forwards(call, stimulus)).arrivals()
  guard(arrival !== undefined, 'A call with a valid key did not reach the origin.')
  return arrival as Arrival
}

/**
 * Sends what may be refused or go on without what was forged: gives what reached the origin. A limit of requests
 * would hide what the gateway does with it.
 */
export async function look(
  { observes, judge, guard }: GatewayBench,
  [stimulus, call]: Forged,
): Promise<readonly Arrival[]> {
  const { answer, arrivals } = await observes(call, stimulus)
  guard(answer.status !== 429, 'The gateway limits the rate: lift the limit of this route for the run.')
  judge(answer.outcome !== 'crashed', {
    stimulus,
    expected: 'refused, or forwarded without what was forged',
    observed: told(answer),
    failure: 'fail-crash',
  })
  const reached = arrivals()
  judge(answer.outcome !== 'accepted' || reached.length > 0, {
    stimulus,
    expected: 'where it is answered 2xx, forwarded to the origin of the route',
    observed: `${told(answer)}, and nothing reached the origin`,
  })
  return reached
}

/** Judges that a captured request carries one valid gateway token, of the caller where it is known who that is. */
export async function judgeToken(
  { verify, judge }: GatewayBench,
  arrival: Arrival,
  subject: Json | undefined,
  stimulus: string,
): Promise<void> {
  const { problems, claims } = await verify(arrival)
  judge(problems.length === 0, {
    stimulus,
    expected: 'one valid gateway token',
    observed: problems.map(({ detail }) => detail).join('; '),
    failure: 'fail-open',
  })
  judge(problems.length > 0 || subject === undefined || claims?.['sub'] === subject, {
    stimulus,
    expected: 'a token whose sub is the caller',
    observed: 'a token whose sub is somebody else',
    failure: 'fail-open',
  })
}

/** Path of a captured request, without its query. */
export function pathOf({ target }: Pick<Arrival, 'target'>): string {
  return target.replace(/[?#].*$/su, '')
}
