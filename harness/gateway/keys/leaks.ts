import { createPublicKey, hash, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { request } from 'undici'
import type { Clock } from '../../clock/clock.ts'
import type { Headers } from '../headers.ts'
import type { OperatorEvent } from '../policy.ts'
import { jsonReply, problem } from '../reply.ts'
import type { Verdict } from '../reply.ts'
import type { KeyStore } from './store.ts'

/** Where alerts come from and what they are about. */
export interface LeakReceiverOptions {
  /** URL of the list of public keys that alerts are signed with. */
  readonly keyListUrl: string
  /** Kind of token that the scanner was told, such as `example_api_key`. */
  readonly type: string
  readonly store: KeyStore
  readonly clock: Clock
  readonly report: (event: OperatorEvent) => void
}

/** Milliseconds for which the list is kept, and between two fetches for an identifier that it does not have. */
const LIST_MS = 3_600_000
const COOLDOWN_MS = 1_000

/** Milliseconds for a fetch of the list, and octets of it. */
const FETCH_MS = 2_000
const MOST_LIST_OCTETS = 256 * 1024

/** Answers an alert; the same to all that are not signed as they should be, whatever they hold. */
export type LeakReceiver = (headers: Headers, body: Uint8Array) => Promise<Verdict>

/** A match of the scanner, as far as it matters here. */
interface Match {
  readonly token: string
  readonly type: string
  readonly url?: unknown
}

/** The list of keys could not be had: nothing can be checked. */
class ListUnavailable extends Error {}

/**
 * The receiver of GitHub's secret scanning partner programme: keys that were found in public are refused from then on.
 * Alerts are signed with ECDSA P-256 and SHA-256 over the raw body.
 */
export function createLeakReceiver(options: LeakReceiverOptions): LeakReceiver {
  const { store, type, report } = options
  const keyOf = keyList(options)
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
      report({ event: 'leak-alert-not-checked' })
      return problem(503, { detail: 'The keys of the scanner cannot be had', headers: [['Retry-After', '5']] })
    }
    const matches = matchesOf(body)
    if (!matches) return problem(400, { detail: 'The alert is no list of matches' })
    const own = matches.filter((match) => match.type === type)
    const found = await store.revokeLeaked(own.map(({ token }) => token))
    for (const [at, key] of found.entries()) {
      // Alerts are repeated; the operator learns it once.
      if (!key || key.leakedOn !== undefined) continue
      const { url } = own[at] ?? {}
      report({
        event: 'leaked-key-revoked',
        key: key.id,
        consumer: key.consumer,
        bucket: key.bucket,
        ...(typeof url === 'string' ? { url } : {}),
      })
    }
    return jsonReply(
      200,
      own.map(({ token }, at) => ({
        token_hash: hash('sha256', token, 'hex'),
        token_type: type,
        label: found[at] ? 'true_positive' : 'false_positive',
      })),
    )
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

/** Finds a key by its identifier, and fetches the list anew for one that it does not have. */
function keyList({ keyListUrl, clock }: LeakReceiverOptions): (identifier: string) => Promise<KeyObject | undefined> {
  let keys = new Map<string, KeyObject>()
  let fetchedMs = Number.NEGATIVE_INFINITY
  let pending: Promise<void> | undefined
  const refresh = async (): Promise<void> => {
    pending ??= fetchList(keyListUrl)
      .then((list) => {
        keys = list
        fetchedMs = clock.nowMs()
      })
      .finally(() => {
        pending = undefined
      })
    await pending
  }
  return async (identifier) => {
    const age = clock.nowMs() - fetchedMs
    const known = keys.get(identifier)
    if (known && age < LIST_MS) return known
    if (!known && age < COOLDOWN_MS) return undefined
    await refresh()
    return keys.get(identifier)
  }
}

async function fetchList(url: string): Promise<Map<string, KeyObject>> {
  try {
    const answer = await request(url, { signal: AbortSignal.timeout(FETCH_MS) })
    const chunks: Uint8Array[] = []
    let octets = 0
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      octets += chunk.length
      if (octets > MOST_LIST_OCTETS) throw new RangeError('The list is too long')
      chunks.push(chunk)
    }
    if (answer.statusCode !== 200) throw new TypeError(`Status ${answer.statusCode}`)
    const { public_keys: list } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
      readonly public_keys: readonly { readonly key_identifier: string; readonly key: string }[]
    }
    return new Map(list.map((item) => [item.key_identifier, publicKey(item.key)]))
  } catch (error) {
    throw new ListUnavailable('The list of keys cannot be had', { cause: error })
  }
}

/** An EC key alone: a signature of any other kind is not what the programme promises. */
function publicKey(pem: string): KeyObject {
  const key = createPublicKey(pem)
  if (key.asymmetricKeyType !== 'ec') throw new TypeError('Not an EC key')
  return key
}
