import type { Answer, HeaderLines } from '../model/http.ts'
import type { Evidence } from '../model/result.ts'
import { curlLine } from './curl.ts'

/** Characters of an answer's body that a report holds. */
const BODY_LIMIT = 500

/** The text without the user's credentials: `$TOKEN` for the whole, `$TOKEN_PART` for a segment. */
export function redact(text: string, secrets: readonly string[]): string {
  const [whole, ...parts] = secrets
  let clean = whole === undefined ? text : text.replaceAll(whole, '$TOKEN')
  for (const part of parts) clean = clean.replaceAll(part, '$TOKEN_PART')
  return clean
}

/** The one place where an exchange becomes evidence: cut, and free of what the user gave. */
export function formatEvidence(input: {
  readonly method: string
  readonly url: string
  readonly headers: HeaderLines
  readonly requestBody?: string
  readonly answer: Answer
  /** The user's token first, then its segments. */
  readonly secrets: readonly string[]
}): Evidence {
  const clean = (text: string): string => redact(text, input.secrets)
  const lines = (headers: HeaderLines): HeaderLines => headers.map(([name, value]) => [name, clean(value)])
  const url = clean(input.url)
  const requestHeaders = lines(input.headers)
  const body = input.requestBody === undefined ? {} : { body: clean(input.requestBody) }
  const curl = curlLine({ method: input.method, url, headers: requestHeaders, ...body })
  const { answer } = input
  return {
    method: input.method,
    url,
    requestHeaders,
    status: answer.status,
    responseHeaders: lines(answer.headers),
    responseBody: clean(answer.body).slice(0, BODY_LIMIT),
    ...(answer.failure ? { failure: answer.failure } : {}),
    ...(curl === undefined ? {} : { curl }),
  }
}
