import { FAILURES } from './verdict.ts'
import type { Verdict } from './verdict.ts'

/** What each word of --fail-on fails a run for: a level and those above it, or one verdict. */
const MEANT = {
  never: [],
  must: FAILURES,
  should: [...FAILURES, 'warn'],
  'fail-open': ['fail-open'],
  'fail-crash': ['fail-crash'],
  'fail-closed': ['fail-closed'],
  fail: ['fail'],
  warn: ['warn'],
  inconclusive: ['inconclusive'],
} as const satisfies Readonly<Record<string, readonly Verdict[]>>

export type FailOnWord = keyof typeof MEANT

/** Every word of --fail-on. */
export const FAIL_ON_WORDS = Object.keys(MEANT) as readonly FailOnWord[]

/** The verdicts that the words stand for; `never` stands alone. */
export function failingBy(words: readonly FailOnWord[]): readonly Verdict[] {
  return [...new Set(words.flatMap((word): readonly Verdict[] => MEANT[word]))]
}
