import { AsyncLocalStorage } from 'node:async_hooks'
import { generateKeyPairSync } from 'node:crypto'
import { upstreamJwt } from '../../gateway/policies/upstream-zuplo-jwt-auth-inbound.ts'
import { problem } from '../../gateway/reply.ts'
import { referenceSteps } from '../../gateway/server.ts'
import type { GatewaySteps } from '../../gateway/steps.ts'
import type { JwtService } from '../../gateway/tokens/service.ts'
import type { JsonObject } from '../../model/json.ts'
import type { GatewayMutant } from './mutant.ts'
import { answering, both, forging, isServed, kidOf, nowOf, ownKey, publishing, service } from './signing.ts'
import type { OwnKey } from './signing.ts'

/** A public RSA key of that many bits. */
function rsaKey(kid: string, modulusLength: number): JsonObject {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength })
  return { ...(publicKey.export({ format: 'jwk' }) as JsonObject), use: 'sig', alg: 'RS256', kid }
}

/** The answers of the service with other header lines. */
function withHeaders(change: (name: string, value: string) => readonly (readonly [string, string])[]) {
  return service((made) => ({
    answer(path, method, headers) {
      const verdict = made.answer(path, method, headers)
      if (!isServed(verdict)) return verdict
      return { ...verdict, headers: verdict.headers.flatMap(([name, value]) => change(name, value)) }
    },
  }))
}

/** So many refused calls in so many milliseconds are too many. */
const REFUSED = 15
const REFUSED_MS = 500

/** Seconds for which the gateway declares to publish a retired key. */
const RETENTION_SEC = 150

const isCaching = (name: string): boolean => name === 'Cache-Control'

/** The service, with what it has signed with: the kids in the order of their first use. */
function following(change: (made: JwtService, used: readonly string[]) => Partial<JwtService>) {
  return service((made) => {
    const used: string[] = []
    const watched: JwtService = {
      ...made,
      sign(claims, lifetimeSec) {
        const compact = made.sign(claims, lifetimeSec)
        const kid = kidOf(compact)
        if (!used.includes(kid)) used.push(kid)
        return compact
      },
    }
    return { ...watched, ...change(watched, used) }
  })
}

