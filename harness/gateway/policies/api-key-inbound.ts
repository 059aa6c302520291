import { DEFAULT_BUCKET, NAME } from '../keys/store.ts'
import { createOutage } from '../limits/outage.ts'
import { positive } from '../limits/caller.ts'
import { flag, headerName, wholeFrom } from '../options.ts'
import type { OptionCheck } from '../options.ts'
import type { KeyDirectory, PolicyKind } from '../policy.ts'
import { problem } from '../reply.ts'
import type { Problem } from '../reply.ts'
import type { GatewayRequest } from '../request.ts'
import { createRefuseKey } from './failed-keys.ts'
import type { FailedKeysOptions, RefuseKey } from './failed-keys.ts'
import { withoutKey } from './without-key.ts'

/** Seconds for which what is known of keys counts while the key store is silent. */
const DEFAULT_TTL_SEC = 60

/** Octets that a key can have. */
const MOST_OCTETS = 512

/** What the operator is told when keys cannot be checked any more. */
const silent = Object.assign(new Error('The key store is silent'), { code: 'ERR_SILENT' })

interface Options extends FailedKeysOptions {
  readonly authHeader: string
  readonly authScheme: string
  readonly bucket: string
  readonly allowUnauthenticatedRequests: boolean
  readonly cacheTtlSeconds: number
}

/** What a caller presented. */
type Presented = { readonly key: string } | 'nothing' | 'unusable'

/** A scheme (RFC 9110 section 11.1): with anything else in it no line would fit, and no challenge could name it. */
const scheme: OptionCheck = (value) =>
  value === '' || headerName(value) === undefined ? undefined : 'a scheme such as "Bearer", or "" for none'

const bucket: OptionCheck = (value) =>
  typeof value === 'string' && NAME.test(value) ? undefined : 'the name of a bucket such as "default"'

/** Asks for an API key and establishes who calls; the key goes no further. */
export const apiKey: PolicyKind = {
  type: 'api-key-inbound',
  exported: 'ApiKeyInboundPolicy',
  options: {
    known: {
      authHeader: headerName,
      authScheme: scheme,
      bucketName: bucket,
      bucketId: bucket,
      allowUnauthenticatedRequests: flag,
      cacheTtlSeconds: wholeFrom(0),
      failedKeysAllowed: wholeFrom(1),
      failedKeysWindowMinutes: positive,
      disableAutomaticallyAddingKeyHeaderToOpenApi: flag,
    },
  },
  headers: (options) => ({ reads: [optionsOf(options).authHeader] }),
  create(given, context) {
    const { keys, clock } = context
    const options = optionsOf(given)
    const outage = createOutage('key-store', context)
    const { authScheme, bucket, cacheTtlSeconds, allowUnauthenticatedRequests } = options
    const name = options.authHeader.toLowerCase()
    const refusal = problem(401, {
      detail: 'A valid API key is needed',
      // RFC 9110 section 11.6.1. Without a scheme of its own, a header of that name is what the challenge can say.
      headers: [['WWW-Authenticate', `${authScheme === '' ? 'ApiKey' : authScheme} realm="api"`]],
    })
    const refuse = createRefuseKey(options, context, refusal)
    const silence = problem(503, { detail: 'API keys cannot be checked', headers: [['Retry-After', '1']] })
    return (request) => {
      const presented = presentedIn(request, name, authScheme)
      if (presented === 'nothing') {
        if (!allowUnauthenticatedRequests) return refusal
        request.headers.remove(name)
        return undefined
      }
      if (presented === 'unusable') return refuse(request)
      if (keys.silentMs() > cacheTtlSeconds * 1000) {
        outage.away(silent)
        return silence
      }
      outage.back()
      return judged(request, presented.key, { keys, bucket, nowMs: clock.nowMs(), name, refuse })
    }
  },
}

function judged(
  request: GatewayRequest,
  key: string,
  means: {
    readonly keys: KeyDirectory
    readonly bucket: string
    readonly nowMs: number
    readonly name: string
    readonly refuse: RefuseKey
  },
): Problem | undefined | Promise<Problem> {
  const { keys, bucket, nowMs, name, refuse } = means
  const record = keys.find(bucket, key)
  // The same answer for a key that never was and for one that is no more: nobody learns which it is.
  if (!record || record.disabled || (record.expiresMs !== undefined && record.expiresMs <= nowMs))
    return refuse(request)
  request.user = { sub: record.consumer, data: record.metadata }
  request.headers.remove(name)
  withoutKey(request, key)
  return undefined
}

/** The key of the one line of that name; a second line or a list in it is nobody's to choose from. */
function presentedIn({ headers }: GatewayRequest, name: string, scheme: string): Presented {
  const value = headers.get(name)
  if (value === undefined) return 'nothing'
  if (headers.count(name) > 1) return 'unusable'
  let key = value
  if (scheme !== '') {
    if (value.charCodeAt(scheme.length) !== 0x20) return 'unusable'
    if (value.slice(0, scheme.length).toLowerCase() !== scheme.toLowerCase()) return 'unusable'
    key = value.slice(scheme.length + 1).trimStart()
  }
  // What else it holds need not be looked at: a list, say, is no key that anybody has.
  return key.length > MOST_OCTETS || key === '' ? 'unusable' : { key }
}

function optionsOf(given: Readonly<Record<string, unknown>>): Options {
  const { bucketName, bucketId } = given
  return {
    authHeader: 'Authorization',
    authScheme: 'Bearer',
    bucket: String(bucketName ?? bucketId ?? DEFAULT_BUCKET),
    allowUnauthenticatedRequests: false,
    cacheTtlSeconds: DEFAULT_TTL_SEC,
    ...(given as Partial<Options>),
  }
}
