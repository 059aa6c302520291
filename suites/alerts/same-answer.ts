import type { Answer } from '../../harness/model/http.ts'

/** What changes from answer to answer, whatever they tell: ids, times, numbers. */
const VOLATILE = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b(?=\w*\d)[\w-]{8,}\b|\d+/giu

/**
 * Whether two answers tell the same: status and body, but for ids, times and numbers, and for the words that change
 * between two answers to the same request.
 */
export function tellTheSame(one: Answer, other: Answer, twice: readonly [Answer, Answer]): boolean {
  if (one.status !== other.status) return false
  const [words = [], others = [], first = [], second = []] = [one, other, ...twice].map(({ body }) => wordsOf(body))
  if (words.length !== others.length) return false
  return words.every((word, at) => word === others[at] || first[at] !== second[at])
}

function wordsOf(text: string): readonly string[] {
  return text.replaceAll(VOLATILE, '0').match(/\w+|[^\w]/gu) ?? []
}
