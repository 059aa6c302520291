import { TrustspecError } from '../../model/errors.ts'
import type { JsonObject } from '../../model/json.ts'
import { publicMembersOf, thumbprintOf } from '../../signing/jws.ts'
import { GATEWAY_ALGORITHMS } from '../settings.ts'
import type { Ring, RingKey } from './ring.ts'

/** Where the ring is kept, for one instance or several. */
export interface RingStore extends AsyncDisposable {
  /** Applies the change to what is stored, as the only one to do so, and gives the outcome. */
  readonly update: (change: (ring: Ring | undefined) => Ring) => Promise<Ring>
  readonly read: () => Promise<Ring | undefined>
  /** Has `look` called whenever another instance may have changed it. */
  readonly watch: (look: () => void) => Promise<void>
}

/** Kept by this process alone. */
export function memoryRing(): RingStore {
  let ring: Ring | undefined
  return {
    update(change) {
      ring = change(ring)
      return Promise.resolve(ring)
    },
    read: () => Promise.resolve(ring),
    watch: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/** Reads a ring as it was written with JSON.stringify; ERR_USAGE, with the place, where the text is none. */
export function parsedRing(text: string, place: Readonly<Record<string, string>>): Ring {
  const instead = 'what was there before, from a backup, or nothing: then new keys are made, and origins fetch them'
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new TrustspecError('ERR_USAGE', 'The signing keys are damaged', { ...place, instead }, { cause: error })
  }
  if (isRing(value)) return value
  throw new TrustspecError('ERR_USAGE', 'The signing keys are damaged', { ...place, instead })
}

function isRing(value: unknown): value is Ring {
  const { keys, revoked } = (value ?? {}) as Partial<Record<keyof Ring, unknown>>
  return (
    Array.isArray(keys) &&
    keys.length > 0 &&
    keys.every(isRingKey) &&
    Array.isArray(revoked) &&
    revoked.every((kid) => typeof kid === 'string')
  )
}

function isRingKey(value: unknown): boolean {
  const { kid, alg, jwk, publishedMs, dueMs } = (value ?? {}) as Partial<Record<keyof RingKey, unknown>>
  return (
    GATEWAY_ALGORITHMS.some((known) => known === alg) &&
    Number.isFinite(publishedMs) &&
    (dueMs === undefined || Number.isFinite(dueMs)) &&
    typeof jwk === 'object' &&
    jwk !== null &&
    'd' in jwk &&
    thumbprintOf(publicMembersOf(jwk as JsonObject)) === kid
  )
}
