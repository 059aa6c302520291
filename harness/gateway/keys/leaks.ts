import { hash, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Clock } from '../../clock/clock.ts'
import type { Headers } from '../headers.ts'
import type { OperatorEvent } from '../policy.ts'
import { jsonReply, problem } from '../reply.ts'
import type { Verdict } from '../reply.ts'
import type { StoredKey } from './book.ts'
import { ListUnavailable, scannerKeys } from './scanner-keys.ts'
import type { KeyStore } from './store.ts'

/** Where alerts come from and what they are about. */
export interface LeakReceiverOptions {
  /** URL of the list of public keys that alerts are signed with. */
  readonly keyListUrl: string
  /** Kind of token that the scanner was told, such as `example_api_key`. */
  readonly type: string
  readonly store: KeyStore
  readonly clock: Clock
  /** Milliseconds for a fetch of the list; default 2000. */
  readonly fetchMs?: number
  readonly report: (event: OperatorEvent) => void
}

/** Answers an alert; the same to all that are not signed as they should be, whatever they hold. */
export type LeakReceiver = (headers: Headers, body: Uint8Array) => Promise<Verdict>

/** A match of the scanner, as far as it matters here. */
interface Match {
  readonly token: string
  readonly type: string
  readonly url?: unknown
}

/**
 * The receiver of GitHub's secret scanning partner programme: keys that were found in public are refused from then on.
 * Alerts are signed with ECDSA P-256 and SHA-256 over the raw body.
 */
export function createLeakReceiver(options: LeakReceiverOptions): LeakReceiver {
  const { store, type, report } = options
  const keyOf = scannerKeys(options)
  const refusal = problem(401, { detail: 'The alert is not signed by a known key' })
  return async (headers, body) => {
    const identifier = only(headers, 'github-public-key-identifier')
    const signature = only(headers, 'github-public-key-signature')
    if (identifier === undefined || signature === undefined) return refusal
    try {
      const key = await keyOf(identifier)
      if (!key || !isSigned(key, body, signature)) return refusal
    } catch (error) {
      if (!(error instanceof ListUnavailable)) throw error
      return problem(503, { detail: 'The keys of the scanner cannot be had', headers: [['Retry-After', '5']] })
    }
    const matches = matchesOf(body)
    if (!matches) return problem(400, { detail: 'The alert is no list of matches' })
    const own = matches.filter((match) => match.type === type)
    try {
      const found = await store.revokeLeaked(own.map(({ token }) => token))
      tell(report, own, found)
      return jsonReply(
        200,
        own.map(({ token }, at) => ({
          token_hash: hash('sha256', token, 'hex'),
          token_type: type,
          label: found[at] ? 'true_positive' : 'false_positive',
        })),
      )
    } catch {
      report({ event: 'leak-alert-not-processed' })
      return problem(503, { detail: 'The keys cannot be revoked now', headers: [['Retry-After', '5']] })
    }
  }
}

/** One event for each key that is refused from now on; alerts are repeated, and name a key more than once. */
function tell(
  report: LeakReceiverOptions['report'],
  own: readonly Match[],
  found: readonly (StoredKey | undefined)[],
): void {
  const told = new Set<string>()
  for (const [at, key] of found.entries()) {
    if (!key || key.leakedOn !== undefined || told.has(key.id)) continue
    told.add(key.id)
    const { token = '', url } = own[at] ?? {}
    report({
      event: 'leaked-key-revoked',
      key: key.id,
      consumer: key.consumer,
      bucket: key.bucket,
      ...(typeof url === 'string' && !url.includes(token) ? { url } : {}),
    })
  }
}

function only(headers: Headers, name: string): string | undefined {
  const [first, second] = headers.all(name)
  return second === undefined && first !== undefined && first !== '' ? first : undefined
}

function isSigned(key: KeyObject, body: Uint8Array, signature: string): boolean {
  if (!/^[A-Za-z0-9+/]+={0,2}$/u.test(signature)) return false
  try {
    return verify('sha256', body, key, Buffer.from(signature, 'base64'))
  } catch {
    return false
  }
}

function matchesOf(body: Uint8Array): readonly Match[] | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    return Array.isArray(value) && value.every(isMatch) ? value : undefined
  } catch {
    return undefined
  }
}

function isMatch(value: unknown): value is Match {
  return (
    typeof value === 'object' &&
    value !== null &&
    'token' in value &&
    typeof value.token === 'string' &&
    'type' in value &&
    typeof value.type === 'string'
  )
}
