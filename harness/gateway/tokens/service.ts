import { createHash, createPrivateKey, randomUUID } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Clock } from '../../clock/clock.ts'
import { base64url } from '../../model/compact.ts'
import { TrustspecError } from '../../model/errors.ts'
import { publicMembersOf, signatureOf } from '../../signing/jws.ts'
import type { Headers } from '../headers.ts'
import type { OperatorEvent, TokenService } from '../policy.ts'
import { problem } from '../reply.ts'
import type { Verdict } from '../reply.ts'
import type { JwtServiceSettings } from '../settings.ts'
import { activeKey, maintained, newRing, publishedKeys, revoked, rotated } from './ring.ts'
import type { Ring, RingKey, RingTimes } from './ring.ts'
import type { RingStore } from './ring-store.ts'

/** What a JWT service is made with. */
export interface JwtServiceOptions {
  readonly settings: JwtServiceSettings
  /** `https://api.example.com`, without a slash at its end. */
  readonly publicUrl: string
  readonly clock: Clock
  readonly store: RingStore
  readonly report: (event: OperatorEvent) => void
  readonly times?: Partial<RingTimes>
}

/** Mints gateway tokens, publishes the keys to them and keeps the keys fresh. */
export interface JwtService extends TokenService, AsyncDisposable {
  /** Discovery document and JWKS; undefined where the path is not theirs. */
  readonly answer: (path: string, method: string, headers: Headers) => Verdict | undefined
  /** Begins a rotation; gives the kid that takes over, and when (milliseconds since the epoch). */
  readonly rotate: () => Promise<{ readonly kid: string; readonly activeMs: number }>
  /** Takes a key away at once; false when there is none of that kid. */
  readonly revoke: (kid: string) => Promise<boolean>
}

const DEFAULT_TIMES: RingTimes = { maxAgeSec: 300, longestLifetimeSec: 3_600, rotateEverySec: 30 * 86_400 }

/** Milliseconds between two looks whether a rotation is due. */
const MAINTENANCE_MS = 60_000

interface Signer {
  readonly key: RingKey
  readonly privateKey: KeyObject
  /** Encoded header with its dot. */
  readonly header: string
}

interface Document {
  readonly body: string
  readonly etag: string
}

/** Starts the service: its keys are there when this resolves. */
export async function startJwtService(options: JwtServiceOptions): Promise<JwtService> {
  const { settings, publicUrl, clock, store, report } = options
  const times = { ...DEFAULT_TIMES, ...options.times }
  const issuer = `${publicUrl}${settings.basePath}`
  const { algorithm } = settings
  const maintain = (ring: Ring | undefined): Ring =>
    ring ? maintained(ring, algorithm, times, clock.nowMs()) : newRing(algorithm, clock.nowMs())
  let ring = await store.update(maintain)
  let generation = 0
  let revocations = countRevoked(ring)
  const signers = new Map<string, Signer>()

  const adopt = (next: Ring): void => {
    ring = next
    const count = countRevoked(next)
    // Tokens of a revoked key that are still kept somewhere must not go out.
    if (count !== revocations) generation += 1
    revocations = count
  }
  const adoptStored = (): void => {
    store.read().then(
      (next) => {
        if (next) adopt(next)
      },
      () => {
        report({ event: 'signing-key-store-down' })
      },
    )
  }
  store.watch(adoptStored)
  const timer = setInterval(() => {
    store.update(maintain).then(adopt, () => {
      report({ event: 'signing-key-store-down' })
    })
  }, MAINTENANCE_MS)
  timer.unref()

  const signer = (): Signer => {
    const key = activeKey(ring, clock.nowMs())
    if (!key) throw new TrustspecError('ERR_HARNESS', 'No key can sign')
    let made = signers.get(key.kid)
    if (!made) {
      const header = base64url(JSON.stringify({ alg: key.alg, kid: key.kid, typ: 'JWT' }))
      made = { key, privateKey: createPrivateKey({ key: key.jwk, format: 'jwk' }), header: `${header}.` }
      signers.set(key.kid, made)
    }
    return made
  }

  const documents = jwksDocuments(times)
  const metadata = documentOf({
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [algorithm],
  })

  return {
    issuer,
    lifetimeSec: settings.lifetimeSec,
    longestLifetimeSec: times.longestLifetimeSec,
    generation: () => generation,
    sign(claims, lifetimeSec) {
      const { key, privateKey, header } = signer()
      const iat = Math.floor(clock.nowMs() / 1000)
      const full = { iss: issuer, iat, exp: iat + lifetimeSec, jti: randomUUID(), ...claims }
      const input = `${header}${base64url(JSON.stringify(full))}`
      return `${input}.${base64url(signatureOf(privateKey, key.alg, Buffer.from(input, 'latin1')))}`
    },
    answer(path, method, headers) {
      if (!path.startsWith(settings.basePath)) return undefined
      const name = path.slice(settings.basePath.length)
      const document =
        name === '/.well-known/openid-configuration'
          ? metadata
          : name === '/.well-known/jwks.json'
            ? documents(ring, clock.nowMs())
            : undefined
      if (!document) return undefined
      if (method !== 'GET' && method !== 'HEAD') return problem(405, { headers: [['Allow', 'GET, HEAD']] })
      const lines = [
        ['Cache-Control', `public, max-age=${times.maxAgeSec}`],
        ['ETag', document.etag],
      ] as const
      const known = headers.get('if-none-match')
      // RFC 9110 section 13.1.2: a list, or any.
      if (known !== undefined && (known.trim() === '*' || known.includes(document.etag))) {
        return { status: 304, headers: lines, body: '' }
      }
      return { status: 200, headers: [['Content-Type', 'application/json'], ...lines], body: document.body }
    },
    async rotate() {
      const begun = await store.update((held) => rotated(maintain(held), algorithm, times, clock.nowMs()))
      adopt(begun)
      const taking = begun.keys.findLast(({ activeMs }) => activeMs !== undefined)
      const { kid = '', activeMs = 0 } = taking ?? {}
      report({ event: 'signing-key-rotation', kid, activeFrom: new Date(activeMs).toISOString() })
      return { kid, activeMs }
    },
    async revoke(kid) {
      let found = false
      const change = (held: Ring | undefined): Ring => {
        const current = held ?? ring
        found = current.keys.some((key) => key.kid === kid && key.revokedMs === undefined)
        return found ? revoked(current, kid, algorithm, clock.nowMs()) : current
      }
      // At once here, before anything is written: a key that is known to others signs nothing more.
      adopt(change(ring))
      adopt(await store.update(change))
      report({ event: 'signing-key-revoked', kid })
      return found || ring.keys.some((key) => key.kid === kid)
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await store[Symbol.asyncDispose]()
    },
  }
}

function countRevoked({ keys }: Ring): number {
  return keys.filter(({ revokedMs }) => revokedMs !== undefined).length
}

/** The JWKS as text, made anew only when the set of published keys is another one. */
function jwksDocuments(times: RingTimes): (ring: Ring, nowMs: number) => Document {
  let kids = ''
  let document: Document | undefined
  return (ring, nowMs) => {
    const keys = publishedKeys(ring, times, nowMs)
    const names = keys.map(({ kid }) => kid).join(' ')
    if (document && names === kids) return document
    kids = names
    document = documentOf({
      keys: keys.map(({ kid, alg, jwk }) => ({ ...publicMembersOf(jwk), use: 'sig', alg, kid })),
    })
    return document
  }
}

function documentOf(value: object): Document {
  const body = JSON.stringify(value)
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` }
}
