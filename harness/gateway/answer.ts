import { HOP_BY_HOP } from './clean.ts'
import { corsLines } from './cors.ts'
import type { Exchange } from './steps.ts'

/** What was decided of a name, as the origin spells it; bounded, because origins choose names. */
const decided = new Map<string, boolean>()

const MOST_DECIDED = 4_096

const MOST_LETTERS = 64

function mayPass(spelled: string): boolean {
  const known = decided.get(spelled)
  if (known !== undefined) return known
  const name = spelled.toLowerCase()
  // The cross-origin rules are those of the gateway.
  const may = !HOP_BY_HOP.has(name) && !name.startsWith('access-control-') && name !== 'zp-rid'
  if (decided.size < MOST_DECIDED && spelled.length <= MOST_LETTERS) decided.set(spelled, may)
  return may
}

/** Removes the fields that a Connection line names (RFC 9110 section 7.6.1). */
function dropNamed(lines: string[], named: ReadonlySet<string>): void {
  for (let at = lines.length - 2; at >= 0; at -= 2) {
    if (named.has((lines[at] ?? '').toLowerCase())) lines.splice(at, 2)
  }
}

/** Header lines for the caller: those of the origin without the connection's own, and those of the policies. */
export function answer(lines: readonly string[], { request, cors, incoming }: Exchange): string[] {
  const kept: string[] = []
  let named: ReadonlySet<string> | undefined
  for (let at = 0; at < lines.length; at += 2) {
    const name = lines[at] ?? ''
    const value = lines[at + 1] ?? ''
    if (mayPass(name)) kept.push(name, value)
    else if (name.length === 10 && name.toLowerCase() === 'connection' && !/^(?:keep-alive|close)$/iu.test(value)) {
      named = new Set([
        ...(named ?? []),
        ...value
          .toLowerCase()
          .split(',')
          .map((option) => option.trim()),
      ])
    }
  }
  if (named) dropNamed(kept, named)
  kept.push('zp-rid', request.id)
  if (request.answerLines.length > 0) kept.push(...request.answerLines)
  if (cors) kept.push(...corsLines(cors, incoming.headers.origin))
  return kept
}
