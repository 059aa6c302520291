import type { Clock } from '../clock/clock.ts'
import type { JsonObject } from '../model/json.ts'
import { fetchSet, keysOf } from './jwks-fetch.ts'
import type { Fetched, KeyMap, Source } from './jwks-fetch.ts'

/** How the JWKS is kept. Times in seconds by the clock of the origin, unless the name says otherwise. */
export interface JwksClientOptions extends Source {
  readonly clock: Clock
  /** Age at which the set is fetched again before it is used; a removed key dies here at the latest. */
  readonly maxAgeSec: number
  /** Shortest time between two fetches that an unknown kid or a failure causes. */
  readonly cooldownSec: number
  /** How long beyond its age a set serves while it cannot be fetched. */
  readonly staleSec: number
  /** max-age of the answer replaces maxAgeSec. */
  readonly honoursCacheControl: boolean
}

/** What a kid stands for now. */
export type Lookup =
  /** One key of each type that bears the kid. */
  | { readonly kind: 'found'; readonly jwks: readonly JsonObject[] }
  | { readonly kind: 'unknown' }
  /** No set can be had: the token may be as good as any. */
  | { readonly kind: 'unavailable' }

/** The keys of the issuer, as fresh as declared, with at most one fetch at a time. */
export interface JwksClient {
  readonly find: (kid: string) => Promise<Lookup>
  /** The set that is held, for diagnosis. */
  readonly held: () => readonly JsonObject[]
}

/** What the client remembers. Times in seconds. */
export interface JwksState {
  keys: KeyMap
  etag: string | undefined
  fetchedAt: number
  triedAt: number
  maxAgeSec: number
}

/** The parts of the client, each of which can be replaced. */
export interface JwksParts {
  readonly fetchSet: (options: JwksClientOptions, etag: string | undefined) => Promise<Fetched | 'not-modified'>
  readonly keysOf: (document: unknown) => KeyMap
  /** Called before a fetch. */
  readonly begins: (state: JwksState) => void
  /** Takes over what was fetched. */
  readonly renews: (state: JwksState, fetched: KeyMap) => void
  /** Called when a kid is not in the set and no fetch is due for it. */
  readonly misses: (state: JwksState, kid: string, nowSec: number) => void
  /** Whether requests at the same time wait for the same fetch. */
  readonly shares: boolean
}

export const strictJwksParts: JwksParts = {
  fetchSet,
  keysOf,
  begins: () => {
    // The set that is held goes on serving.
  },
  renews(state, fetched) {
    state.keys = fetched
  },
  misses: () => {
    // An unknown kid leaves no trace.
  },
  shares: true,
}

/** A client that has not fetched anything yet; `parts` replaces parts of the strict one. */
export function createJwksClient(options: JwksClientOptions, replaced: Partial<JwksParts> = {}): JwksClient {
  const parts = { ...strictJwksParts, ...replaced }
  const { clock, cooldownSec, staleSec } = options
  const nowSec = (): number => clock.nowMs() / 1000
  const never = Number.NEGATIVE_INFINITY
  const state: JwksState = {
    keys: new Map(),
    etag: undefined,
    fetchedAt: never,
    triedAt: never,
    maxAgeSec: options.maxAgeSec,
  }
  let flight: Promise<void> | undefined

  const fetchOnce = async (): Promise<void> => {
    state.triedAt = nowSec()
    try {
      parts.begins(state)
      const fetched = await parts.fetchSet(options, state.etag)
      if (fetched !== 'not-modified') {
        parts.renews(state, parts.keysOf(fetched.document))
        state.etag = fetched.etag
        state.maxAgeSec = (options.honoursCacheControl ? fetched.maxAgeSec : undefined) ?? options.maxAgeSec
      }
      state.fetchedAt = nowSec()
    } catch {
      // The set that is held goes on serving within its stale window; find() decides.
    } finally {
      flight = undefined
    }
  }
  const refresh = (): Promise<void> => {
    if (!parts.shares) return fetchOnce()
    flight ??= fetchOnce()
    return flight
  }
  const age = (): number => nowSec() - state.fetchedAt
  const mayTry = (): boolean => flight !== undefined || nowSec() - state.triedAt >= cooldownSec

  return {
    held: () => [...state.keys.values()].flat(),
    async find(kid) {
      // The cooldown holds back what failed or what a made-up kid asks for, not the fetch that is due by age.
      if (age() >= state.maxAgeSec && (state.fetchedAt >= state.triedAt || mayTry())) await refresh()
      if (age() >= state.maxAgeSec + staleSec) return { kind: 'unavailable' }
      if (!state.keys.has(kid)) {
        if (mayTry()) await refresh()
        else parts.misses(state, kid, nowSec())
      }
      const jwks = state.keys.get(kid)
      return jwks ? { kind: 'found', jwks } : { kind: 'unknown' }
    },
  }
}
