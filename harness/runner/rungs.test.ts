import { createPublicKey } from 'node:crypto'
import http from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRemoteJWKSet, importSPKI, jwtVerify } from 'jose'
import type { JWTVerifyGetKey, JWTVerifyOptions } from 'jose'
import { request } from 'undici'
import { describe, expect, test } from 'vitest'
import { embeddedKeys } from '../../fixtures/keys/keys.ts'
import { SUITES } from '../../suites/catalog.ts'
import { createMint } from '../issuer/mint.ts'
import { startIssuer } from '../issuer/server.ts'
import { GATEWAYS } from '../model/gateways.ts'
import type { GatewayPreset } from '../model/gateways.ts'
import type { Report } from '../model/result.ts'
import { loadDocument } from '../openapi/document.ts'
import { operationsOf } from '../openapi/operations.ts'
import { urlTarget } from '../targets/url.ts'
import type { TargetSettings } from '../targets/target.ts'
import type { RunOptions } from './options.ts'
import { runOrigin } from './run.ts'

/** How an origin of this test verifies. */
interface Verifier {
  readonly keys: JWTVerifyGetKey
  readonly token: { readonly header: string; readonly scheme: string }
  readonly options: JWTVerifyOptions
  /** Paths that it forgot to guard. */
  readonly forgotten?: readonly string[]
}

