import type { Arrival, TokenProblem, TokenProblemKind, VerifiedToken } from '../../harness/model/capture.ts'
import type { Call, GatewayBench, Passage } from '../../harness/model/gateway-bench.ts'
import { distinct } from './read.ts'

/** Authorised requests of one route and method, and what reached the origin of them. */
export interface Sample {
  readonly stimulus: string
  readonly arrivals: readonly Arrival[]
}

/** Requests of a sample: each route and method with each of three keys. */
const REQUESTS = 18

/** Requests at the same time. */
const AT_ONCE = 10

/** Why a sample without a token proves nothing. */
export const NO_TOKEN = 'A request with a valid key reached the origin without a token.'

/** Sends authorised requests of up to three routes, two methods of each, with all keys in turn. */
export async function sampled(bench: GatewayBench, requests: number = REQUESTS): Promise<readonly Sample[]> {
  const { keys, profile } = bench
  const places = profile.routes
    .slice(0, 3)
    .flatMap((route) => route.methods.slice(0, 2).map((method) => ({ route, method })))
  const samples = places.map(({ route, method }) => ({
    stimulus: `${method} ${route.path}`,
    arrivals: [] as Arrival[],
  }))
  const turns = Array.from({ length: Math.max(requests, places.length) }, (_, turn) => turn)
  for (let from = 0; from < turns.length; from += AT_ONCE) {
    await Promise.all(
      turns.slice(from, from + AT_ONCE).map(async (turn) => {
        const place = places[turn % places.length]
        const sample = samples[turn % places.length]
        const key = keys[Math.floor(turn / places.length) % keys.length]
        if (place && sample)
          sample.arrivals.push(...(await arrivalsOf(bench, { ...place, ...(key ? { key } : {}) }, sample.stimulus)))
      }),
    )
  }
  return samples
}

/** Sends a call that must get through, or the case proves nothing; gives what reached the origin. */
export async function arrivalsOf(bench: GatewayBench, call: Call, stimulus: string): Promise<readonly Arrival[]> {
  const passage = await bench.observes(call, stimulus)
  mustPass(bench, passage)
  return passage.arrivals()
}

/** Makes the case inconclusive where a request with a valid key did not reach the origin. */
export function mustPass({ guard }: Pick<GatewayBench, 'guard'>, { answer, arrivals }: Passage): void {
  guard(
    arrivals().length > 0,
    `A request with a valid key did not reach the origin (${answer.failure ?? `status ${answer.status}`}).`,
  )
}

/** What a case asks of the tokens of a sample. */
export interface Asked {
  /** What must not be wrong with them. */
  readonly kinds: readonly TokenProblemKind[]
  readonly expected: string
  /** Without this part of a token nothing is judged. */
  readonly reads?: 'header' | 'claims'
  /** Further problems of a token. */
  readonly also?: (token: VerifiedToken, arrival: Arrival) => readonly string[]
}

/** Judges the tokens of each part of a sample by some kinds of problems alone. */
export async function judgeTokens(bench: GatewayBench, samples: readonly Sample[], asked: Asked): Promise<void> {
  const { verify, judge, guard } = bench
  const unread: TokenProblem[] = []
  for (const { stimulus, arrivals } of samples) {
    const details: string[] = []
    for (const arrival of arrivals) {
      const token = await verify(arrival)
      const { problems } = token
      const found = problems.filter(({ kind }) => asked.kinds.includes(kind)).map(({ detail }) => detail)
      details.push(...found, ...(asked.also?.(token, arrival) ?? []))
      if (found.length > 0) continue
      if (asked.reads ? token[asked.reads] === undefined : isMissing(problems)) unread.push(...problems)
    }
    judge(details.length === 0, { stimulus, expected: asked.expected, observed: distinct(details).join('; ') })
  }
  guard(!isMissing(unread), NO_TOKEN)
  guard(unread.length === 0, 'A token could not be read.')
}

function isMissing(problems: readonly TokenProblem[]): boolean {
  return problems.some(({ kind }) => kind === 'token-missing')
}
