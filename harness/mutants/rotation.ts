import { createHmac, createSecretKey } from 'node:crypto'
import type { JsonObject } from '../model/json.ts'
import { createJwksClient, strictJwksParts } from '../origin/jwks-client.ts'
import type { JwksClient, JwksClientOptions, JwksParts, JwksState } from '../origin/jwks-client.ts'
import { keysOf } from '../origin/jwks-fetch.ts'
import type { KeyMap } from '../origin/jwks-fetch.ts'
import { findKeyWith, strictKeyParts } from '../origin/find-key.ts'
import { referenceSteps } from '../origin/server.ts'
import type { Steps } from '../origin/steps.ts'
import type { Mutant } from './mutant.ts'

/** The JWKS client with other parts, made anew for every start. */
export function jwksWith(makeParts: () => Partial<JwksParts>, change: Partial<JwksClientOptions> = {}) {
  return (): Partial<Steps> => ({ createJwks: (options) => createJwksClient({ ...options, ...change }, makeParts()) })
}

/** The JWKS client with its lookup wrapped. */
export function finding(wrap: (client: JwksClient, options: JwksClientOptions) => JwksClient['find']) {
  return (): Partial<Steps> => ({
    createJwks(options) {
      const client = createJwksClient(options)
      return { ...client, find: wrap(client, options) }
    },
  })
}

/** The keys of the set, symmetric ones too. */
function withSymmetric(document: unknown): KeyMap {
  const { keys } = document as { readonly keys: readonly JsonObject[] }
  const symmetric = keys.filter(({ kty }) => kty === 'oct')
  return new Map([...keysOf(document), ...symmetric.map((key) => [String(key['kid']), [key]] as const)])
}

const NEVER = Number.POSITIVE_INFINITY

const empty = (state: JwksState): void => {
  state.keys = new Map()
}

