import type { GatewayRequest, User } from '../request.ts'
import type { Verdict } from '../reply.ts'
import { currentScope } from './scope.ts'

const NO_BODY = 'The body of a request streams through the gateway: a policy cannot read it'

/** A request as the code of a project sees it. Its body streams past and cannot be read. */
export class ZuploRequest extends Request {
  user: User | undefined
  readonly params: Readonly<Record<string, string>>

  constructor(
    input: string | URL | Request,
    init: RequestInit & { user?: User; params?: Readonly<Record<string, string>> } = {},
  ) {
    const { user, params, ...rest } = init
    super(input, rest)
    const from = input instanceof ZuploRequest ? input : undefined
    this.user = user ?? from?.user
    this.params = params ?? from?.params ?? {}
    const unreadable = { value: () => Promise.reject(new Error(NO_BODY)) }
    const get = (): never => {
      throw new Error(NO_BODY)
    }
    Object.defineProperties(this, {
      body: { get },
      text: unreadable,
      json: unreadable,
      arrayBuffer: unreadable,
      bytes: unreadable,
      formData: unreadable,
      blob: unreadable,
    })
  }

  get query(): Readonly<Record<string, string>> {
    return Object.fromEntries(new URL(this.url).searchParams)
  }
}

/** What the code of a project is told besides the request. */
export interface ZuploContext {
  readonly requestId: string
  readonly log: Readonly<Record<'debug' | 'info' | 'warn' | 'error', (...what: readonly unknown[]) => void>>
  /** For whatever policies of one request tell each other. */
  readonly custom: Record<string, unknown>
  /** Lets work go on behind the answer. */
  readonly waitUntil: (work: Promise<unknown>) => void
}

const contexts = new WeakMap<GatewayRequest, ZuploContext>()
const byContext = new WeakMap<ZuploContext, GatewayRequest>()

/** The request as the code of a project sees it. */
export function zuploRequest(request: GatewayRequest): ZuploRequest {
  const { headers, url, method, params, user } = request
  const lines: [string, string][] = []
  for (let at = 0; at < headers.lines.length; at += 2)
    lines.push([headers.lines[at] ?? '', headers.lines[at + 1] ?? ''])
  return new ZuploRequest(url, { method, headers: lines, params, ...(user ? { user } : {}) })
}

/** The context of the request: the same for all policies that it passes. */
export function zuploContext(request: GatewayRequest): ZuploContext {
  const known = contexts.get(request)
  if (known) return known
  const { report } = currentScope('The context')
  const log =
    (level: string) =>
    (...what: readonly unknown[]) => {
      report({ event: 'project-log', level, requestId: request.id, message: what.map(String).join(' ') })
    }
  const context: ZuploContext = {
    requestId: request.id,
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    custom: {},
    waitUntil(work) {
      work.catch(() => {
        report({ event: 'project-work-failed', requestId: request.id })
      })
    },
  }
  contexts.set(request, context)
  byContext.set(context, request)
  return context
}

/** The request that a context belongs to. */
export function requestOf(context: ZuploContext): GatewayRequest {
  const request = byContext.get(context)
  if (request) return request
  throw new TypeError('This is no context of the gateway')
}

/** Takes over what the code changed of a request: header lines and the user; what it left alone keeps its octets. */
export function takeOver(request: GatewayRequest, before: Headers, after: Request): void {
  for (const [name, value] of after.headers) {
    if (before.get(name) !== value) request.headers.set(name, value)
  }
  for (const name of before.keys()) {
    if (!after.headers.has(name)) request.headers.remove(name)
  }
  if (after instanceof ZuploRequest) request.user = after.user
}

/** An answer of the code, as the gateway gives it. */
export async function verdictOf(response: Response): Promise<Verdict> {
  return { status: response.status, headers: [...response.headers], body: await response.text() }
}
