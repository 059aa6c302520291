import type { GatewayRequest } from '../request.ts'
import { Misuse } from './misuse.ts'
import { currentScope } from './scope.ts'

/** Levels of the log of a project. */
const LEVELS = ['debug', 'info', 'warn', 'error'] as const

/** What the documented context can do and this one cannot. */
const ABSENT = [
  'invokeInboundPolicy',
  'invokeOutboundPolicy',
  'invokeRoute',
  'addResponseSendingHook',
  'addResponseSendingFinalHook',
  'addEventListener',
] as const

/** What the code of a project is told besides the request. */
export interface ZuploContext {
  readonly requestId: string
  readonly contextId: string
  /** The route as the project declares it. */
  readonly route: { readonly path: string; readonly methods: readonly string[] }
  readonly log: Readonly<Record<(typeof LEVELS)[number], (...what: readonly unknown[]) => void>>
  /** For whatever policies of one request tell each other. */
  readonly custom: Record<string, unknown>
  /** Lets work go on behind the answer. */
  readonly waitUntil: (work: Promise<unknown>) => void
}

const contexts = new WeakMap<GatewayRequest, ZuploContext>()
const requests = new WeakMap<ZuploContext, GatewayRequest>()

/** The context of the request: the same for all policies that it passes. */
export function zuploContext(request: GatewayRequest): ZuploContext {
  const known = contexts.get(request)
  if (known) return known
  const { report } = currentScope()
  const { id, route } = request
  const log = Object.fromEntries(
    LEVELS.map((level) => [
      level,
      (...what: readonly unknown[]) => {
        report({ event: 'project-log', level, requestId: id, message: what.map(written).join(' ') })
      },
    ]),
  ) as ZuploContext['log']
  const absent = ABSENT.map((name) => [
    name,
    () => {
      throw new Misuse(`The gateway has no context.${name}`)
    },
  ])
  const context: ZuploContext = {
    ...Object.fromEntries(absent),
    requestId: id,
    contextId: id,
    route: { path: route, methods: [request.method] },
    log,
    custom: {},
    waitUntil(work) {
      work.catch(() => {
        report({ event: 'project-work-failed', requestId: id })
      })
    },
  }
  contexts.set(request, context)
  requests.set(context, request)
  return context
}

/** The request that a context belongs to. */
export function requestOf(context: ZuploContext): GatewayRequest {
  const request = requests.get(context)
  if (request) return request
  throw new Misuse('This is no context of the gateway')
}

/** What policies left in `context.custom`; undefined where no code ran. */
export function customOf(request: GatewayRequest): Readonly<Record<string, unknown>> | undefined {
  return contexts.get(request)?.custom
}

function written(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Error) return `${value.name}: ${value.message}`
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return String(value)
  }
}
