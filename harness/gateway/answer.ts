import { HOP_BY_HOP } from './clean.ts'
import { corsLines } from './cors.ts'
import type { Exchange } from './steps.ts'

/** Header lines for the caller: those of the origin without the connection's own, and those of the policies. */
export function answer(lines: readonly string[], { request, cors, incoming }: Exchange): string[] {
  const kept: string[] = []
  let named: Set<string> | undefined
  for (let at = 0; at < lines.length; at += 2) {
    const name = (lines[at] ?? '').toLowerCase()
    if (name === 'connection') {
      named ??= new Set()
      for (const option of (lines[at + 1] ?? '').toLowerCase().split(',')) named.add(option.trim())
    }
  }
  for (let at = 0; at < lines.length; at += 2) {
    const name = (lines[at] ?? '').toLowerCase()
    if (HOP_BY_HOP.has(name) || named?.has(name)) continue
    // The cross-origin rules are those of the gateway.
    if (name.startsWith('access-control-') || name === 'zp-rid') continue
    kept.push(lines[at] ?? '', lines[at + 1] ?? '')
  }
  kept.push('zp-rid', request.id, ...request.answerLines)
  if (cors) kept.push(...corsLines(cors, incoming.headers.origin))
  return kept
}