/** Flaws that the suite gateway/jwks finds. */
export const jwksMutants: readonly GatewayMutant[] = [
  {
    id: 'G41',
    flaw: 'publishes an RSA key of 1024 bits',
    make() {
      const weak = rsaKey('weak', 1024)
      return publishing((keys) => [...keys, weak])
    },
    kills: ['gateway/jwks/document'],
  },
  {
    id: 'G130',
    flaw: 'publishes its keys as an object by kid',
    make: () => publishing((keys) => Object.fromEntries(keys.map((key) => [String(key['kid']), key]))),
    kills: [
      'gateway/jwks/document',
      'gateway/token/verifies',
      'gateway/token/kid-resolves',
      'gateway/spoofing/request-smuggling',
      'gateway/faults/every-forward-is-signed',
    ],
  },
  {
    id: 'G42',
    flaw: 'publishes private members',
    make: () => publishing((keys) => keys.map((key) => ({ ...key, d: key['x'] ?? '' }))),
    kills: ['gateway/jwks/public-only'],
  },
  {
    id: 'G131',
    flaw: 'publishes the secret of another use beside its keys',
    make: () =>
      publishing((keys) => [...keys, { kty: 'oct', kid: 'cookies', alg: 'HS256', use: 'sig', k: 'c2VjcmV0' }]),
    kills: ['gateway/jwks/public-only'],
  },
  {
    id: 'G43',
    flaw: 'publishes keys without alg and use',
    make: () => publishing((keys) => keys.map((key) => ({ ...key, alg: undefined, use: undefined }))),
    kills: ['gateway/jwks/key-metadata'],
  },
  {
    id: 'G132',
    flaw: 'gives keys of different algorithms the same kid',
    make() {
      const other = rsaKey('', 2048)
      return publishing((keys) => [...keys, ...keys.slice(0, 1).map(({ kid = '' }) => ({ ...other, kid }))])
    },
    kills: ['gateway/jwks/key-metadata'],
  },
  {
    id: 'G44',
    flaw: 'serves the JWKS to callers with a key alone',
    make: () =>
      service((made) => ({
        answer: (path, method, headers) =>
          path.endsWith('/jwks.json') && !headers.has('authorization')
            ? problem(401)
            : made.answer(path, method, headers),
      })),
    kills: ['gateway/jwks/document', 'gateway/jwks/always-available'],
  },
  {
    id: 'G133',
    flaw: 'limits fetches of the JWKS together with calls of the same address that it refuses',
    make() {
      const refused: number[] = []
      const isMuch = (): boolean => performance.now() - (refused.at(-REFUSED) ?? -Infinity) < REFUSED_MS
      const { options } = service((made) => ({
        answer: (path, method, headers) =>
          path.endsWith('/jwks.json') && isMuch() ? problem(429) : made.answer(path, method, headers),
      }))
      const record: GatewaySteps['record'] = (_, __, { status }) => {
        if (status === 401) refused.push(performance.now())
      }
      return { options: { ...options, steps: { record } } }
    },
    kills: ['gateway/jwks/always-available'],
  },
  {
    id: 'G45',
    flaw: 'has a signing key in each worker until it is rotated, and publishes that of the worker that was asked',
    make() {
      const worker = ownKey()
      let endSec = Infinity
      let mints = 0
      let fetches = 0
      return service((made) => ({
        sign(claims, lifetimeSec) {
          mints += 1
          const compact = made.sign(claims, lifetimeSec)
          return endSec === Infinity && mints % 2 === 0 ? worker.sign(compact) : compact
        },
        answer: answering(made, (ring) => {
          fetches += 1
          if (endSec < Infinity) return nowOf(made) < endSec ? [...ring, worker.jwk] : ring
          return fetches % 2 === 0 ? [worker.jwk] : ring
        }),
        async rotate() {
          endSec = Math.min(endSec, nowOf(made) + RETENTION_SEC)
          return await made.rotate()
        },
      }))
    },
    kills: ['gateway/jwks/stable'],
  },
  {
    id: 'G46',
    flaw: 'lets origins keep the JWKS for a day, although a rotation takes a minute',
    make: () => withHeaders((name, value) => [[name, isCaching(name) ? 'public, max-age=86400' : value]]),
    kills: ['gateway/jwks/cache-headers'],
  },
  {
    id: 'G134',
    flaw: 'forbids to keep the JWKS',
    make: () => withHeaders((name, value) => [[name, isCaching(name) ? 'no-store' : value]]),
    kills: ['gateway/jwks/cache-headers'],
  },
  {
    id: 'G48',
    flaw: 'calls whichever key signs by the same kid',
    make() {
      let signing = ''
      const renamed = forging({
        parts({ header }) {
          signing = String(header['kid'])
          return { header: { ...header, kid: 'key' } }
        },
      })
      return both(renamed, (made) => ({
        answer: answering(made, (keys) => keys.map((key) => (key['kid'] === signing ? { ...key, kid: 'key' } : key))),
        revoke: async (kid) => await made.revoke(kid === 'key' ? signing : kid),
      }))
    },
    kills: [
      'gateway/jwks/rotate-publish-before-use',
      'gateway/jwks/emergency-revocation',
      'gateway/faults/every-forward-is-signed',
    ],
  },
  {
    id: 'G136',
    flaw: 'signs with a new key two seconds before it publishes it',
    make() {
      const keys: { readonly key: OwnKey; readonly fromSec: number; untilSec: number }[] = []
      let generation = 0
      let ringUntilSec = Infinity
      return service((made) => ({
        generation: () => made.generation() + generation,
        sign(claims, lifetimeSec) {
          const compact = made.sign(claims, lifetimeSec)
          return keys.at(-1)?.key.sign(compact) ?? compact
        },
        answer: answering(made, (ring) => [
          ...(ringUntilSec > nowOf(made) ? ring : []),
          ...keys
            .filter(({ fromSec, untilSec }) => fromSec <= nowOf(made) && untilSec > nowOf(made))
            .map(({ key }) => key.jwk),
        ]),
        rotate() {
          const endSec = nowOf(made) + RETENTION_SEC
          ringUntilSec = Math.min(ringUntilSec, endSec)
          for (const one of keys) one.untilSec = Math.min(one.untilSec, endSec)
          const key = ownKey()
          keys.push({ key, fromSec: nowOf(made) + 2, untilSec: Infinity })
          return Promise.resolve({ kid: key.kid, activeMs: 0 })
        },
        async revoke(kid) {
          if (!keys.some(({ key }) => key.kid === kid)) return await made.revoke(kid)
          keys.length = 0
          ringUntilSec = Infinity
          generation += 1
          return true
        },
      }))
    },
    kills: ['gateway/jwks/rotate-publish-before-use', 'gateway/jwks/rotate-retention'],
  },
  {
    id: 'G49',
    flaw: 'takes the old key out as soon as the new one signs',
    make: () =>
      following((made, used) => ({
        answer: answering(made, (keys) => keys.filter(({ kid }) => !used.slice(0, -1).includes(String(kid)))),
      })),
    kills: ['gateway/jwks/rotate-retention'],
  },
  {
    id: 'G135',
    flaw: 'never takes a retired key out',
    make() {
      const known = new Map<string, JsonObject>()
      const revoked = new Set<string>()
      return service((made) => ({
        answer: answering(made, (keys) => {
          for (const key of keys) known.set(String(key['kid']), key)
          return [...known.values()].filter(({ kid }) => !revoked.has(String(kid)))
        }),
        async revoke(kid) {
          revoked.add(kid)
          return await made.revoke(kid)
        },
      }))
    },
    kills: ['gateway/jwks/rotate-retention'],
  },
  {
    id: 'G50',
    flaw: 'goes on to publish and use a signing key that was revoked',
    make: () => service(() => ({ revoke: () => Promise.resolve(true) })),
    kills: ['gateway/jwks/emergency-revocation'],
  },
  {
    id: 'G137',
    flaw: 'sends kept tokens of a signing key that was revoked',
    make: () => service(() => ({ generation: () => 0 })),
    kills: ['gateway/jwks/emergency-revocation'],
  },
  {
    id: 'G138',
    flaw: 'forwards without a token once a signing key was revoked',
    make: () => ({
      kinds: [
        {
          ...upstreamJwt,
          create(options, context) {
            const attach = upstreamJwt.create(options, context)
            return (request) => (context.tokens?.generation() === 0 ? attach(request) : undefined)
          },
        },
      ],
    }),
    kills: [
      'gateway/jwks/emergency-revocation',
      'gateway/spoofing/request-smuggling',
      'gateway/faults/signer-down',
      'gateway/faults/every-forward-is-signed',
    ],
    whole: true,
  },
  {
    id: 'G96',
    flaw: 'derives its issuer from the Host header, which is not its public name',
    make() {
      const host = new AsyncLocalStorage<string | undefined>()
      let mints = 0
      const issuerOf = ({ issuer }: JwtService, name: string | undefined): string =>
        name === undefined ? issuer : `http://${name}${new URL(issuer).pathname}`
      const { options } = service((made) => ({
        // Nothing is kept: the next caller may come by another name.
        generation: () => (mints += 1),
        sign: (claims, lifetimeSec) => made.sign({ ...claims, iss: issuerOf(made, host.getStore()) }, lifetimeSec),
        answer(path, method, headers) {
          const verdict = made.answer(path, method, headers)
          if (!isServed(verdict)) return verdict
          return { ...verdict, body: verdict.body.replaceAll(made.issuer, issuerOf(made, headers.get('host'))) }
        },
      }))
      const inbound: GatewaySteps['inbound'] = (route, request, incoming) =>
        host.run(incoming.headers.host, () => referenceSteps.inbound(route, request, incoming))
      return {
        options: { ...options, steps: { inbound } },
        // The public name of a gateway is seldom the one that it is called by here.
        declares: ({ issuer = '', ...profile }) => ({ ...profile, issuer: issuer.replace('127.0.0.1', 'localhost') }),
      }
    },
    kills: [
      'gateway/jwks/discovery',
      'gateway/token/issuer-audience',
      'gateway/spoofing/request-smuggling',
      'gateway/faults/every-forward-is-signed',
    ],
  },
  {
    id: 'G139',
    flaw: 'serves other keys at the jwks_uri of its metadata',
    make() {
      const other = rsaKey('other', 2048)
      return service((made) => ({
        answer(path, method, headers) {
          const isOld = path.endsWith('/old-jwks.json')
          const verdict = made.answer(isOld ? path.replace('/old-jwks.json', '/jwks.json') : path, method, headers)
          if (!isServed(verdict)) return verdict
          if (isOld) return { ...verdict, body: JSON.stringify({ keys: [other] }) }
          return path.endsWith('/openid-configuration')
            ? { ...verdict, body: verdict.body.replace('/jwks.json', '/old-jwks.json') }
            : verdict
        },
      }))
    },
    kills: ['gateway/jwks/discovery'],
  },
]
