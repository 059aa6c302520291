import { createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { request } from 'undici'
import type { LeakReceiverOptions } from './leaks.ts'

/** Milliseconds for which the list is kept, and between two fetches for an identifier that it does not have. */
const LIST_MS = 3_600_000
const COOLDOWN_MS = 1_000

/** Milliseconds for a fetch of the list, and octets of it. */
const DEFAULT_FETCH_MS = 2_000
const MOST_LIST_OCTETS = 256 * 1024

/** The list of keys could not be had: nothing can be checked. */
export class ListUnavailable extends Error {}

/**
 * Finds a key by its identifier, and fetches the list anew for one that it does not have. Rejects with
 * `ListUnavailable`; anybody can send an alert, so that the list is not asked for again at once.
 */
export function scannerKeys({
  keyListUrl,
  clock,
  report,
  fetchMs = DEFAULT_FETCH_MS,
}: Pick<LeakReceiverOptions, 'keyListUrl' | 'clock' | 'report' | 'fetchMs'>): (
  identifier: string,
) => Promise<KeyObject | undefined> {
  let keys = new Map<string, KeyObject>()
  let fetchedMs = Number.NEGATIVE_INFINITY
  let failedMs = Number.NEGATIVE_INFINITY
  let pending: Promise<void> | undefined
  const refresh = async (): Promise<void> => {
    if (!pending && clock.nowMs() - failedMs < COOLDOWN_MS) throw new ListUnavailable()
    pending ??= fetchList(keyListUrl, fetchMs)
      .then(
        (list) => {
          keys = list
          fetchedMs = clock.nowMs()
        },
        (error: unknown) => {
          failedMs = clock.nowMs()
          report({ event: 'leak-alert-not-checked' })
          throw error
        },
      )
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

async function fetchList(url: string, fetchMs: number): Promise<Map<string, KeyObject>> {
  try {
    const answer = await request(url, { signal: AbortSignal.timeout(fetchMs) })
    const chunks: Uint8Array[] = []
    let octets = 0
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      octets += chunk.length
      if (octets > MOST_LIST_OCTETS) throw new RangeError('The list is too long')
      chunks.push(chunk)
    }
    if (answer.statusCode !== 200) throw new TypeError(`Status ${answer.statusCode}`)
    return keysIn(Buffer.concat(chunks).toString('utf8'))
  } catch (error) {
    throw new ListUnavailable('The list of keys cannot be had', { cause: error })
  }
}

/** The keys of a list that can sign alerts: a kind that the programme does not promise is passed over. */
function keysIn(text: string): Map<string, KeyObject> {
  const { public_keys: list } = JSON.parse(text) as {
    readonly public_keys: readonly { readonly key_identifier?: unknown; readonly key?: unknown }[]
  }
  const keys = new Map<string, KeyObject>()
  for (const { key_identifier: identifier, key: pem } of list) {
    const key = typeof pem === 'string' ? p256Key(pem) : undefined
    if (typeof identifier === 'string' && key) keys.set(identifier, key)
  }
  return keys
}

function p256Key(pem: string): KeyObject | undefined {
  try {
    const key = createPublicKey(pem)
    const isP256 = key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1'
    return isP256 ? key : undefined
  } catch {
    return undefined
  }
}
