import type { JsonObject } from '../model/json.ts'

/** Nesting that a token may have. */
const MOST_NESTING = 32

const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}[\]]/gsu

/** A JSON object from UTF-8; undefined for anything else, for repeated member names and for deep nesting. */
export function strictObject(octets: Uint8Array): { readonly text: string; readonly value: JsonObject } | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets)
    if (!isFlatAndUnique(text)) return undefined
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    return { text, value: value as JsonObject }
  } catch {
    return undefined
  }
}

/** Walks the tokens without recursion; what is no JSON is left to the parser. */
function isFlatAndUnique(text: string): boolean {
  const open: Set<string>[] = []
  for (const [token, colon] of text.matchAll(TOKENS)) {
    if (token === '{' || token === '[') {
      if (open.length === MOST_NESTING) return false
      open.push(new Set())
    } else if (token === '}' || token === ']') open.pop()
    else if (colon !== undefined) {
      const name = JSON.parse(token.slice(0, -colon.length)) as string
      const names = open.at(-1)
      if (names?.has(name)) return false
      names?.add(name)
    }
  }
  return true
}
