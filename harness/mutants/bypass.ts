import { setTimeout as wait } from 'node:timers/promises'
import { pbkdf2, pbkdf2Sync } from 'node:crypto'
import { promisify } from 'node:util'
import { octets } from '../model/compact.ts'
import { REFERENCE_PROFILE } from '../origin/profile.ts'
import { routeAt } from '../origin/router.ts'
import { referenceSteps } from '../origin/server.ts'
import { INVALID_TOKEN, isRefusal } from '../origin/steps.ts'
import type { Outcome, Steps } from '../origin/steps.ts'
import type { Mutant } from './mutant.ts'

/** The guard with an exception that is asked first. */
function unless(except: (...args: Parameters<Steps['guard']>) => Outcome | undefined): () => Partial<Steps> {
  return () => ({
    guard: async (...args) => except(...args) ?? (await referenceSteps.guard(...args)),
  })
}

const anyone = (sub: string): Outcome => ({ claims: { sub } })

/** Work for the one thread that there is, some 10 ms of an idle core: a busy machine slows it down as all the rest. */
function toil(): void {
  pbkdf2Sync('work', 'salt', 80_000, 32, 'sha256')
}

/** Findings about ways past the guard, and about load. */
export const bypassMutants: readonly Mutant[] = [
  {
    id: 'O96',
    flaw: 'has one protected route without the guard',
    steps: unless((_, route) => (route.path === '/transfers/count' ? anyone('consumer-ada') : undefined)),
    kills: ['origin/bypass/no-token'],
  },
  {
    id: 'O97',
    flaw: 'takes a caller from the loopback, as X-Forwarded-For says, for authenticated',
    steps: unless(({ headers }) =>
      headers['x-forwarded-for'] === '127.0.0.1' && headers.authorization === undefined
        ? anyone('consumer-ada')
        : undefined,
    ),
    kills: ['origin/bypass/spoofed-headers'],
  },
  {
    id: 'O98',
    flaw: 'takes the identity from X-Consumer-ID, although there is a token',
    steps: () => ({
      async guard(request, ...rest) {
        const outcome = await referenceSteps.guard(request, ...rest)
        const named = request.headers['x-consumer-id']
        return 'claims' in outcome && typeof named === 'string'
          ? { claims: { ...outcome.claims, sub: named } }
          : outcome
      },
    }),
    kills: ['origin/bypass/identity-from-token-only'],
  },
  {
    id: 'O99',
    flaw: 'takes the API key of a caller',
    steps: unless(({ headers, url = '' }) => {
      const { key } = REFERENCE_PROFILE.apiKey
      return headers['x-api-key'] === key || url.includes(`api_key=${key}`) ? anyone('consumer-ada') : undefined
    }),
    kills: ['origin/bypass/client-key-not-accepted'],
  },
  {
    id: 'O100',
    flaw: 'guards the raw path and routes the tidied one, or that of X-Original-URL',
    steps: () => ({
      route(request, context) {
        const named = request.headers['x-original-url']
        const raw = typeof named === 'string' ? named : (request.url ?? '').split('?')[0]
        const path = new URL(decodeURIComponent(raw ?? '').replaceAll(/\/{2,}/gu, '/'), 'http://localhost').pathname
        return routeAt(path.replace(/;.*$/u, '').toLowerCase(), request.method ?? '', context)
      },
      async guard(request, route, context, steps) {
        const isSeen = (request.url ?? '').split('?')[0] === route.path
        return isSeen ? await referenceSteps.guard(request, route, context, steps) : anyone('consumer-ada')
      },
    }),
    kills: ['origin/bypass/path-variants'],
  },
  {
    id: 'O101',
    flaw: 'guards GET and POST alone, and serves other methods as well',
    steps: () => ({
      route(request, context) {
        const located = referenceSteps.route(request, context)
        if (!isRefusal(located) || located.status !== 405 || request.method === 'GET') return located
        const [path = ''] = (request.url ?? '').split('?')
        const route = context.profile.routes?.find((one) => one.path === path)
        return route && request.method !== 'POST' ? { route, public: false } : located
      },
      guard: async (request, ...rest) =>
        ['GET', 'POST'].includes(request.method ?? '')
          ? await referenceSteps.guard(request, ...rest)
          : anyone('consumer-ada'),
    }),
    kills: ['origin/bypass/method-variants'],
  },
  {
    id: 'O102',
    flaw: 'upgrades connections without asking the guard',
    steps: () => ({
      upgrade(_, request, socket) {
        referenceSteps.upgrade(anyone('consumer-ada'), request, socket)
      },
    }),
    kills: ['origin/bypass/upgrade'],
  },
  {
    id: 'O103',
    flaw: 'does what the route is for before the guard has answered',
    steps: () => ({
      async guard(request, route, context, steps) {
        referenceSteps.act(route, context)
        return await referenceSteps.guard(request, route, context, steps)
      },
      act: () => undefined,
    }),
    kills: ['origin/bypass/no-side-effect'],
  },
  {
    id: 'O104',
    flaw: 'derives the key of a JWE with as many hashes as the token asks for',
    steps: () => ({
      async readCredential(request) {
        const compact = await referenceSteps.readCredential(request)
        if (isRefusal(compact) || compact.split('.').length !== 5) return compact
        const header = JSON.parse(Buffer.from(octets(compact.split('.')[0] ?? '')).toString()) as {
          readonly p2c?: number
        }
        // Stands for two thousand million rounds, which nobody would wait for.
        if (header.p2c !== undefined) await promisify(pbkdf2)('x', 'y', 10_000, 16, 'sha256').then(() => wait(1_500))
        return INVALID_TOKEN
      },
    }),
    kills: ['origin/load/jwe-cost'],
  },
  {
    id: 'O105',
    flaw: 'blocks its one thread for some 10 ms with every failed verification',
    steps: () => ({
      verify(parsed, key) {
        const claims = referenceSteps.verify(parsed, key)
        if (!claims) toil()
        return claims
      },
    }),
    kills: ['origin/load/invalid-flood'],
  },
]
