import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { createJwksClient, strictJwksParts } from '../origin/jwks-client.ts'
import type { JwksClientOptions } from '../origin/jwks-client.ts'
import { ask, fetchSet, keysOf } from '../origin/jwks-fetch.ts'
import type { Ask } from '../origin/jwks-fetch.ts'
import { referenceSteps } from '../origin/server.ts'
import type { Mutant } from './mutant.ts'
import { jwksWith } from './rotation.ts'

/** Members of a JWK that a closed schema knows. */
const KNOWN = new Set(['kty', 'use', 'key_ops', 'alg', 'kid', 'n', 'e', 'crv', 'x', 'y'])

/** The body inflated, however large it becomes. */
function unpacked(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return Readable.from(body).pipe(createGunzip())
}

/** The strict client with another way to ask. */
function asking(by: Ask, change: Partial<JwksClientOptions> = {}) {
  return jwksWith(() => ({ fetchSet: (options, etag) => fetchSet(options, etag, by) }), change)
}

/** Findings about what the JWKS holds and where it comes from. */
export const documentMutants: readonly Mutant[] = [
  {
    id: 'O06',
    flaw: 'rejects the whole JWKS when one key of it is unknown or malformed',
    steps: jwksWith(() => ({
      keysOf(document) {
        const { keys } = document as { readonly keys: readonly { readonly kty?: string; readonly x?: string }[] }
        if (keys.some(({ kty }) => !['RSA', 'EC', 'OKP'].includes(kty ?? ''))) throw new TypeError('Unknown key type')
        return keysOf(document)
      },
    })),
    kills: ['origin/jwks-caching/foreign-keys-ignored', 'origin/jwks-caching/oct-key-not-usable'],
  },
  {
    id: 'O07',
    flaw: 'reads the JWKS by a closed schema',
    steps: jwksWith(() => ({
      keysOf(document) {
        const { keys, ...more } = document as { readonly keys: readonly object[] }
        const isClosed = keys.every((key) => Object.keys(key).every((name) => KNOWN.has(name)))
        if (!isClosed || Object.keys(more).length > 0) throw new TypeError('Unknown member')
        return keysOf(document)
      },
    })),
    kills: [
      'origin/jwks-caching/foreign-keys-ignored',
      'origin/jwks-caching/document-tolerance',
      'origin/jwks-caching/oct-key-not-usable',
    ],
  },
  {
    id: 'O81',
    flaw: 'ignores the status of the JWKS answer and follows redirects',
    steps: asking(async (url, headers, signal) => {
      const answer = await ask(url, headers, signal)
      const { location } = answer.headers
      const last = typeof location === 'string' ? await ask(location, headers, signal) : answer
      return { ...last, statusCode: last.statusCode === 304 ? 304 : 200, body: last.body, headers: last.headers }
    }),
    kills: ['origin/jwks-caching/only-a-200-from-the-configured-url'],
  },
  {
    id: 'O83',
    flaw: 'reads the JWKS without a limit, and unpacks it eagerly',
    steps: asking(
      async (url, headers, signal) => {
        const answer = await ask(url, headers, signal)
        if (answer.headers['content-encoding'] !== 'gzip') return answer
        return { ...answer, statusCode: answer.statusCode, headers: answer.headers, body: unpacked(answer.body) }
      },
      { maxBytes: Number.POSITIVE_INFINITY, timeoutMs: 5_000 },
    ),
    kills: ['origin/jwks-caching/slow-endpoint', 'origin/jwks-caching/huge-document'],
  },
  {
    id: 'O86',
    flaw: 'forwards the Authorization of the caller to the JWKS URL',
    steps() {
      let authorization = ''
      return {
        readCredential(incoming) {
          authorization = incoming.headers.authorization ?? ''
          return referenceSteps.readCredential(incoming)
        },
        ...asking((url, headers, signal) => ask(url, { ...headers, authorization }, signal))(),
      }
    },
    kills: ['origin/jwks-caching/no-credentials-sent'],
  },
  {
    id: 'O87',
    flaw: 'does not compare the issuer of the metadata with its own',
    steps: asking(async (url, headers, signal) => {
      const answer = await ask(url, headers, signal)
      if (!url.endsWith('/openid-configuration')) return answer
      const chunks: Uint8Array[] = []
      for await (const chunk of answer.body) chunks.push(chunk)
      const metadata = JSON.parse(Buffer.concat(chunks).toString()) as object
      const issuer = url.replace('/.well-known/openid-configuration', '')
      const body = [Buffer.from(JSON.stringify({ ...metadata, issuer }))]
      return { statusCode: answer.statusCode, headers: answer.headers, body: Readable.from(body) }
    }),
    kills: ['origin/jwks-caching/discovery-issuer-mismatch'],
  },
  {
    id: 'O88',
    flaw: 'ends when the JWKS is no JSON',
    steps: () => ({
      createJwks: (options, die) =>
        createJwksClient(options, {
          async fetchSet(given, etag) {
            try {
              return await strictJwksParts.fetchSet(given, etag)
            } catch (error) {
              if (error instanceof SyntaxError) die('uncaught SyntaxError in a timer')
              throw error
            }
          },
        }),
    }),
    kills: ['origin/jwks-caching/bad-document-fails-closed', 'origin/load/alive-after-run'],
  },
]
