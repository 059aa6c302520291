import { proveSearch } from '../capture/prove-search.ts'
import { proveVerifier } from '../capture/prove-verifier.ts'
import type { Searchable } from '../capture/search.ts'
import type { TokenExpectation } from '../model/capture.ts'
import { Inconclusive } from '../model/errors.ts'
import type { Json } from '../model/json.ts'

/** Header in which the decoy of the search travels. */
export const DECOY_HEADER = 'X-Decoy'

/** Sends a control with the decoy in its header, and gives what reached the origin. */
export type Plant = (decoy: string) => Promise<Searchable | undefined>

/** Proofs that the instruments of a run see what they claim to see; each is made once. */
export class Proofs {
  #search: Promise<readonly string[]> | undefined
  #verified = false

  /** Throws Inconclusive unless the search finds a decoy that travelled through the gateway, however it is written. */
  async search(decoy: string, plant: Plant): Promise<void> {
    this.#search ??= plant(decoy).then((arrival) =>
      arrival ? proveSearch(arrival, { name: 'decoy', value: decoy }) : ['the decoy that was planted'],
    )
    const [missed] = await this.#search
    if (missed !== undefined) throw new Inconclusive(`The search for secrets does not find ${missed}.`)
  }

  /** Throws Inconclusive unless corrupted copies of this valid token are refused. */
  verifier(compact: string, jwks: Json, expected: TokenExpectation): void {
    if (this.#verified) return
    const [missed] = proveVerifier(compact, jwks, expected)
    if (missed !== undefined) throw new Inconclusive(`The verifier of the run does not notice ${missed}.`)
    this.#verified = true
  }
}
