import { settableHeader } from '../policies/settable-header.ts'
import { urlOf } from '../request.ts'
import type { GatewayRequest, User } from '../request.ts'
import { isObject } from '../config/wrong.ts'
import { Misuse } from './misuse.ts'

const NO_BODY = 'The body of a request streams through the gateway: a policy can neither read nor replace it'

const BODY_READERS = ['text', 'json', 'arrayBuffer', 'bytes', 'formData', 'blob'] as const

/** What a request can be made with besides what the Fetch standard has. */
export interface ZuploRequestInit extends RequestInit {
  readonly user?: User
  readonly params?: Readonly<Record<string, string>>
}

/** A request as the code of a project sees it. Its body streams past and cannot be read. */
export class ZuploRequest extends Request {
  user: User | undefined
  readonly params: Readonly<Record<string, string>>

  constructor(input: string | URL | Request, init: ZuploRequestInit = {}) {
    const { user, params, ...rest } = init
    if (rest.body !== undefined && rest.body !== null) throw new Misuse(NO_BODY)
    super(input, rest)
    const from = input instanceof ZuploRequest ? input : undefined
    this.user = user ?? from?.user
    this.params = params ?? from?.params ?? {}
    const unread = { value: () => Promise.reject(new Misuse(NO_BODY)) }
    const get = (): never => {
      throw new Misuse(NO_BODY)
    }
    Object.defineProperties(this, {
      body: { get },
      clone: { value: () => new ZuploRequest(this) },
      ...Object.fromEntries(BODY_READERS.map((name) => [name, unread])),
    })
  }

  /** The last value of each name. */
  get query(): Readonly<Record<string, string>> {
    return Object.fromEntries(new URL(this.url).searchParams)
  }
}

/** The request as the code of a project sees it: a copy, so that what it changes counts where it is taken over alone. */
export function zuploRequest(request: GatewayRequest): ZuploRequest {
  const { headers, method, params, user } = request
  const lines: [string, string][] = []
  for (let at = 0; at < headers.lines.length; at += 2) {
    lines.push([headers.lines[at] ?? '', headers.lines[at + 1] ?? ''])
  }
  return new ZuploRequest(urlOf(request), {
    method,
    headers: lines,
    params: { ...params },
    // The consumer's data are those of the key store: to change them would change them for everybody.
    ...(user ? { user: structuredClone(user) } : {}),
  })
}

/**
 * Takes over what the code changed: header lines, the query, the user. What it left alone keeps its octets and its
 * order. `given` is the request that it was called with, `before` a copy of its headers.
 */
export function takeOver(request: GatewayRequest, given: ZuploRequest, before: Headers, after: Request): void {
  takeUrl(request, given, after)
  for (const [name, value] of after.headers) {
    if (before.get(name) === value) continue
    const due = settableHeader(name)
    if (due !== undefined) throw new Misuse(`A policy changed the header ${name}, which is not its to set`)
    request.headers.set(name, value)
  }
  for (const name of before.keys()) {
    if (!after.headers.has(name) && settableHeader(name) === undefined) request.headers.remove(name)
  }
  if (after instanceof ZuploRequest) request.user = userOf(after.user)
}

function takeUrl(request: GatewayRequest, given: ZuploRequest, after: Request): void {
  if (!(after instanceof ZuploRequest) && after.body !== null) throw new Misuse(NO_BODY)
  if (after.method !== given.method) throw new Misuse('A policy changed the method of a request')
  if (after.url === given.url) return
  const [from, to] = [new URL(given.url), new URL(after.url)]
  if (from.origin !== to.origin || from.pathname !== to.pathname) {
    throw new Misuse('A policy changed the path of a request: where it goes is for the handler of the route to say')
  }
  request.search = to.search
}

/** What the code says of the caller, if an origin can be told it. */
function userOf(user: unknown): User | undefined {
  if (user === undefined || user === null) return undefined
  if (!isObject(user) || typeof user['sub'] !== 'string' || user['sub'] === '') {
    throw new Misuse('A policy set a user without a sub')
  }
  const { sub, data = {} } = user
  if (!isObject(data)) throw new Misuse('A policy set a user whose data are no object')
  return { ...user, sub, data } as User
}
