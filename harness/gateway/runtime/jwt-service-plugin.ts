import type { JsonObject } from '../../model/json.ts'
import { nearest } from '../../model/nearest.ts'
import { GATEWAY_ALGORITHMS } from '../settings.ts'
import type { GatewayAlgorithm, JwtServiceSettings } from '../settings.ts'
import { secondsOf } from '../tokens/duration.ts'
import { Misuse } from './misuse.ts'
import { currentScope } from './scope.ts'

/** Options of the JWT service. */
export interface JwtServicePluginOptions {
  readonly basePath?: string
  /** Seconds, or a text such as `5 minutes`. */
  readonly tokenExpiration?: number | string
  readonly algorithm?: GatewayAlgorithm
}

const OPTIONS = ['basePath', 'tokenExpiration', 'algorithm']

/** Claims that the service answers for. */
const RESERVED = ['iss', 'iat', 'exp']

/** What is signed: `expiresIn` in seconds or as a text, other members become claims. */
export interface SignOptions {
  readonly subject: string
  readonly audience: string
  readonly expiresIn?: number | string
  readonly [claim: string]: unknown
}

/** Registers the JWT service: issuer, discovery document and JWKS. By itself it attaches no token to any request. */
export class JwtServicePlugin {
  readonly settings: JwtServiceSettings

  constructor(options: JwtServicePluginOptions = {}) {
    const { basePath = '/__zuplo/issuer', tokenExpiration = 300, algorithm = 'EdDSA' } = options
    const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name))
    if (unknown !== undefined) {
      throw new Misuse(`JwtServicePlugin has no option ${unknown}; it has ${nearest(unknown, OPTIONS)}`)
    }
    if (!/^(?:\/[\w.~-]+)+$/u.test(basePath) || /\/\.{1,2}(?:\/|$)/u.test(basePath)) {
      throw new Misuse('basePath of JwtServicePlugin is a path such as /__zuplo/issuer, without a slash at its end')
    }
    if (!GATEWAY_ALGORITHMS.includes(algorithm)) {
      throw new Misuse(`algorithm of JwtServicePlugin is ${GATEWAY_ALGORITHMS.join(', ')}`)
    }
    const lifetimeSec = secondsOf(tokenExpiration, 'long')
    if (lifetimeSec === undefined) {
      throw new Misuse('tokenExpiration of JwtServicePlugin is seconds as a number, or a text such as 5 minutes')
    }
    this.settings = { basePath, lifetimeSec, algorithm }
  }

  /** A token for an origin, signed by the gateway that handles the request. */
  static signJwt({ subject, audience, expiresIn, ...claims }: SignOptions): Promise<string> {
    const { tokens } = currentScope()
    if (!tokens) throw new Misuse('signJwt needs new JwtServicePlugin() in modules/zuplo.runtime.ts')
    if (![subject, audience].every((one) => typeof one === 'string' && one !== '')) {
      throw new Misuse('signJwt needs a subject and an audience')
    }
    const reserved = RESERVED.find((name) => Object.hasOwn(claims, name))
    if (reserved !== undefined) throw new Misuse(`signJwt sets ${reserved} itself`)
    const lifetimeSec = expiresIn === undefined ? tokens.lifetimeSec : secondsOf(expiresIn, 'long')
    if (lifetimeSec === undefined || lifetimeSec > tokens.longestLifetimeSec) {
      throw new Misuse(`expiresIn of signJwt is 1 second to ${tokens.longestLifetimeSec} seconds`)
    }
    return Promise.resolve(tokens.sign({ ...(claims as JsonObject), sub: subject, aud: audience }, lifetimeSec))
  }
}
