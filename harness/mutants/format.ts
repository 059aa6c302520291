import type { JsonObject } from '../model/json.ts'
import { judgeWith, strictRules } from '../origin/claims.ts'
import { parseWith, strictParts } from '../origin/parse.ts'
import type { ParseParts } from '../origin/parse.ts'
import { referenceSteps } from '../origin/server.ts'
import type { Parsed, Steps } from '../origin/steps.ts'
import type { Mutant } from './mutant.ts'

const parse = (parts: Partial<ParseParts>): Steps['parse'] => parseWith({ ...strictParts, ...parts })

/** Findings about the text of a token. */
export const formatMutants: readonly Mutant[] = [
  {
    id: 'O37',
    flaw: 'accepts a JWS in JSON, and takes the claims from a split of its text',
    steps: () => ({
      readCredential(request) {
        const line = request.headers.authorization ?? ''
        return line.startsWith('Bearer {') ? line.slice(7) : referenceSteps.readCredential(request)
      },
      parse: (text) => (text.startsWith('{') ? parsedJson(text) : undefined) ?? referenceSteps.parse(text),
    }),
    kills: ['origin/format/json-serialization'],
  },
  {
    id: 'O38',
    flaw: 'ignores what follows the third dot, and decodes base64 leniently',
    steps: () => ({
      readCredential(request) {
        const token = /^Bearer +(\S.*)$/iu.exec(request.headers.authorization ?? '')?.[1]
        return token ?? referenceSteps.readCredential(request)
      },
      parse: (compact) => {
        const [first = '', second = '', third = ''] = compact.split('.')
        return lenient(`${first}.${second}.${third}`)
      },
    }),
    kills: ['origin/format/malformed-compact', 'origin/format/strict-encoding'],
  },
  {
    id: 'O39',
    flaw: 'reads the payload without looking whether it is an object',
    steps: () => ({
      parse: parse({
        object(octets, part) {
          const strict = strictParts.object(octets, part)
          if (strict || part === 'header') return strict
          const text = Buffer.from(octets).toString('utf8')
          const value = JSON.parse(text) as { sub: string }
          return { text, value: { sub: value.sub } }
        },
      }),
    }),
    kills: ['origin/format/strict-encoding', 'origin/format/payload-not-object', 'origin/load/alive-after-run'],
    whole: true,
  },
  {
    id: 'O40',
    flaw: 'answers 500 when the header cannot be parsed',
    steps: () => ({
      parse: parse({
        object(octets, part) {
          if (part === 'header') JSON.parse(Buffer.from(octets).toString('utf8'))
          return strictParts.object(octets, part)
        },
      }),
    }),
    kills: ['origin/format/header-not-object', 'origin/load/alive-after-run'],
    whole: true,
  },
  {
    id: 'O41',
    flaw: 'lets the first of repeated members win',
    steps: () => ({
      parse: parse({
        object(octets) {
          const text = Buffer.from(octets).toString('latin1')
          return strictParts.object(Buffer.from(firstWins(text), 'latin1'), 'claims')
        },
      }),
    }),
    kills: ['origin/format/duplicate-members'],
  },
  {
    id: 'O42',
    flaw: 'looks claims up without regard to case',
    steps: () => ({
      judgeClaims: (claims, parsed, route, context) => judgeWith(strictRules)(caseless(claims), parsed, route, context),
    }),
    kills: ['origin/format/name-case'],
  },
  {
    id: 'O43',
    flaw: 'walks the JSON of a token by recursion without a limit',
    steps: () => ({
      parse: parse({
        longest: Number.POSITIVE_INFINITY,
        object(octets, part) {
          try {
            depthOf(JSON.parse(Buffer.from(octets).toString('utf8')))
          } catch (error) {
            if (error instanceof RangeError) throw error
          }
          return strictParts.object(octets, part)
        },
      }),
    }),
    kills: ['origin/format/hostile-size'],
  },
  {
    id: 'O106',
    flaw: 'refuses a header member that it does not know',
    steps: () => ({
      parse: parse({
        understands: (header) => Object.keys(header).every((name) => ['alg', 'kid', 'typ'].includes(name)),
      }),
    }),
    kills: ['origin/format/tolerates-optional'],
  },
]

function parsedJson(text: string): Parsed | undefined {
  try {
    const jws = JSON.parse(text) as {
      payload: string
      protected?: string
      signature?: string
      signatures?: [{ protected: string; signature: string }]
    }
    const signed = jws.signatures?.[0] ?? jws
    const compact = `${signed.protected}.${jws.payload}.${signed.signature}`
    const parsed = referenceSteps.parse(compact)
    return 'status' in parsed ? undefined : parsed
  } catch {
    return undefined
  }
}

/** Buffer.from skips what is no base64url, so that many texts stand for one token. */
function lenient(compact: string): ReturnType<Steps['parse']> {
  const decode = (segment: string): Uint8Array => Buffer.from(segment, 'base64url')
  const object: ParseParts['object'] = (octets) => {
    try {
      const text = Buffer.from(octets).toString(octets[1] === 0 ? 'utf16le' : 'utf8')
      const value = JSON.parse(text) as JsonObject | null
      return value !== null && typeof value === 'object' ? { text, value } : undefined
    } catch {
      return undefined
    }
  }
  const canonical = compact.split('.').map((segment) => Buffer.from(segment, 'base64url').toString('base64url'))
  return parse({ decode, object })(canonical.join('.'))
}

/** The text without the later ones of members of the same name, for objects that are not nested. */
function firstWins(text: string): string {
  const seen = new Set<string>()
  const members = text.replaceAll(/"([^"\\]+)":("[^"\\]*"|[^,{}[\]]+|\[[^\]]*\])(,?)/gu, (whole, name: string) => {
    if (seen.has(name)) return ''
    seen.add(name)
    return whole
  })
  return members.replaceAll(/,\s*\}/gu, '}')
}

function caseless(claims: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(claims).map(([name, value]) => [name.toLowerCase(), value]))
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map((member) => depthOf(member)))
}
