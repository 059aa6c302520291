import type { OriginBench } from '../harness/model/bench.ts'
import type { Probe } from '../harness/model/http.ts'
import type { Token } from '../harness/model/token.ts'

/** A token or a request with the name that reports give it; never the token's own text. */
export type Stimulus = readonly [name: string, what: Token | Probe]

/** Requests that a case has open at once. */
const AT_ONCE = 8

/** Every one of these must be refused; `never` is an identity that no answer may tell. */
export async function refuseAll(
  { refuses }: Pick<OriginBench, 'refuses'>,
  stimuli: readonly Stimulus[],
  never?: string,
): Promise<void> {
  for (let at = 0; at < stimuli.length; at += AT_ONCE) {
    await Promise.all(stimuli.slice(at, at + AT_ONCE).map(([name, what]) => refuses(what, name, never)))
  }
}

/** A subject that is not the one of the control: another one that the origin serves. */
export function otherSubject({ profile }: Pick<OriginBench, 'profile'>): string {
  return profile.subjects[1]
}
