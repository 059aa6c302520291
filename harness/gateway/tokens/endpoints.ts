import { createHash } from 'node:crypto'
import { publicMembersOf } from '../../signing/jws.ts'
import type { Headers } from '../headers.ts'
import { problem } from '../reply.ts'
import type { Verdict } from '../reply.ts'
import type { RingKey } from './ring.ts'

/** What the documents of an issuer are made of. */
export interface EndpointOptions {
  readonly issuer: string
  /** Path of the issuer below the public URL. */
  readonly basePath: string
  readonly maxAgeSec: number
  /** The keys that are published at this moment. */
  readonly published: () => readonly RingKey[]
}

interface Document {
  readonly body: string
  readonly etag: string
}

/** Answers at the paths of the discovery document and of the JWKS; undefined where the path is neither. */
export function createEndpoints(options: EndpointOptions) {
  const { basePath, maxAgeSec } = options
  const documents = documentsOf(options)
  return (path: string, method: string, headers: Headers): Verdict | undefined => {
    if (!path.startsWith(basePath)) return undefined
    const document = documents().get(path.slice(basePath.length))
    if (!document) return undefined
    if (method !== 'GET' && method !== 'HEAD') return problem(405, { headers: [['Allow', 'GET, HEAD']] })
    const lines = [
      ['Cache-Control', `public, max-age=${maxAgeSec}`],
      ['ETag', document.etag],
    ] as const
    const known = headers.all('if-none-match').join(',')
    // RFC 9110 section 13.1.2: a list, or any.
    if (known.trim() === '*' || known.includes(document.etag)) return { status: 304, headers: lines, body: '' }
    return { status: 200, headers: [['Content-Type', 'application/json'], ...lines], body: document.body }
  }
}

/** The documents by path, written anew only when other keys are published. */
function documentsOf({ issuer, published }: EndpointOptions): () => ReadonlyMap<string, Document> {
  let kids = ''
  let documents: ReadonlyMap<string, Document> = new Map()
  return () => {
    const keys = published()
    const names = keys.map(({ kid }) => kid).join(' ')
    if (names === kids) return documents
    kids = names
    const metadata = {
      issuer,
      jwks_uri: `${issuer}/.well-known/jwks.json`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      // While the algorithm changes, tokens of both are under way.
      id_token_signing_alg_values_supported: [...new Set(keys.map(({ alg }) => alg))],
    }
    const jwks = { keys: keys.map(({ kid, alg, jwk }) => ({ ...publicMembersOf(jwk), use: 'sig', alg, kid })) }
    documents = new Map([
      ['/.well-known/openid-configuration', documentOf(metadata)],
      ['/.well-known/jwks.json', documentOf(jwks)],
    ])
    return documents
  }
}

function documentOf(value: object): Document {
  const body = JSON.stringify(value)
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` }
}
