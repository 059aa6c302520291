import type { Answer } from '../../harness/model/http.ts'
import type { Json } from '../../harness/model/json.ts'

/** Octets at which bodies of answers are cut. */
const BODY_LIMIT = 64 * 1024

const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)'
const MONTH = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)'
const TIME = String.raw`\d{2}:\d{2}:\d{2}`

/** The three forms of HTTP-date (RFC 9110 section 5.6.7). */
const DATES = [
  String.raw`${DAY}, \d{2} ${MONTH} \d{4} ${TIME} GMT`,
  String.raw`(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, \d{2}-${MONTH}-\d{2} ${TIME} GMT`,
  String.raw`${DAY} ${MONTH} (?: \d|\d{2}) ${TIME} \d{4}`,
].map((form) => new RegExp(`^${form}$`, 'u'))

/** Seconds that a Retry-After asks to wait for, at a moment in seconds since the epoch; undefined where it is malformed. */
export function retryAfterSec(value: string, nowSec: number): number | undefined {
  if (/^\d+$/u.test(value)) return Number(value)
  if (!DATES.some((form) => form.test(value))) return undefined
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil(date / 1000 - nowSec))
}

/** What is wrong with the Retry-After of an answer (RFC 9110 section 10.2.3); judged only where there is one. */
export function wrongRetryAfter(answer: Pick<Answer, 'header'>): string | undefined {
  const values = answer.header('Retry-After')
  if (values.length > 1) return `${values.length} lines of Retry-After`
  const [value] = values
  if (value === undefined || retryAfterSec(value, 0) !== undefined) return undefined
  return `Retry-After: ${value.slice(0, 60)}`
}

/** Whether a text is a URI reference as far as characters go (RFC 3986 section 4.1). */
const URI_REFERENCE = /^(?:[\w.~!$&'()*+,;=:@/?#[\]-]|%[\da-f]{2})*$/iu

/** What is wrong with a body of application/problem+json (RFC 9457 section 3.1). */
export function wrongProblem(answer: Pick<Answer, 'header' | 'body' | 'status'>): string | undefined {
  const [type = ''] = answer.header('Content-Type')
  // No body is no problem: HEAD has none.
  if (!/^application\/problem\+json\b/iu.test(type) || answer.body === '' || answer.body.length >= BODY_LIMIT)
    return undefined
  let problem: Json
  try {
    problem = JSON.parse(answer.body) as Json
  } catch {
    return 'application/problem+json that is no JSON'
  }
  if (typeof problem !== 'object' || problem === null || Array.isArray(problem))
    return 'application/problem+json that is no object'
  const { type: kind, status, 'violated-policies': violated } = problem as Readonly<Record<string, Json | undefined>>
  if (status !== undefined && status !== answer.status)
    return `status ${JSON.stringify(status).slice(0, 20)} in an answer with ${answer.status}`
  if (kind !== undefined && !(typeof kind === 'string' && URI_REFERENCE.test(kind)))
    return 'a type that is no URI reference'
  const isList = Array.isArray(violated) && violated.every((policy) => typeof policy === 'string')
  return violated === undefined || isList ? undefined : 'violated-policies that is no list of strings'
}
