import type { Client } from '../client/client.ts'
import type { WireAnswer } from '../client/wire.ts'
import type { Arrival } from '../model/capture.ts'
import type { HeaderLines } from '../model/http.ts'
import type { Json } from '../model/json.ts'

/** A JWKS as it was served. */
export interface Publication {
  readonly wire: WireAnswer
  /** Undefined where it is no JSON. */
  readonly json: Json | undefined
  /** When it had arrived: milliseconds of performance.now(). */
  readonly monotonicMs: number
}

/** What the gateway published in the run, so that a token can be judged by what was published when it arrived. */
export class Keyring {
  readonly #client: Client
  readonly #url: URL
  readonly #publications: Publication[] = []
  #asking: Promise<Publication> | undefined

  constructor(client: Client, url: URL) {
    this.#client = client
    this.#url = url
  }

  get publications(): readonly Publication[] {
    return this.#publications
  }

  /** Fetches it now, on a connection of its own. */
  async fetch(headers: HeaderLines = [], client: Client = this.#client): Promise<Publication> {
    const wire = await client.send({
      method: 'GET',
      target: `${this.#url.pathname}${this.#url.search}`,
      headers: [['Accept', 'application/json'], ...headers],
      raw: true,
    })
    const publication = { wire, json: parsed(wire), monotonicMs: performance.now() }
    if (publication.json !== undefined && wire.status === 200) this.#publications.push(publication)
    return publication
  }

  knows(kid: string): boolean {
    return this.#publications.some(({ json }) => kidsOf(json).includes(kid))
  }

  /** Looks at the JWKS again if the kid has not been seen; calls at the same time share one look. */
  async learn(kid: unknown): Promise<void> {
    if (typeof kid !== 'string' || this.knows(kid)) return
    this.#asking ??= this.fetch().finally(() => {
      this.#asking = undefined
    })
    await this.#asking
  }

  /**
   * The sets that may have counted when the request arrived: the last before it, and the next to it that have its kid.
   * Where no set ever had the kid, it says nothing of the time, and each set may have counted.
   */
  at(arrival: Pick<Arrival, 'monotonicMs'>, kid: unknown): readonly Json[] {
    if (typeof kid !== 'string' || !this.knows(kid)) {
      const bodies = new Map(this.#publications.map(({ wire, json }) => [wire.body, json]))
      return [...bodies.values()].flatMap((json) => (json === undefined ? [] : [json]))
    }
    const before = this.#publications.filter(({ monotonicMs }) => monotonicMs <= arrival.monotonicMs)
    const after = this.#publications.filter(({ monotonicMs }) => monotonicMs > arrival.monotonicMs)
    const named = (one: Publication): boolean => kidsOf(one.json).includes(kid)
    return [...before.slice(-1), ...before.filter(named).slice(-1), ...after.filter(named).slice(0, 1)].flatMap(
      ({ json }) => (json === undefined ? [] : [json]),
    )
  }
}

/** Every `kid` of a JWKS. */
export function kidsOf(json: Json | undefined): readonly string[] {
  const keys = typeof json === 'object' && json !== null && 'keys' in json ? json['keys'] : undefined
  if (!Array.isArray(keys)) return []
  return keys.flatMap((key) => {
    const kid = typeof key === 'object' && key !== null && 'kid' in key ? key['kid'] : undefined
    return typeof kid === 'string' ? [kid] : []
  })
}

function parsed({ body }: WireAnswer): Json | undefined {
  try {
    return JSON.parse(body) as Json
  } catch {
    return undefined
  }
}
