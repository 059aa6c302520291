import type { GatewayRequest } from '../request.ts'

/**
 * Takes the key out of everything of the request that goes to the origin, wherever the caller put it as well: header
 * lines, cookies, query parameters. What is left keeps its octets and its order. The body is not read for it.
 */
export function withoutKey(request: GatewayRequest, key: string): void {
  if (holdsKey(request.headers.lines, key)) {
    const lowered = key.toLowerCase()
    request.headers.map((name, value) => {
      if (name.includes(lowered)) return undefined
      if (!holds(value, key)) return value
      return name === 'cookie' ? cookiesWithout(value, key) : undefined
    })
  }
  if (request.search !== '') request.search = searchWithout(request.search, key)
}

/** Whether any line holds the key; a shorter one cannot, as nearly all are. */
function holdsKey(lines: readonly string[], key: string): boolean {
  for (const line of lines) if (line.length >= key.length && holds(line, key)) return true
  return false
}

/** Whether a text holds the key, also percent-encoded: origins decode cookies, and what a Referer says of a query. */
function holds(text: string, key: string): boolean {
  return text.includes(key) || (text.includes('%') && decoded(text).includes(key))
}

/** The query without the parameters whose value or name is or holds the key, also percent-encoded. */
export function searchWithout(search: string, key: string): string {
  if (!search.includes('%') && !search.includes(key)) return search
  const rest = search
    .slice(1)
    .split('&')
    .filter((pair) => !holds(pair, key))
  return rest.length === 0 ? '' : `?${rest.join('&')}`
}

function cookiesWithout(value: string, key: string): string | undefined {
  const rest = value.split(';').filter((pair) => !holds(pair, key))
  // The space behind a semicolon that is no longer there goes with it.
  return rest.length === 0 ? undefined : rest.join(';').trimStart()
}

/** Text with every valid percent-encoding decoded; `+` stays, since a key may hold one, and no key a space. */
function decoded(text: string): string {
  return text.replaceAll(/%[\da-f]{2}/giu, (octet) => String.fromCharCode(Number.parseInt(octet.slice(1), 16)))
}
