import { createPrivateKey, randomUUID } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Clock } from '../../clock/clock.ts'
import { base64url } from '../../model/compact.ts'
import { TrustspecError } from '../../model/errors.ts'
import { signatureOf } from '../../signing/jws.ts'
import type { Headers } from '../headers.ts'
import type { OperatorEvent, TokenService } from '../policy.ts'
import type { Verdict } from '../reply.ts'
import type { JwtServiceSettings } from '../settings.ts'
import { createEndpoints } from './endpoints.ts'
import { publishedKeys, signingKey } from './ring.ts'
import type { RingKey, RingTimes } from './ring.ts'
import { keepRing } from './ring-keeper.ts'
import type { RingKeeper } from './ring-keeper.ts'
import type { RingStore } from './ring-store.ts'

/** What a JWT service is made with. */
export interface JwtServiceOptions {
  readonly settings: JwtServiceSettings
  /** `https://api.example.com`, without a slash at its end. */
  readonly publicUrl: string
  readonly clock: Clock
  /** Whoever opened it closes it. */
  readonly store: RingStore
  readonly report: (event: OperatorEvent) => void
  readonly times?: Partial<RingTimes>
}

/** Mints gateway tokens, publishes the keys to them and keeps the keys fresh. */
export interface JwtService extends TokenService, AsyncDisposable, Pick<RingKeeper, 'rotate' | 'revoke'> {
  /** Discovery document and JWKS; undefined where the path is not theirs. */
  readonly answer: (path: string, method: string, headers: Headers) => Verdict | undefined
}

const DAY_SEC = 86_400

const DEFAULT_TIMES: RingTimes = { maxAgeSec: 300, longestLifetimeSec: DAY_SEC, rotateEverySec: 30 * DAY_SEC }

/**
 * Starts the service: its keys are there when this resolves. Throws ERR_GATEWAY_PROJECT where tokens would live
 * longer than their keys are published.
 */
export async function startJwtService(options: JwtServiceOptions): Promise<JwtService> {
  const { settings, publicUrl, clock, store, report } = options
  const { basePath, lifetimeSec, algorithm } = settings
  const times = { ...DEFAULT_TIMES, ...options.times }
  const { maxAgeSec, longestLifetimeSec } = times
  if (lifetimeSec > longestLifetimeSec) throw outlives(lifetimeSec, longestLifetimeSec)
  const issuer = `${publicUrl}${basePath}`
  const { ring, generation, rotate, revoke, ...keeper } = await keepRing({ algorithm, times, clock, store, report })
  const signerOf = signers()
  return {
    issuer,
    lifetimeSec,
    longestLifetimeSec,
    generation,
    sign(claims, seconds) {
      const nowMs = clock.nowMs()
      const signing = signingKey(ring(), times, nowMs)
      if (!signing) throw new TrustspecError('ERR_HARNESS', 'No key can sign')
      const { privateKey, header } = signerOf(signing)
      const iat = Math.floor(nowMs / 1000)
      const full = { iss: issuer, iat, exp: iat + seconds, jti: randomUUID(), ...claims }
      const input = `${header}${base64url(JSON.stringify(full))}`
      return `${input}.${base64url(signatureOf(privateKey, signing.alg, Buffer.from(input, 'latin1')))}`
    },
    answer: createEndpoints({
      issuer,
      basePath,
      maxAgeSec,
      published: () => publishedKeys(ring(), times, clock.nowMs()),
    }),
    rotate,
    revoke,
    [Symbol.asyncDispose]() {
      keeper[Symbol.dispose]()
      return Promise.resolve()
    },
  }
}

function outlives(lifetimeSec: number, longestSec: number): TrustspecError {
  return new TrustspecError('ERR_GATEWAY_PROJECT', 'Tokens would live longer than their keys are published', {
    option: 'tokenExpiration',
    given: `${lifetimeSec} s`,
    instead: `at most ${longestSec} s`,
  })
}

interface Signer {
  readonly privateKey: KeyObject
  /** Encoded header with its dot. */
  readonly header: string
}

/** The signer of a key; the last one is kept, since hardly ever another one follows. */
function signers(): (key: RingKey) => Signer {
  let kept: (Signer & { readonly kid: string }) | undefined
  return ({ kid, alg, jwk }) => {
    if (kept?.kid === kid) return kept
    const header = `${base64url(JSON.stringify({ alg, kid, typ: 'JWT' }))}.`
    kept = { kid, header, privateKey: createPrivateKey({ key: jwk, format: 'jwk' }) }
    return kept
  }
}
