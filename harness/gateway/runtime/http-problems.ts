import { STATUS_CODES } from 'node:http'
import { problem, replyOf } from '../reply.ts'
import { requestOf } from './context.ts'
import type { ZuploContext } from './context.ts'
import { currentScope } from './scope.ts'

/** Members of a problem that take the place of the default ones, and any others besides. */
export interface ProblemOverrides {
  readonly type?: string
  readonly title?: string
  readonly detail?: string
  readonly instance?: string
  readonly [extension: string]: unknown
}

/** Answers in the form of the gateway's own refusals. */
type ProblemAnswer = (
  request: Request,
  context: ZuploContext,
  overrides?: ProblemOverrides,
  headers?: ConstructorParameters<typeof Headers>[0],
) => Promise<Response>

/** Titles that Node has by another name than the registry of statuses (RFC 9110 section 15). */
const TITLES: Readonly<Record<string, string>> = { 413: 'Content Too Large', 422: 'Unprocessable Content' }

/** Statuses that a policy may answer with: no interim ones, and none that is no longer in use. */
const STATUSES = Object.entries(STATUS_CODES)
  .map(([status, title]) => [Number(status), TITLES[status] ?? title ?? ''] as const)
  .filter(([status]) => status >= 200 && ![305, 306, 509].includes(status))

/** Statuses whose answers have no body (RFC 9110 section 6.4.1). */
const BODILESS = new Set([204, 205, 304])

function wordsOf(title: string): readonly string[] {
  return title
    .replace("'", '')
    .toLowerCase()
    .split(/[^a-z]+/u)
}

function pascal(words: readonly string[]): string {
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}

function answer(status: number, title: string): ProblemAnswer {
  return (_request, context, overrides = {}, headers = {}) => {
    const { path, id } = requestOf(context)
    const { clock } = currentScope()
    const reply = replyOf(problem(status), { instance: path, requestId: id, nowMs: clock.nowMs() })
    const body = JSON.stringify({ ...(JSON.parse(reply.body) as object), title, ...overrides, status })
    const lines = reply.headers.map(([name, value]): [string, string] => [name, value])
    const response = new Response(BODILESS.has(status) ? null : body, { status, headers: lines })
    new Headers(headers).forEach((value, name) => {
      response.headers.set(name, value)
    })
    return Promise.resolve(response)
  }
}

/** One function for each status, such as `HttpProblems.forbidden(request, context, { detail })`. */
export const HttpProblems: Readonly<Record<string, ProblemAnswer>> = Object.freeze(
  Object.fromEntries(
    STATUSES.map(([status, title]) => {
      const name = pascal(wordsOf(title))
      return [name.charAt(0).toLowerCase() + name.slice(1), answer(status, title)]
    }),
  ),
)

/** Statuses by name, both as `NotFound` and as `NOT_FOUND`. */
export const HttpStatusCode: Readonly<Record<string, number>> = Object.freeze(
  Object.fromEntries(
    STATUSES.flatMap(([status, title]) => {
      const words = wordsOf(title)
      return [
        [pascal(words), status],
        [words.join('_').toUpperCase(), status],
      ]
    }),
  ),
)
