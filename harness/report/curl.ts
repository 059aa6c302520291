import type { HeaderLines } from '../model/http.ts'

/** Headers that curl sets by itself. */
const IMPLIED = new Set(['accept', 'user-agent'])

/** A POSIX shell command that sends the request again; undefined where a shell word cannot hold its octets. */
export function curlLine(request: {
  readonly method: string
  readonly url: string
  readonly headers: HeaderLines
  readonly body?: string
}): string | undefined {
  const words = ['curl', '-i']
  if (request.method !== 'GET' || request.body !== undefined) words.push('-X', request.method)
  for (const [name, value] of request.headers) {
    if (IMPLIED.has(name.toLowerCase())) continue
    // curl drops a header that has no value unless its name ends in a semicolon.
    words.push('-H', value === '' ? `${name};` : `${name}: ${value}`)
  }
  if (request.body !== undefined) words.push('--data-raw', request.body)
  words.push(request.url)
  return words.some((word) => !isPrintable(word)) ? undefined : words.map(quoted).join(' ')
}

function isPrintable(word: string): boolean {
  return /^[\t\u0020-\u007e]*$/u.test(word)
}

function quoted(word: string): string {
  if (/^[\w./:=@%+-]+$/u.test(word)) return word
  // $TOKEN and $API_KEY have to stay outside of single quotes, or the shell would not put them in.
  return word
    .split(/(\$TOKEN|\$API_KEY)/u)
    .map((part, at) => {
      if (at % 2 === 1) return `"${part}"`
      return part === '' ? '' : `'${part.replaceAll("'", String.raw`'\''`)}'`
    })
    .join('')
}
