import type { Answer, HeaderLines } from '../model/http.ts'
import type { Evidence } from '../model/result.ts'
import { curlLine } from './curl.ts'

/** Characters of an answer's body that a report holds. */
const BODY_LIMIT = 500

/** An exchange as evidence, with the body of the answer cut. Whoever calls has taken out what must not be read in it. */
export function formatEvidence(input: {
  readonly method: string
  readonly url: string
  readonly headers: HeaderLines
  readonly requestBody?: string
  readonly answer: Answer
}): Evidence {
  const { method, url, headers, requestBody, answer } = input
  const curl = curlLine({ method, url, headers, ...(requestBody === undefined ? {} : { body: requestBody }) })
  return {
    method,
    url,
    requestHeaders: headers,
    status: answer.status,
    responseHeaders: answer.headers,
    responseBody: answer.body.slice(0, BODY_LIMIT),
    ...(answer.failure ? { failure: answer.failure } : {}),
    ...(curl === undefined ? {} : { curl }),
  }
}