/** Findings about rotation. */
export const rotationMutants: readonly Mutant[] = [
  {
    id: 'O08',
    flaw: 'lower-cases a kid, and takes hexadecimal digits alone',
    steps: () => ({
      findKey: findKeyWith({
        ...strictKeyParts,
        select(parsed, context) {
          const kid = String(parsed.header['kid'])
          return /^[\w-]+$/u.test(kid) ? strictKeyParts.select(parsed, context) : Promise.resolve({ kind: 'unknown' })
        },
      }),
    }),
    kills: ['origin/kid-rotation/kid-is-an-opaque-string'],
  },
  {
    id: 'O09',
    flaw: 'uses the first key of the set, whatever the kid',
    steps: finding((client) => async (kid) => {
      const found = await client.find(kid)
      const [first] = client.held()
      return found.kind === 'found' && first ? { kind: 'found', jwks: [first] } : found
    }),
    kills: [
      'origin/signature/control-valid',
      'origin/kid-rotation/new-kid-picked-up',
      'origin/kid-rotation/overlap-both-keys',
      'origin/kid-rotation/early-token-then-publish',
      'origin/kid-rotation/many-keys-any-order',
      'origin/kid-rotation/kid-is-an-opaque-string',
      'origin/kid-rotation/under-load',
      'origin/jwks-caching/flood-does-not-starve',
    ],
  },
  {
    id: 'O65',
    flaw: 'loads the JWKS once, and never again',
    steps: jwksWith(() => ({}), { maxAgeSec: NEVER, cooldownSec: NEVER, honoursCacheControl: false }),
    kills: [
      'origin/kid-rotation/new-kid-picked-up',
      'origin/kid-rotation/removed-key-rejected',
      'origin/kid-rotation/removed-key-after-refetch',
      'origin/kid-rotation/early-token-then-publish',
      'origin/kid-rotation/many-keys-any-order',
      'origin/kid-rotation/kid-is-an-opaque-string',
      'origin/kid-rotation/under-load',
      'origin/jwks-caching/flood-does-not-starve',
      'origin/jwks-caching/stale-is-bounded',
      'origin/jwks-caching/cold-outage',
      'origin/jwks-caching/bad-document-fails-closed',
    ],
  },
  {
    id: 'O66',
    flaw: 'adds the keys that it fetches to those that it has',
    steps: jwksWith(() => ({
      renews(state, fetched: KeyMap) {
        state.keys = new Map([...state.keys, ...fetched])
      },
    })),
    kills: ['origin/kid-rotation/removed-key-rejected', 'origin/kid-rotation/removed-key-after-refetch'],
  },
  {
    id: 'O67',
    flaw: 'remembers for ever that a kid is unknown',
    steps: finding((client) => {
      const unknown = new Set<string>()
      return async (kid) => {
        if (unknown.has(kid)) return { kind: 'unknown' }
        const found = await client.find(kid)
        if (found.kind === 'unknown') unknown.add(kid)
        return found
      }
    }),
    kills: ['origin/kid-rotation/removed-key-after-refetch', 'origin/kid-rotation/early-token-then-publish'],
  },
  {
    id: 'O69',
    flaw: 'empties its keys while it fetches the new ones',
    steps: jwksWith(() => ({ begins: empty, shares: false })),
    kills: [
      'origin/kid-rotation/under-load',
      'origin/jwks-caching/single-flight',
      'origin/jwks-caching/failed-refresh-keeps-keys',
      'origin/jwks-caching/stale-if-error',
      'origin/jwks-caching/stale-is-bounded',
      'origin/jwks-caching/refresh-does-not-block',
      'origin/jwks-caching/bad-document-fails-closed',
      'origin/jwks-caching/huge-document',
      'origin/jwks-caching/conditional-request',
    ],
  },
  {
    id: 'O70',
    flaw: 'fetches the JWKS for every request',
    steps: finding((_, options) => (kid) => createJwksClient(options).find(kid)),
    kills: [
      'origin/kid-rotation/many-keys-any-order',
      'origin/kid-rotation/under-load',
      'origin/jwks-caching/cached',
      'origin/jwks-caching/single-flight',
      'origin/jwks-caching/refetch-bounded',
      'origin/jwks-caching/outage-warm',
      'origin/jwks-caching/failed-refresh-keeps-keys',
      'origin/jwks-caching/stale-if-error',
      'origin/jwks-caching/refresh-does-not-block',
      'origin/jwks-caching/bad-document-fails-closed',
      'origin/jwks-caching/cache-control-honoured',
    ],
  },
  {
    id: 'O72',
    flaw: 'fetches the JWKS again for every unknown kid',
    steps: jwksWith(() => ({ shares: false }), { cooldownSec: 0 }),
    kills: [
      'origin/kid-rotation/under-load',
      'origin/jwks-caching/single-flight',
      'origin/jwks-caching/refetch-bounded',
    ],
  },
  {
    id: 'O73',
    flaw: 'starts the cooldown anew with every unknown kid',
    steps: jwksWith(() => ({
      misses(state, _kid, nowSec) {
        state.triedAt = nowSec
      },
    })),
    kills: ['origin/jwks-caching/flood-does-not-starve'],
  },
  {
    id: 'O74',
    flaw: 'throws its keys away before it fetches',
    steps: jwksWith(() => ({
      begins(state) {
        empty(state)
        state.etag = undefined
      },
    })),
    kills: [
      'origin/jwks-caching/failed-refresh-keeps-keys',
      'origin/jwks-caching/stale-if-error',
      'origin/jwks-caching/refresh-does-not-block',
      'origin/jwks-caching/bad-document-fails-closed',
      'origin/jwks-caching/huge-document',
    ],
  },
  {
    id: 'O75',
    flaw: 'serves stale keys for as long as the JWKS is away',
    steps: jwksWith(() => ({}), { staleSec: NEVER }),
    kills: [
      'origin/jwks-caching/stale-is-bounded',
      'origin/jwks-caching/cold-outage',
      'origin/jwks-caching/slow-endpoint',
      'origin/jwks-caching/bad-document-fails-closed',
    ],
  },
  {
    id: 'O76',
    flaw: 'serves no stale keys, although it declares to',
    steps: jwksWith(() => ({}), { staleSec: 0 }),
    kills: ['origin/jwks-caching/stale-if-error'],
  },
  {
    id: 'O78',
    flaw: 'remembers a failed first fetch for ever',
    steps: finding((client) => {
      let isBroken = false
      return async (kid) => {
        if (isBroken) return { kind: 'unavailable' }
        const found = await client.find(kid)
        isBroken = found.kind === 'unavailable'
        return found
      }
    }),
    kills: [
      'origin/jwks-caching/stale-is-bounded',
      'origin/jwks-caching/cold-outage',
      'origin/jwks-caching/bad-document-fails-closed',
    ],
  },
  {
    id: 'O79',
    flaw: 'waits for the JWKS without a timeout',
    steps: jwksWith(() => ({}), { timeoutMs: 3_600_000 }),
    kills: ['origin/jwks-caching/slow-endpoint'],
  },
  {
    id: 'O82',
    flaw: 'imports symmetric keys of the JWKS, and verifies with them',
    steps: () => ({
      ...jwksWith(() => ({ keysOf: withSymmetric }))(),
      async findKey(parsed, context) {
        const found = await context.jwks.find(String(parsed.header['kid']))
        const oct = found.kind === 'found' ? found.jwks.find(({ kty }) => kty === 'oct') : undefined
        return oct
          ? { jwk: oct, publicKey: createSecretKey(Buffer.alloc(1)) }
          : await referenceSteps.findKey(parsed, context)
      },
      verify(parsed, key) {
        if (key.jwk['kty'] !== 'oct') return referenceSteps.verify(parsed, key)
        const secret = Buffer.from(String(key.jwk['k']), 'base64url')
        const mac = createHmac('sha256', secret).update(parsed.signingInput).digest()
        return mac.equals(parsed.signature) ? parsed.claims : undefined
      },
    }),
    kills: ['origin/jwks-caching/oct-key-not-usable'],
  },
  {
    id: 'O85',
    flaw: 'ignores max-age, although it declares to honour it',
    steps: jwksWith(() => ({}), { honoursCacheControl: false }),
    kills: ['origin/jwks-caching/cache-control-honoured'],
  },
  {
    id: 'O84',
    flaw: 'takes 304 for an empty set',
    steps: jwksWith(() => ({
      async fetchSet(options, etag) {
        const fetched = await strictJwksParts.fetchSet(options, etag)
        return fetched === 'not-modified' ? { document: { keys: [] }, etag, maxAgeSec: undefined } : fetched
      },
    })),
    kills: [
      'origin/jwks-caching/stale-is-bounded',
      'origin/jwks-caching/bad-document-fails-closed',
      'origin/jwks-caching/conditional-request',
    ],
  },
]
