import type { JsonObject } from '../../model/json.ts'
import { setIncrements } from '../limits/increments.ts'
import { getUsage, setMeters } from '../limits/meters.ts'
import type { Meters } from '../policy.ts'
import { problem, replyOf } from '../reply.ts'
import { GATEWAY_ALGORITHMS } from '../settings.ts'
import type { GatewayAlgorithm, JwtServiceSettings } from '../settings.ts'
import { secondsOf } from '../tokens/duration.ts'
import { requestOf } from './request.ts'
import type { ZuploContext } from './request.ts'
import { currentScope } from './scope.ts'

export { ZuploRequest } from './request.ts'
export type { ZuploContext } from './request.ts'

/** What `runtimeInit` of a project is given. */
export interface RuntimeExtensions {
  readonly addPlugin: (plugin: unknown) => void
}

/** Options of the JWT service. */
export interface JwtServicePluginOptions {
  readonly basePath?: string
  /** Seconds, or a text such as `5 minutes`. */
  readonly tokenExpiration?: number | string
  readonly algorithm?: GatewayAlgorithm
}

const PLUGIN_OPTIONS = ['basePath', 'tokenExpiration', 'algorithm']

/** Registers the JWT service: issuer, discovery document and JWKS. By itself it attaches no token to any request. */
export class JwtServicePlugin {
  readonly settings: JwtServiceSettings

  constructor(options: JwtServicePluginOptions = {}) {
    const { basePath = '/__zuplo/issuer', tokenExpiration = 300, algorithm = 'EdDSA' } = options
    const unknown = Object.keys(options).find((name) => !PLUGIN_OPTIONS.includes(name))
    if (unknown !== undefined) {
      throw new TypeError(`JwtServicePlugin has no option "${unknown}"; it has ${PLUGIN_OPTIONS.join(', ')}`)
    }
    if (!/^(?:\/[\w.~-]+)+$/u.test(basePath)) {
      throw new TypeError(
        'basePath of JwtServicePlugin is a path such as "/__zuplo/issuer", without a slash at its end',
      )
    }
    if (!GATEWAY_ALGORITHMS.includes(algorithm)) {
      throw new TypeError(`algorithm of JwtServicePlugin is one of ${GATEWAY_ALGORITHMS.join(', ')}`)
    }
    const lifetimeSec = secondsOf(tokenExpiration, 'long')
    if (lifetimeSec === undefined) {
      throw new TypeError('tokenExpiration of JwtServicePlugin is seconds as a number, or a text such as "5 minutes"')
    }
    this.settings = { basePath, lifetimeSec, algorithm }
  }

  /** A token for an origin, signed by the gateway; `expiresIn` in seconds or as a text, other members are claims. */
  static signJwt({
    subject,
    audience,
    expiresIn,
    ...claims
  }: {
    readonly subject: string
    readonly audience: string
    readonly expiresIn?: number | string
    readonly [claim: string]: unknown
  }): Promise<string> {
    const { tokens } = currentScope('JwtServicePlugin.signJwt')
    if (!tokens) throw new Error('JwtServicePlugin.signJwt needs the plugin: register it in modules/zuplo.runtime.ts')
    const lifetimeSec = expiresIn === undefined ? tokens.lifetimeSec : secondsOf(expiresIn, 'long')
    if (lifetimeSec === undefined || lifetimeSec > tokens.longestLifetimeSec) {
      throw new RangeError(`expiresIn of signJwt is at most ${tokens.longestLifetimeSec} seconds`)
    }
    const own = Object.fromEntries(Object.entries(claims).filter(([name]) => !['iss', 'iat', 'exp'].includes(name)))
    return Promise.resolve(tokens.sign({ ...(own as JsonObject), sub: subject, aud: audience }, lifetimeSec))
  }
}

/** Variables of the environment. */
export const environment: Readonly<Record<string, string | undefined>> = process.env

/** Refusals in the form of the gateway's own. */
function refusal(status: number) {
  return (_request: Request, context: ZuploContext, overrides: { readonly detail?: string } = {}): Response => {
    const request = requestOf(context)
    const given = { instance: request.path, requestId: request.id, nowMs: Date.now() }
    const { body, headers } = replyOf(problem(status, overrides), given)
    return new Response(body, { status, headers: headers.map(([name, value]): [string, string] => [name, value]) })
  }
}

/** Answers of a policy that lets nobody through. */
export const HttpProblems = {
  badRequest: refusal(400),
  unauthorized: refusal(401),
  forbidden: refusal(403),
  notFound: refusal(404),
  conflict: refusal(409),
  tooManyRequests: refusal(429),
  internalServerError: refusal(500),
  serviceUnavailable: refusal(503),
} as const

/** What custom code can tell complex rate limits. */
export const ComplexRateLimitInboundPolicy = {
  /** What the request adds to named limits in place of 1. */
  setIncrements(context: ZuploContext, increments: Readonly<Record<string, number>>): void {
    setIncrements(requestOf(context), increments)
  },
} as const

/** What custom code can tell and ask quotas. */
export const QuotaInboundPolicy = {
  /** What the request adds to meters besides itself. */
  setMeters(context: ZuploContext, meters: Meters): void {
    setMeters(requestOf(context), meters)
  },
  /** Use of the period by the caller, as the policy of that name counted it. */
  getUsage: (context: ZuploContext, policyName: string) => getUsage(requestOf(context), policyName),
} as const
