import type { Anomaly, Framing } from '../model/capture.ts'
import type { HeaderLines } from '../model/http.ts'
import { valuesOf } from './head.ts'
import type { Head } from './head.ts'

/** Where the body of a request ends. */
export type Extent =
  | { readonly kind: 'none' | 'chunked' }
  | { readonly kind: 'content-length'; readonly length: number }

const NONE: Extent = { kind: 'none' }
const CHUNKED: Extent = { kind: 'chunked' }

/** What is wrong with how a head tells the length of its body (RFC 9112 sections 6.1 to 6.3). */
export function lengthAnomalies({ headers, version }: Head): readonly Anomaly[] {
  const lengths = lengthsOf(headers)
  const codings = valuesOf(headers, 'transfer-encoding')
  const found: Anomaly[] = []
  if (lengths.length > 0 && codings.length > 0) found.push('both-lengths')
  if (lengths.length > 1) found.push('content-length-repeated')
  if (lengths.some((length) => !isLength(length))) found.push('content-length-invalid')
  if (codings.length > 0 && (version !== 'HTTP/1.1' || !endsChunked(codings))) found.push('transfer-encoding-invalid')
  return found
}

/** Where the body ends for an origin of that kind; a strict one has refused whatever is in doubt. */
export function extentOf({ headers }: Head, framing: Framing): Extent {
  const codings = valuesOf(headers, 'transfer-encoding')
  const lengths = lengthsOf(headers)
  const chunked = codings.some((coding) => /chunked/iu.test(coding))
  if (framing === 'prefer-content-length') {
    const length = Number.parseInt(lengths[0] ?? '', 10)
    if (!Number.isNaN(length)) return sized(length)
    return chunked ? CHUNKED : NONE
  }
  if (chunked) return CHUNKED
  const length = lengths.findLast(isLength)
  return length === undefined ? NONE : sized(Number(length))
}

function sized(length: number): Extent {
  return length > 0 ? { kind: 'content-length', length } : NONE
}

function lengthsOf(headers: HeaderLines): readonly string[] {
  return valuesOf(headers, 'content-length')
    .flatMap((value) => value.split(','))
    .map((value) => value.trim())
}

function isLength(text: string): boolean {
  return /^\d+$/u.test(text) && Number.isSafeInteger(Number(text))
}

/** RFC 9112 section 6.1: the last coding of a request is chunked, and no other one is. */
function endsChunked(values: readonly string[]): boolean {
  const codings = values.flatMap((value) => value.split(',')).map((coding) => coding.trim().toLowerCase())
  return codings.indexOf('chunked') === codings.length - 1 && codings.every((coding) => /^[a-z0-9-]+$/u.test(coding))
}
