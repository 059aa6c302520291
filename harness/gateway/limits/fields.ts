import { hash } from 'node:crypto'
import type { HeaderLines } from '../../model/http.ts'
import type { LimitRule, Taken } from '../policy.ts'

/** A counter with what it said. */
export interface Counted {
  /** Name of the quota policy; may hold anything. */
  readonly label: string
  readonly rule: LimitRule
  readonly taken: Taken
}

/** Octets of a partition key: enough to tell callers apart, and nothing that leads back to one. */
const PARTITION_OCTETS = 9

/** Digits that an Integer may have (RFC 9651 section 3.3.1). */
const MOST = 999_999_999_999_999

/**
 * `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11, sections 3 and 4). `caller` is digested
 * to the partition key; empty where all callers share one.
 */
export function rateLimitFields(caller: string, policies: readonly Counted[], limits: readonly Counted[]): HeaderLines {
  const partition = caller === '' ? '' : `;pk=:${partitionOf(caller)}:`
  return [
    [
      'RateLimit-Policy',
      policies
        .map(({ label, rule }) => `${string(label)};q=${integer(rule.limit)};w=${seconds(rule.windowMs)}${partition}`)
        .join(', '),
    ],
    [
      'RateLimit',
      limits
        .map(({ label, taken }) => {
          const more = taken.moreMs === 0 ? '' : `;t=${seconds(taken.moreMs)}`
          return `${string(label)};r=${integer(taken.remaining)}${more}${partition}`
        })
        .join(', '),
    ],
  ]
}

/** Whole seconds that are not too few, at least one. */
export function seconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000))
}

function partitionOf(caller: string): string {
  return hash('sha256', caller, 'buffer').subarray(0, PARTITION_OCTETS).toString('base64')
}

function integer(value: number): number {
  return Math.min(MOST, value)
}

/** A String (RFC 9651 section 3.3.3): printable ASCII; anything else is a question mark in it. */
function string(label: string): string {
  return `"${label.replaceAll(/[^\u0020-\u007e]/gu, '?').replaceAll(/["\\]/gu, String.raw`\$&`)}"`
}
