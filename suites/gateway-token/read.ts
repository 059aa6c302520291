import { octets, segmentsOf } from '../../harness/model/compact.ts'
import type { Json, JsonObject } from '../../harness/model/json.ts'

/** Header and claims of a token that nobody has verified; what cannot be read is empty. */
export interface ReadToken {
  readonly header: JsonObject
  readonly claims: JsonObject
}

/** Reads a compact token without verifying it. */
export function readToken(compact: string): ReadToken {
  const { header, payload } = segmentsOf(compact)
  return { header: objectOf(header), claims: objectOf(payload) }
}

/** Narrows to a JSON object. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The values without repetition, in their order. */
export function distinct<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values)]
}

function objectOf(segment: string): JsonObject {
  try {
    const value = JSON.parse(new TextDecoder().decode(octets(segment))) as Json
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}
