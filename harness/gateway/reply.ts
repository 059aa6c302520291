import type { HeaderLines } from '../model/http.ts'

/** An answer that the gateway gives itself. */
export interface Reply {
  readonly status: number
  readonly headers: HeaderLines
  /** Empty for none. */
  readonly body: string
  /** Closes the connection behind it: what follows on it cannot be trusted to be a request of its own. */
  readonly close?: boolean
}

/** Member names and values of a problem besides type, title and status (RFC 9457 section 3). */
export interface ProblemDetails {
  readonly detail?: string
  readonly headers?: HeaderLines
  readonly close?: boolean
}

/** A refusal by status; what its body says beyond the status is added where the request is known. */
export interface Problem extends ProblemDetails {
  readonly problem: number
}

/** What a policy may answer in place of the origin. */
export type Verdict = Reply | Problem

/** A refusal of the gateway, written out as application/problem+json once the request is known. */
export function problem(status: number, details: ProblemDetails = {}): Problem {
  return { problem: status, ...details }
}

/** Titles of the statuses that the gateway gives itself (RFC 9110 section 15, RFC 6585). */
const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  411: 'Length Required',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  426: 'Upgrade Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
}

/** What the body of a problem tells of the request. */
export interface ProblemContext {
  /** Path of the request, without its query: a key may stand there. */
  readonly instance: string
  readonly requestId: string
  readonly nowMs: number
}

/** Writes a problem out (RFC 9457); no cache may keep it. */
export function replyOf({ problem: status, detail, headers = [], close }: Problem, context: ProblemContext): Reply {
  const body = JSON.stringify({
    type: `https://httpproblems.com/http-status/${status}`,
    title: TITLES[status] ?? 'Error',
    status,
    ...(detail === undefined ? {} : { detail }),
    instance: context.instance,
    trace: { timestamp: new Date(context.nowMs).toISOString(), requestId: context.requestId },
  })
  return {
    status,
    headers: [['Content-Type', 'application/problem+json'], ['Cache-Control', 'no-store'], ...headers],
    body,
    ...(close === undefined ? {} : { close }),
  }
}

/** A JSON answer that no cache may keep. */
export function jsonReply(status: number, value: unknown, headers: HeaderLines = []): Reply {
  return {
    status,
    headers: [['Content-Type', 'application/json'], ['Cache-Control', 'no-store'], ...headers],
    body: JSON.stringify(value),
  }
}
