import type { Json, JsonObject } from '../model/json.ts'

/** What makes octets no JSON object that everyone reads alike (RFC 8259 section 4). */
export type JsonProblem = 'utf8' | 'not-json' | 'not-object' | 'duplicate-member' | 'too-deep'

/** An object as far as it could be read; of repeated members it has the last. */
export interface ReadObject {
  readonly value?: JsonObject
  readonly problem?: JsonProblem
}

/** Objects and arrays within one another. */
const MOST_NESTING = 32

/** Reads the one JSON object in the octets. */
export function readObject(octets: Uint8Array): ReadObject {
  const text = utf8(octets)
  if (text === undefined) return { problem: 'utf8' }
  const value = parsed(text)
  if (value === undefined) return { problem: 'not-json' }
  if (!isObject(value)) return { problem: 'not-object' }
  const problem = problemOfNames(text)
  return problem ? { value, problem } : { value }
}

/** Narrows to a JSON object. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function utf8(octets: Uint8Array): string | undefined {
  try {
    // A byte order mark is kept, and is no JSON then (RFC 8259 section 8.1).
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets)
  } catch {
    return undefined
  }
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

/** Scans valid JSON for what the parser does not tell: the names of each object, and the nesting. */
function problemOfNames(text: string): 'duplicate-member' | 'too-deep' | undefined {
  // Names of each object that is open, the innermost last; undefined for an array.
  const open: (Set<string> | undefined)[] = []
  for (let at = 0; at < text.length; at += 1) {
    switch (text[at]) {
      case '{':
        open.push(new Set())
        break
      case '[':
        open.push(undefined)
        break
      case '}':
      case ']':
        open.pop()
        break
      case '"': {
        const end = endOfString(text, at)
        const names = open.at(-1)
        if (names && isBeforeColon(text, end)) {
          const name = JSON.parse(text.slice(at, end)) as string
          if (names.has(name)) return 'duplicate-member'
          names.add(name)
        }
        at = end - 1
        break
      }
      default:
    }
    if (open.length > MOST_NESTING) return 'too-deep'
  }
  return undefined
}

function isBeforeColon(text: string, position: number): boolean {
  const colon = /\s*:/uy
  colon.lastIndex = position
  return colon.test(text)
}

/** Position behind the closing quotation mark of the string that begins there. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}
