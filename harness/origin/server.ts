import http from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../clock/clock.ts'
import type { OriginProfile } from '../model/profile.ts'
import { answer, bodyOf, send } from './answer.ts'
import { judgeWith, strictRules } from './claims.ts'
import { readCredential } from './credential.ts'
import { findKeyWith, strictKeyParts } from './find-key.ts'
import { createJwksClient } from './jwks-client.ts'
import type { JwksClientOptions } from './jwks-client.ts'
import { parseWith, strictParts } from './parse.ts'
import { act, guard, locate, upgrade } from './router.ts'
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
  readonly jwks?: Partial<Omit<JwksClientOptions, 'clock'>>
  /** Told when the origin ends by itself, and why. */
  readonly onDeath?: (reason: string) => void
}

/** A running origin. */
export interface ReferenceOrigin extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, without a path. */
  readonly url: string
}

/** The strictest verifier that we know how to write. */
export const referenceSteps: Steps = {
  createJwks: (options) => createJwksClient(options),
  route: locate,
  guard,
  readCredential,
  parse: parseWith(strictParts),
  findKey: findKeyWith(strictKeyParts),
  verify,
  judgeClaims: judgeWith(strictRules),
  act,
  answer,
  upgrade,
}

const JWKS_DEFAULTS = { maxAgeSec: 600, cooldownSec: 30, maxStaleSec: 300, timeoutMs: 2_000 }

const MOST_JWKS_OCTETS = 256 * 1024

/** Octets of a header section: above what a token may have, so that the origin itself answers 431. */
const HEADER_OCTETS = 256 * 1024

/** Starts the origin on 127.0.0.1; `steps` replaces steps of the reference. */
export async function startReferenceOrigin(
  options: ReferenceOriginOptions,
  replaced: Partial<Steps> = {},
): Promise<ReferenceOrigin> {
  const { issuer, audience, profile, clock } = options
  const steps = { ...referenceSteps, ...replaced }
  const server = http.createServer({ maxHeaderSize: HEADER_OCTETS, keepAliveTimeout: 60_000 })
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => {
      server.close(resolve)
    })
    server.closeAllConnections()
    await closed
  }
  const die = (reason: string): void => {
    options.onDeath?.(reason)
    void close()
  }
  const jwks = steps.createJwks(jwksOptions(options), die)
  const context: OriginContext = {
    issuer,
    audience,
    profile,
    clock,
    jwks,
    used: new Map(),
    done: { transfers: 0 },
    die,
  }
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    // Node's own Date tells the clock of the machine, not of this origin.
    response.sendDate = false
    response.setHeader('date', new Date(clock.nowMs()).toUTCString())
    handle(steps, context, request, response).catch(() => {
      if (response.headersSent) response.destroy()
      else send(response, 500, {}, { error: 'internal' })
    })
  })
  server.on('upgrade', (request: IncomingMessage, socket) => {
    socket.on('error', () => socket.destroy())
    upgradeOutcome(steps, context, request).then(
      (outcome) => {
        steps.upgrade(outcome, request, socket)
      },
      () => socket.destroy(),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => (server.listening ? close() : Promise.resolve()),
  }
}

function jwksOptions({ issuer, jwksUrl, profile, clock, jwks }: ReferenceOriginOptions): JwksClientOptions {
  const declared = { ...JWKS_DEFAULTS, ...profile.jwks }
  return {
    from: profile.jwks?.mode === 'discovery' ? { discover: issuer } : { jwksUrl },
    clock,
    maxAgeSec: declared.maxAgeSec,
    cooldownSec: declared.cooldownSec,
    staleSec: declared.maxStaleSec,
    timeoutMs: declared.timeoutMs,
    maxBytes: MOST_JWKS_OCTETS,
    honoursCacheControl: declared.honoursCacheControl ?? false,
    ...jwks,
  }
}

async function handle(
  steps: Steps,
  context: OriginContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const located = steps.route(request, context)
  if (isRefusal(located)) {
    steps.answer({ refusal: located }, request, response)
    return
  }
  if (located.public) {
    send(response, 200, {}, { status: 'ok' })
    return
  }
  const outcome = await steps.guard(request, located.route, context, steps)
  if ('claims' in outcome) {
    steps.act(located.route, context)
    if (located.route.path === context.profile.sideEffect?.counter) {
      send(response, 200, {}, { ...bodyOf(outcome.claims), transfers: context.done.transfers })
      return
    }
  }
  steps.answer(outcome, request, response, located)
}

async function upgradeOutcome(steps: Steps, context: OriginContext, request: IncomingMessage): Promise<Outcome> {
  const [path = ''] = (request.url ?? '').split('?')
  if (path !== context.profile.upgrade || request.headers.upgrade?.toLowerCase() !== 'websocket') {
    return { refusal: { status: 404 } }
  }
  return await steps.guard(request, { path, methods: ['GET'] }, context, steps)
}
