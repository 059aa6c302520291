import { Readable } from 'node:stream'
import { http, HttpResponse, passthrough } from 'msw'
import { setupServer } from 'msw/node'
import type { SetupServer } from 'msw/node'
import { Pool } from 'undici'
import { TrustspecError } from '../model/errors.ts'
import type { InterceptedIssuer } from '../vitest/origin.ts'

export type { InterceptedIssuer } from '../vitest/origin.ts'

/** An issuer that the origin has hard-coded. */
export interface IssuerToIntercept {
  /** `iss` of the tokens: an https URL. */
  readonly issuer: string
  /** Default: `/.well-known/jwks.json` below the issuer. */
  readonly jwksUrl?: string
  /** The server of msw that is listening in this process, where there is one; default: one that listens while the run lasts. */
  readonly server?: Pick<SetupServer, 'use'>
}

/** Statuses of answers that have no body. */
const WITHOUT_BODY = new Set([204, 205, 304])

/** Headers of the connection to the run: the origin has one of its own. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding'])

/**
 * Answers for the host of an issuer inside this process, for an origin that runs in it: `fetch`, `node:http` and
 * `node:https`, and what is built on them, get the documents and the faults of the run. Every other request passes.
 */
export function interceptIssuer({ issuer, jwksUrl, server }: IssuerToIntercept): InterceptedIssuer {
  const base = urlOf(issuer, 'issuer').href.replace(/\/$/u, '')
  const jwks = urlOf(jwksUrl ?? `${base}/.well-known/jwks.json`, 'jwksUrl').href
  const hosts = [...new Set([new URL(issuer).origin, new URL(jwks).origin])]
  return {
    issuer,
    jwksUrl: jwks,
    intercept({ serverUrl, canaryUrl }) {
      const documents = new Pool(serverUrl, { headersTimeout: 0, bodyTimeout: 0 })
      let isOver = false
      const handlers = [
        ...hosts.map((host) =>
          http.all(`${host}/*`, async ({ request }) => (isOver ? undefined : await answerOf(documents, request))),
        ),
        // A server that refuses what it does not know must not stand between the origin and the listeners of the run.
        ...[serverUrl, canaryUrl].map((url) => http.all(`${url}/*`, () => (isOver ? undefined : passthrough()))),
      ]
      const own = server ? undefined : listen()
      ;(server ?? SHARED).use(...handlers)
      return Promise.resolve({
        async [Symbol.asyncDispose]() {
          isOver = true
          own?.[Symbol.dispose]()
          await documents.destroy()
        },
      })
    },
  }
}

// One for all runs of this process: of two servers of msw, either may let pass what the other has handlers for.
const SHARED = setupServer()
let listeners = 0

function listen(): Disposable {
  if (listeners === 0) SHARED.listen({ onUnhandledFrame: 'bypass' })
  listeners += 1
  return {
    [Symbol.dispose]() {
      listeners -= 1
      if (listeners > 0) return
      SHARED.close()
      SHARED.resetHandlers()
    },
  }
}

/** The answer of the run, octet by octet as it comes; an error of the network where it breaks off before its head. */
async function answerOf(documents: Pool, request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url)
  try {
    const { statusCode, headers, body } = await documents.request({
      path: `${pathname}${search}`,
      method: request.method,
      headers: Object.fromEntries(request.headers),
      body: request.body === null ? null : Buffer.from(await request.arrayBuffer()),
      signal: request.signal,
    })
    const pairs = Object.entries(headers).flatMap(([name, value]) =>
      HOP_BY_HOP.has(name) ? [] : [value ?? []].flat().map((one): [string, string] => [name, one]),
    )
    const hasBody = request.method !== 'HEAD' && !WITHOUT_BODY.has(statusCode)
    if (!hasBody) await body.dump()
    return new Response(hasBody ? (Readable.toWeb(body) as ReadableStream) : null, {
      status: statusCode,
      headers: pairs,
    })
  } catch {
    return HttpResponse.error()
  }
}

function urlOf(text: string, member: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && ['http:', 'https:'].includes(url.protocol)) return url
  throw new TrustspecError('ERR_USAGE', 'The issuer cannot be intercepted', {
    member,
    given: text,
    instead: 'a URL such as https://gateway.example.com/issuer',
  })
}
