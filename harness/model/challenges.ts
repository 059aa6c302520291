/** One challenge of WWW-Authenticate; names of scheme and parameters are in lower case. */
export interface Challenge {
  readonly scheme: string
  readonly params: ReadonlyMap<string, string>
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const QUOTED = String.raw`"(?:[^"\\]|\\.)*"`
const WELL_QUOTED = new RegExp(`^(?:[^"]|${QUOTED})*$`, 'u')
const ELEMENT = new RegExp(`(?:[^",]|${QUOTED})+`, 'gu')
const PARAM = new RegExp(`^(${TOKEN})[ \\t]*=[ \\t]*(?:(${TOKEN})|(${QUOTED}))$`, 'u')
const SCHEME = new RegExp(`^(${TOKEN})(?: +(.+))?$`, 'u')
const TOKEN68 = /^[A-Za-z0-9._~+/-]+=*$/u

/** The challenges of WWW-Authenticate lines (RFC 9110 section 11.6.1); a malformed line has none. */
export function parseChallenges(lines: readonly string[]): readonly Challenge[] {
  return lines.flatMap((line) => challengesOf(line) ?? [])
}

function challengesOf(line: string): readonly Challenge[] | undefined {
  if (!WELL_QUOTED.test(line)) return undefined
  const challenges: { readonly scheme: string; readonly params: Map<string, string> }[] = []
  for (const [element] of line.matchAll(ELEMENT)) {
    const text = element.trim()
    if (text === '') continue
    if (takeParam(text, challenges.at(-1)?.params)) continue
    const [, scheme, rest] = SCHEME.exec(text) ?? []
    if (scheme === undefined) return undefined
    const params = new Map<string, string>()
    if (rest !== undefined && !takeParam(rest, params) && !TOKEN68.test(rest)) return undefined
    challenges.push({ scheme: scheme.toLowerCase(), params })
  }
  return challenges
}

/** Adds the parameter that the text is, if it is one; a parameter needs a challenge that it belongs to. */
function takeParam(text: string, params: Map<string, string> | undefined): boolean {
  const [, name, token, quoted] = PARAM.exec(text) ?? []
  if (name === undefined || params === undefined) return false
  params.set(name.toLowerCase(), token ?? (quoted ?? '').slice(1, -1).replaceAll(/\\(.)/gu, '$1'))
  return true
}