/** An origin of a few lines, as one that is built on jose is. */
async function startOrigin({ keys, token, options, forgotten = [] }: Verifier) {
  const subject = async (incoming: IncomingMessage): Promise<string | undefined> => {
    const value = incoming.headers[token.header.toLowerCase()]
    const scheme = token.scheme === '' ? '' : `${token.scheme} `
    if (typeof value !== 'string' || !value.toLowerCase().startsWith(scheme.toLowerCase())) return undefined
    const { payload } = await jwtVerify(value.slice(scheme.length).trim(), keys, options)
    return typeof payload.sub === 'string' && payload.sub !== '' ? payload.sub : undefined
  }
  const server = http.createServer((incoming, response) => {
    const isForgotten = forgotten.some((path) => incoming.url?.startsWith(path))
    subject(incoming)
      .catch(() => undefined)
      .then(
        (sub) => {
          if (sub === undefined && !isForgotten) response.writeHead(401, { 'www-authenticate': 'Bearer' }).end('{}')
          else response.end(JSON.stringify({ message: 'granted', sub }))
        },
        () => response.destroy(),
      )
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/protected`,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}

async function run(options: Pick<RunOptions, 'start' | 'control' | 'select'> & Partial<RunOptions>): Promise<Report> {
  return await runOrigin({
    suites: SUITES,
    profile: {},
    seed: 1,
    deadlineMs: 3_000,
    on: () => undefined,
    signal: new AbortController().signal,
    ...options,
  })
}

const verdictsOf = ({ cases }: Report) => Object.fromEntries(cases.map(({ id, verdict }) => [id, verdict]))

const broken = ({ cases }: Report) => cases.filter(({ verdict }) => !['pass', 'skip', 'info'].includes(verdict))

/** Keys as the gateway publishes them: a set, or a file for each kid. */
function keysOf({ paths }: GatewayPreset, { issuer, jwksUrl }: TargetSettings): JWTVerifyGetKey {
  if (!('pem' in paths)) return createRemoteJWKSet(new URL(jwksUrl))
  return async ({ kid = '', alg }) => {
    const answer = await request(`${new URL(issuer).origin}/${encodeURIComponent(kid)}`)
    const text = await answer.body.text()
    if (answer.statusCode !== 200) throw new Error('No such key')
    return await importSPKI(text, alg)
  }
}

describe('the profile of a gateway', () => {
  test.each(GATEWAYS.map((gateway) => [gateway.name, gateway as GatewayPreset] as const))(
    '%s: an origin that follows its documents is judged, and nothing is broken',
    async (_, gateway) => {
      const { profile, paths } = gateway
      const servers: AsyncDisposable[] = []
      const start = async (settings: TargetSettings) => {
        expect(settings.issuer.endsWith(paths.issuer)).toBe(true)
        expect(new URL(settings.jwksUrl).pathname).toBe(paths.jwks)
        const origin = await startOrigin({
          keys: keysOf(gateway, settings),
          token: profile.token ?? { header: 'Authorization', scheme: 'Bearer' },
          options: {
            issuer: settings.issuer,
            algorithms: [...(profile.algorithms ?? ['RS256', 'EdDSA'])],
            requiredClaims: ['exp', 'sub'],
            ...(profile.audience === null ? {} : { audience: profile.audience ?? settings.audience }),
          },
        })
        servers.push(origin)
        return urlTarget(origin.url)
      }
      const report = await run({
        start,
        gateway,
        control: { kind: 'issuer', keys: embeddedKeys(), port: 0 },
        select: { suites: ['signature', 'expired-tokens'] },
        profile: { marker: 'granted', identityEcho: '/sub', leewaySec: 0 },
      })
      for (const server of servers) await server[Symbol.asyncDispose]()

      expect(report.preflight.cause).toBeUndefined()
      expect(broken(report).map(({ id, verdict }) => `${id} ${verdict}`)).toEqual([])
      expect(report.summary.pass).toBeGreaterThan(18)
    },
  )
})

describe('with a token of its own issuer', () => {
  async function rung(confused: boolean) {
    const keys = embeddedKeys()
    const issuer = await startIssuer({ keys, port: 0 })
    const main = keys.get('RS256')
    const now = Math.floor(Date.now() / 1000)
    const claims = { iss: issuer.issuer, aud: 'orders', sub: 'someone', iat: now, exp: now + 300 }
    const base = () => ({ header: { alg: 'RS256', kid: main.kid, typ: 'JWT' }, claims })
    const mint = createMint({ keys, main, base, trusted: true })
    const remote = createRemoteJWKSet(new URL(issuer.jwksUrl))
    // Takes the public key for a secret, as libraries did that let the token choose.
    const secret = Buffer.from(main.spkiPem)
    const origin = await startOrigin({
      keys: (header, token) => (confused && header.alg === 'HS256' ? Promise.resolve(secret) : remote(header, token)),
      token: { header: 'Authorization', scheme: 'Bearer' },
      options: {
        issuer: issuer.issuer,
        audience: 'orders',
        algorithms: ['RS256', 'HS256'],
        requiredClaims: ['exp', 'sub'],
      },
    })
    const report = await run({
      start: () => Promise.resolve(urlTarget(origin.url)),
      control: {
        kind: 'token',
        keys: embeddedKeys(),
        token: () => Promise.resolve(mint().compact),
        jwks: [{ ...createPublicKey(main.spkiPem).export({ format: 'jwk' }), kid: main.kid, alg: 'RS256' }],
      },
      select: {},
      profile: { marker: 'granted', identityEcho: '/sub' },
    })
    await origin[Symbol.asyncDispose]()
    await issuer[Symbol.asyncDispose]()
    return { report, token: mint().compact }
  }

  test('what can be altered is altered, and HMAC confusion is tried with the real public key', async () => {
    const { report } = await rung(false)
    const verdicts = verdictsOf(report)

    expect(broken(report).map(({ id, verdict }) => `${id} ${verdict}`)).toEqual([
      // jose takes base64 padding, and this origin tells no error codes.
      'origin/format/strict-encoding warn',
      'origin/challenge/bearer-error-codes warn',
    ])
    expect(verdicts['origin/signature/tampered']).toBe('pass')
    expect(verdicts['origin/signature/hmac-confusion']).toBe('pass')
    expect(verdicts['origin/kid-rotation/new-kid-picked-up']).toBe('skip')
  })

  test('an origin that confuses the key with a secret is found out', async () => {
    const { report, token } = await rung(true)

    expect(verdictsOf(report)['origin/signature/hmac-confusion']).toBe('fail-open')
    expect(JSON.stringify(report)).not.toContain(token.split('.')[2])
  })
})

test('with a URL alone nothing that is refused counts as proven, and what is let in is found', async () => {
  const refuse: JWTVerifyGetKey = () => Promise.reject(new Error('no key'))
  const token = { header: 'Authorization', scheme: 'Bearer' }
  await using strict = await startOrigin({ keys: refuse, token, options: {} })
  await using open = await startOrigin({ keys: refuse, token, options: {}, forgotten: ['/protected'] })
  const control = { kind: 'none', keys: embeddedKeys() } as const
  const [closed, opened] = await Promise.all(
    [strict, open].map(({ url }) => run({ start: () => Promise.resolve(urlTarget(url)), control, select: {} })),
  )

  expect(closed?.cases.filter(({ verdict }) => verdict === 'pass').map(({ id }) => id)).not.toContain(
    'origin/bypass/no-token',
  )
  expect(closed?.summary['fail-open']).toBe(0)
  expect(opened && verdictsOf(opened)['origin/bypass/no-token']).toBe('fail-open')
})

test('of the operations of an OpenAPI document, the one without the guard is named', async () => {
  const document = await loadDocument('https://api.example.com/openapi', () =>
    Promise.resolve(`
openapi: 3.1.0
info: {title: T, version: '1'}
security: [{token: []}]
paths:
  /guarded: {get: {}, post: {requestBody: {content: {application/json: {schema: {type: object, properties: {a: {const: 1}}}}}}}}
  /forgotten/{id}: {get: {parameters: [{name: id, in: path, required: true, schema: {type: integer, minimum: 3}}]}}
  /health: {get: {security: []}}
`),
  )
  const servers: AsyncDisposable[] = []
  const report = await run({
    async start({ issuer, jwksUrl, audience }) {
      const origin = await startOrigin({
        keys: createRemoteJWKSet(new URL(jwksUrl)),
        token: { header: 'Authorization', scheme: 'Bearer' },
        options: { issuer, audience, algorithms: ['RS256'], requiredClaims: ['exp', 'sub'] },
        forgotten: ['/forgotten', '/health'],
      })
      servers.push(origin)
      return urlTarget(origin.url)
    },
    control: { kind: 'issuer', keys: embeddedKeys(), port: 0 },
    operations: operationsOf(document),
    select: { cases: ['bypass/no-token'] },
    profile: { marker: 'granted', algorithms: ['RS256'] },
  })
  for (const server of servers) await server[Symbol.asyncDispose]()
  const [result] = report.cases

  expect(result?.verdict).toBe('fail-open')
  expect(result?.findings.map(({ stimulus }) => stimulus)).toEqual([
    'GET /forgotten/3 (GET /forgotten/{id}) without a token',
  ])
})
