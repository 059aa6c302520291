import http from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../clock/clock.ts'
import type { OriginProfile } from '../model/profile.ts'
import { answer, send } from './answer.ts'
import { judgeWith, strictRules } from './claims.ts'
import { readCredential } from './credential.ts'
import { findKeyWith, strictKeyParts } from './find-key.ts'
import { createJwksClient } from './jwks-client.ts'
import type { JwksClientOptions } from './jwks-client.ts'
import { parseWith, strictParts } from './parse.ts'
import { isRefusal } from './steps.ts'
import type { OriginContext, Outcome, Steps } from './steps.ts'
import { verify } from './verify.ts'

/** What the reference origin is told. */
export interface ReferenceOriginOptions {
  readonly issuer: string
  readonly jwksUrl: string
  readonly audience: string
  readonly profile: OriginProfile
  readonly clock: Clock
  /** 0 takes a free one. */
  readonly port: number
  readonly jwks?: Partial<Omit<JwksClientOptions, 'url' | 'clock'>>
}

/** A running origin. */
export interface ReferenceOrigin extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, without a path. */
  readonly url: string
}

/** The strictest verifier that we know how to write. */
export const referenceSteps: Steps = {
  readCredential,
  parse: parseWith(strictParts),
  findKey: findKeyWith(strictKeyParts),
  verify,
  judgeClaims: judgeWith(strictRules),
  answer,
}

const JWKS_DEFAULTS = { maxAgeSec: 600, cooldownSec: 30, staleSec: 300, timeoutMs: 2_000, maxBytes: 256 * 1024 }

/** Octets of a header section: above what a token may have, so that the origin itself answers 431. */
const HEADER_OCTETS = 256 * 1024

/** Starts the origin on 127.0.0.1; `steps` replaces steps of the reference. */
export async function startReferenceOrigin(
  options: ReferenceOriginOptions,
  steps: Partial<Steps> = {},
): Promise<ReferenceOrigin> {
  const { issuer, audience, profile, clock } = options
  const jwks = createJwksClient({ ...JWKS_DEFAULTS, ...options.jwks, url: options.jwksUrl, clock })
  const context: OriginContext = { issuer, audience, profile, clock, jwks, used: new Map() }
  const all = { ...referenceSteps, ...steps }
  const server = http.createServer({ maxHeaderSize: HEADER_OCTETS, keepAliveTimeout: 60_000 }, (request, response) => {
    handle(all, context, request, response).catch(() => {
      if (response.headersSent) response.destroy()
      else send(response, 500, {}, { error: 'internal' })
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(options.port, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => {
        server.close(resolve)
      })
      server.closeAllConnections()
      await closed
    },
  }
}

async function handle(
  steps: Steps,
  context: OriginContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  steps.answer(await outcomeOf(steps, context, request), request, response)
}

async function outcomeOf(steps: Steps, context: OriginContext, request: IncomingMessage): Promise<Outcome> {
  const [path] = (request.url ?? '').split('?')
  const route = context.profile.routes?.find((candidate) => candidate.path === path)
  if (!route) return { refusal: { status: 404 } }
  if (!route.methods.includes(request.method ?? '')) return { refusal: { status: 405 } }
  const compact = await steps.readCredential(request)
  if (isRefusal(compact)) return { refusal: compact }
  const parsed = steps.parse(compact)
  if (isRefusal(parsed)) return { refusal: parsed }
  const key = await steps.findKey(parsed, context)
  if (isRefusal(key)) return { refusal: key }
  const claims = steps.verify(parsed, key)
  if (!claims) return { refusal: { status: 401, error: 'invalid_token' } }
  const refusal = steps.judgeClaims(claims, parsed, route, context)
  return refusal ? { refusal } : { claims }
}
