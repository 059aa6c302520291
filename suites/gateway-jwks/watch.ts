import type { Call, GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { JsonObject } from '../../harness/model/json.ts'
import { isObject, readToken } from '../gateway-token/read.ts'

/** A JWKS as it was served. */
export interface Poll {
  /** When it had arrived, in seconds by the clock of the gateway. */
  readonly atSec: number
  readonly keys: readonly JsonObject[]
  readonly kids: readonly string[]
}

/** A token that reached the origin while the keys were watched. */
export interface Seen {
  readonly kid: string
  readonly exp: number | undefined
  readonly atSec: number
}

/** Keys as they are published and used, over time. */
export interface Watch {
  readonly polls: readonly Poll[]
  readonly seen: readonly Seen[]
  /** Fetches the JWKS; false where none was served. */
  readonly poll: () => Promise<boolean>
  /**
   * Sends calls at the same time, and notes the tokens that arrive. Where one names a key that was not in the JWKS
   * before, it is fetched at once, as an origin does.
   */
  readonly send: (calls: readonly Call[], stimulus: string) => Promise<void>
}

/** Starts to watch. */
export function watchKeys(bench: GatewayBench): Watch {
  const { jwks, observes, tokenOf } = bench
  const polls: Poll[] = []
  const seen: Seen[] = []
  const poll = async (): Promise<boolean> => {
    const { answer, json, atSec } = await jwks()
    const published = answer.status === 200 && isObject(json) ? json['keys'] : undefined
    if (!Array.isArray(published)) return false
    const keys = published.filter(isObject)
    polls.push({ atSec, keys, kids: keys.flatMap(({ kid }) => (typeof kid === 'string' ? [kid] : [])) })
    return true
  }
  return {
    polls,
    seen,
    poll,
    async send(calls, stimulus) {
      const passages = await Promise.all(calls.map((call) => observes(call, stimulus)))
      const isPublished = (kid: string): boolean => polls.at(-1)?.kids.includes(kid) === true
      let isNew = false
      for (const arrival of passages.flatMap(({ arrivals }) => arrivals())) {
        const { header, claims } = readToken(tokenOf(arrival) ?? '')
        const { kid } = header
        const { exp } = claims
        if (typeof kid !== 'string') continue
        seen.push({ kid, exp: typeof exp === 'number' ? exp : undefined, atSec: arrival.atMs / 1000 })
        if (!isPublished(kid)) isNew = true
      }
      if (isNew) await poll()
    },
  }
}

/** Calls with every key to up to three routes, so that whichever keys sign show. */
export function everyCall({ keys, profile }: GatewayBench): readonly Call[] {
  return keys.flatMap((key) => profile.routes.slice(0, 3).map((route) => ({ key, route })))
}

/** Milliseconds between two fetches of the JWKS. */
const POLL_MS = 50

/** Does what an operator does while the calls go on, in turn, and the JWKS is fetched every 50 ms. */
export async function underLoad(
  watch: Watch,
  calls: readonly Call[],
  act: () => Promise<void>,
  stimulus: string,
): Promise<void> {
  const load = { isOver: false }
  const over = act().finally(() => {
    load.isOver = true
  })
  const goOn = async (): Promise<void> => {
    let polledMs = performance.now()
    for (let turn = 0; !load.isOver; turn += 1) {
      const two = [0, 1].flatMap((at) => calls.slice((2 * turn + at) % calls.length).slice(0, 1))
      await watch.send(two, stimulus)
      if (performance.now() - polledMs < POLL_MS) continue
      await watch.poll()
      polledMs = performance.now()
    }
  }
  await Promise.all([over, goOn()])
}
