import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { createLocalJWKSet, createRemoteJWKSet, customFetch, jwtVerify } from 'jose'
import type { FetchImplementation, JSONWebKeySet, JWTVerifyGetKey } from 'jose'
import { http as handlers } from 'msw'
import { setupServer } from 'msw/node'
import { expect, test } from 'vitest'
import type { CaseResult } from '../model/result.ts'
import { runBeside } from '../vitest/beside.ts'
import type { InterceptedIssuer, Told } from '../vitest/origin.ts'
import { interceptIssuer } from './index.ts'

const DECLARED = {
  audience: 'https://orders.example.com',
  algorithms: ['RS256'],
  identityEcho: '/consumer',
  jwks: { cooldownSec: 0.3, maxAgeSec: 0.6 },
} as const

// Shorter than declared: the origin counts from the end of a fetch, the run from its begin.
const CACHING = { cooldownDuration: 100, cacheMaxAge: 400 }

const COMMON = { seed: 1, deadlineMs: 5_000, behaviour: false }

/** Cases about counts, caches, faults and the canary. */
const CASES = [
  'signature/control-valid',
  'signature/no-ssrf',
  'kid-rotation/new-kid-picked-up',
  'jwks-caching/cached',
  'jwks-caching/outage-warm',
  'jwks-caching/only-a-200-from-the-configured-url',
]

type Keys = (told: Pick<Told, 'jwksUrl'>) => JWTVerifyGetKey

const byFetch: Keys = ({ jwksUrl }) => createRemoteJWKSet(new URL(jwksUrl), CACHING)

/** As jwks-rsa fetches. */
const byHttps: Keys = ({ jwksUrl }) => createRemoteJWKSet(new URL(jwksUrl), { ...CACHING, [customFetch]: overHttps })

const overHttps: FetchImplementation = async (url, { signal }) => {
  const { get } = url.startsWith('https:') ? https : http
  const [answer] = (await once(get(url, { signal }), 'response')) as [http.IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  return new Response(Buffer.concat(chunks), { status: answer.statusCode ?? 0 })
}

/** Fetches the keys for every request. */
const withoutCache: Keys =
  ({ jwksUrl }) =>
  async (header, token) =>
    await createLocalJWKSet((await (await fetch(jwksUrl)).json()) as JSONWebKeySet)(header, token)

/** An origin in this process, and how it is reached. */
async function startOrigin({ issuer, jwksUrl }: Pick<Told, 'issuer' | 'jwksUrl'>, keysOf: Keys) {
  const keys = keysOf({ jwksUrl })
  const { audience } = DECLARED
  const server = http.createServer((request, response) => {
    const [, token = ''] = /^Bearer ([^ ]+)$/iu.exec(request.headers.authorization ?? '') ?? []
    jwtVerify(token, keys, { issuer, audience, algorithms: ['RS256'], requiredClaims: ['exp', 'sub'] })
      .then(({ payload }) => {
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ consumer: payload.sub }))
      })
      .catch(() => {
        response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end()
      })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/protected`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function resultsOf(keys: Keys, issuer: InterceptedIssuer | undefined, cases = CASES) {
  await using stack = new AsyncDisposableStack()
  const url = async (told: Told): Promise<string> => stack.use(await startOrigin(issuer ?? told, keys)).url
  const common = { ...COMMON, select: { cases } }
  const { signal } = new AbortController()
  const report = await runBeside({ ...DECLARED, url, ...(issuer ? { issuer } : {}) }, common, signal)
  return Object.fromEntries(report.cases.map((result): [string, CaseResult] => [result.id, result]))
}

const verdictsOf = (results: Readonly<Record<string, CaseResult>>) =>
  Object.fromEntries(Object.entries(results).map(([id, { verdict }]) => [id, verdict]))

test('an issuer that is intercepted gives the verdicts that it gives over the network', async () => {
  const [overNetwork, fetched, gotten] = await Promise.all([
    resultsOf(byFetch, undefined),
    resultsOf(byFetch, interceptIssuer({ issuer: 'https://one.example.com/issuer' })),
    resultsOf(byHttps, interceptIssuer({ issuer: 'https://two.example.com/issuer' })),
  ])
  expect(verdictsOf(fetched)).toEqual(verdictsOf(overNetwork))
  expect(verdictsOf(gotten)).toEqual(verdictsOf(overNetwork))
  expect(verdictsOf(overNetwork)).toMatchObject({
    'origin/signature/control-valid': 'pass',
    'origin/kid-rotation/new-kid-picked-up': 'pass',
    'origin/jwks-caching/cached': 'pass',
    'origin/jwks-caching/outage-warm': 'pass',
  })
})

test('fetches are counted, beside handlers of the user and with a server that refuses what it does not know', async () => {
  const server = setupServer(handlers.get('https://other.example.com/', () => new Response('other')))
  server.listen({ onUnhandledFrame: 'error' })
  try {
    const issuer = interceptIssuer({ issuer: 'https://three.example.com/issuer', server })
    const results = await resultsOf(withoutCache, issuer, ['control-valid', 'jwks-caching/cached'])
    expect(verdictsOf(results)).toEqual({
      'origin/signature/control-valid': 'pass',
      'origin/jwks-caching/cached': 'fail',
    })
    expect(await (await fetch('https://other.example.com/')).text()).toBe('other')
  } finally {
    server.close()
  }
})

test('the host is left alone when the run is over', async () => {
  const issuer = interceptIssuer({ issuer: 'http://127.0.0.1:1/issuer' })
  const intercepted = await issuer.intercept({ serverUrl: 'http://127.0.0.1:1', canaryUrl: 'http://127.0.0.1:1' })
  await intercepted[Symbol.asyncDispose]()
  await expect(fetch(issuer.jwksUrl)).rejects.toThrow('fetch failed')
})

test('an issuer that is no URL is refused', () => {
  expect(() => interceptIssuer({ issuer: 'gateway.example.com' })).toThrow('The issuer cannot be intercepted')
})
