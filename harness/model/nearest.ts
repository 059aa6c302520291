/** The candidate with the fewest edits to the text; the first of equals. */
export function nearest(text: string, candidates: readonly string[]): string {
  const ranked = candidates.map(
    (candidate) => [candidate, distance(text.toLowerCase(), candidate.toLowerCase())] as const,
  )
  return ranked.toSorted((one, other) => one[1] - other[1])[0]?.[0] ?? ''
}

/** Levenshtein distance. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let at = 1; at <= from.length; at += 1) {
    const next = [at]
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (row[column - 1] ?? 0) + (from[at - 1] === to[column - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}
