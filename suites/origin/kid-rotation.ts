import type { OriginBench } from '../../harness/model/bench.ts'
import { defineSuite } from '../../harness/model/case.ts'
import type { ConformanceCase } from '../../harness/model/case.ts'
import type { SigningKey, Token } from '../../harness/model/token.ts'

const FETCHED = 'No fetch of the JWKS was seen after the publication, so that nothing was picked up.'

/** The main key and, where another type is declared too, a key of that type. */
function oneOfEachType({ proven, profile }: OriginBench): readonly SigningKey[] {
  const declared = proven.filter(({ alg, role }) => role === alg && profile.algorithms.includes(alg))
  const types = new Map<string, SigningKey>()
  for (const key of declared) if (!types.has(key.kty)) types.set(key.kty, key)
  return [...types.values()].slice(0, 2)
}

function signedBy({ mint }: OriginBench, key: SigningKey): Token {
  return mint({}, { key })
}

/** The key under a kid that is never published: the origin must not know the key itself. */
function underOtherKid(bench: OriginBench, key: SigningKey): Token {
  return bench.mint({}, { key: { ...key, kid: bench.nonce() } })
}

/** An ordinary key that can be taken away, or one that the origin was brought to accept. */
async function removable(bench: OriginBench): Promise<SigningKey> {
  const { jwks, observes, guard, proven } = bench
  const [, spare] = proven
  if (spare) return spare
  const key = jwks.newKey()
  jwks.publish(key)
  await jwks.renew()
  const { outcome } = await observes(signedBy(bench, key), 'token of a key that was just published')
  guard(outcome === 'accepted', 'A key that was just published is not accepted, so that its removal proves nothing.')
  return key
}

/** Publishes a new key and takes the old one away. */
function replaced({ jwks }: OriginBench, removed: SigningKey): SigningKey {
  const kept = jwks.newKey()
  jwks.publish(kept)
  jwks.withdraw(removed)
  return kept
}

/** A token of a key that is gone: what proves the shape of its request is the main key. */
function revoked(bench: OriginBench, removed: SigningKey): Token {
  return { ...signedBy(bench, removed), provenBy: bench.keys.main.role, control: false }
}

/** How libraries are told to look again for an unknown kid. */
const LOOK_AGAIN: NonNullable<ConformanceCase['snippets']> = {
  jose: 'createRemoteJWKSet(new URL(JWKS_URL)) // looks again on its own, 30 s after the last fetch',
  PyJWT: 'PyJWKClient(JWKS_URL).get_signing_key_from_jwt(token)  # looks again when the kid is unknown',
  'python-jose':
    'if kid not in keys and time.monotonic() - fetched_at > 30: keys = fetch()  # python-jose fetches nothing itself',
  'golang-jwt': 'keyfunc.NewDefault([]string{jwksURL}) // refreshes for an unknown kid, rate limited',
}

export default defineSuite({
  id: 'origin/kid-rotation',
  title: 'kid rotation',
  cases: [
    {
      id: 'new-kid-picked-up',
      title: 'accepts the first token of a new key once its cooldown has passed',
      level: 'MUST',
      clause: ['oidc-core/rotation', 'rfc8725/agility'],
      needs: ['issuer', 'jwks-fetched', 'jwks-cooldown'],
      runs: 'alone',
      rationale:
        'An origin that does not look again refuses every caller after a rotation, until its cache expires or someone restarts it.',
      remedy: 'Read the JWKS again when a kid is unknown, at most once in the cooldown.',
      snippets: LOOK_AGAIN,
      async run(bench) {
        const { jwks, accepts, refuses, guard, mint } = bench
        for (const like of oneOfEachType(bench)) {
          await accepts(mint(), `valid token before the rotation to ${like.alg}`)
          const key = jwks.newKey({ like })
          await refuses(underOtherKid(bench, key), `token of the new ${like.alg} key under a kid that is not published`)
          jwks.publish(key)
          await jwks.cooldown()
          jwks.mark()
          const { outcome } = await accepts(signedBy(bench, key), `first token of the new ${like.alg} key`)
          guard(outcome !== 'accepted' || jwks.fetches().length > 0, FETCHED)
        }
      },
    },
    {
      id: 'overlap-both-keys',
      title: 'accepts tokens of both keys while two are published',
      level: 'MUST',
      clause: ['oidc-core/rotation'],
      needs: ['issuer'],
      runs: 'alone',
      rationale: 'During a rotation both keys sign: an origin that takes only one of them fails half of the requests.',
      remedy: 'Select the key by the kid of the token among all keys of the JWKS.',
      async run(bench) {
        const { proven, jwks, can, accepts, refuses, mint } = bench
        const published = proven.filter(({ kty }) => kty === bench.keys.main.kty)
        const [first = bench.keys.main, other] = published
        if (!other && !can('jwks-renewal', 'two keys at a time')) return
        const second = other ?? jwks.newKey()
        if (!other) {
          jwks.publish(second)
          await jwks.renew()
        }
        for (let turn = 0; turn < 20; turn += 1) {
          const key = turn % 2 === 0 ? first : second
          await accepts(
            signedBy(bench, key),
            `token ${turn + 1} of 20, of the ${turn % 2 === 0 ? 'first' : 'second'} key`,
          )
        }
        const stranger = jwks.newKey()
        await refuses(
          mint({}, { key: { ...stranger, kid: second.kid } }),
          'token of an unknown key under the second kid',
        )
      },
    },
    {
      id: 'removed-key-rejected',
      title: 'refuses tokens of a removed key once the age of its cache has passed',
      level: 'MUST',
      clause: ['cve-2025-22149', 'cwe-613', 'rfc8725/received-claims'],
      needs: ['issuer', 'jwks-fetched', 'jwks-max-age'],
      runs: 'alone',
      rationale: 'Removing a key from the JWKS is how a gateway revokes it: a leaked key must not sign for ever.',
      remedy:
        'Replace the cached set with each fetch, and fetch again at its declared age, also when every kid is known.',
      snippets: {
        jose: 'createRemoteJWKSet(url, { cacheMaxAge: 600_000 })',
        PyJWT: 'PyJWKClient(url, lifespan=300)  # and leave cache_keys off',
      },
      async run(bench) {
        const { jwks, accepts, refuses, guard } = bench
        const removed = await removable(bench)
        await accepts(signedBy(bench, removed), 'token of the key before its removal')
        const kept = replaced(bench, removed)
        await jwks.expire()
        jwks.mark()
        await refuses(revoked(bench, removed), 'token of the removed key, not expired')
        await accepts(signedBy(bench, kept), 'token of the key that took its place')
        guard(jwks.fetches().length > 0, FETCHED)
      },
    },
    {
      id: 'removed-key-after-refetch',
      title: 'refuses tokens of a removed key as soon as it has fetched the JWKS without it',
      level: 'SHOULD',
      clause: ['cve-2025-22149'],
      needs: ['issuer', 'jwks-fetched', 'jwks-cooldown'],
      runs: 'alone',
      rationale: 'An origin that was told of the revocation and goes on accepting the key keeps an attacker in.',
      remedy: 'Replace the whole set with each fetch, and keep no key beside it.',
      async run(bench) {
        const { jwks, accepts, refuses, guard } = bench
        const removed = await removable(bench)
        await accepts(signedBy(bench, removed), 'token of the key before its removal')
        const kept = replaced(bench, removed)
        await jwks.cooldown()
        jwks.mark()
        await accepts(signedBy(bench, kept), 'token of the key that took its place')
        guard(jwks.fetches().length > 0, FETCHED)
        await refuses(revoked(bench, removed), 'token of the removed key, right after the fetch')
      },
    },
    {
      id: 'early-token-then-publish',
      title: 'accepts a token that came before its key was published, once it is',
      level: 'MUST',
      clause: ['oidc-core/rotation', 'cwe-524'],
      needs: ['issuer', 'jwks-fetched', 'jwks-cooldown'],
      runs: 'alone',
      rationale:
        'One request that is ahead of the JWKS must not lock the new key out: kids that are unknown do not stay so.',
      remedy: 'Remember unknown kids for the cooldown at most.',
      async run(bench) {
        const { jwks, accepts, refuses, guard } = bench
        const key = jwks.newKey()
        await refuses(signedBy(bench, key), 'token whose key is not published yet')
        jwks.publish(key)
        await jwks.cooldown()
        jwks.mark()
        const { outcome } = await accepts(signedBy(bench, key), 'token of the same key after its publication')
        guard(outcome !== 'accepted' || jwks.fetches().length > 0, FETCHED)
      },
    },
    {
      id: 'many-keys-any-order',
      title: 'finds the key among many, whatever their order',
      level: 'MUST',
      clause: ['rfc7517/keys'],
      needs: ['issuer', 'jwks-fetched', 'cold-start'],
      runs: 'alone',
      rationale:
        'The order of a JWKS says nothing: who takes the first key, or keeps five, fails when there are eight.',
      remedy: 'Look the key up by kid in the whole set, and keep all of it.',
      async run(bench) {
        const { jwks, accepts, judge } = bench
        const keys = Array.from({ length: 8 }, () => jwks.newKey())
        const [first, , , fourth, , , , eighth] = keys
        if (!first || !fourth || !eighth) return
        for (const [order, published] of [
          ['as they were made', keys],
          ['in reverse', keys.toReversed()],
        ] as const) {
          jwks.publish(...published)
          await jwks.coldStart()
          await accepts(signedBy(bench, first), `token of the first of eight keys, ${order}`)
          await accepts(signedBy(bench, fourth), `token of the fourth, ${order}`)
          await accepts(signedBy(bench, eighth), `token of the eighth, ${order}`)
          jwks.mark()
          await accepts(signedBy(bench, first), `token of the first again, ${order}`)
          judge(jwks.fetches().length === 0, {
            stimulus: `a key that was used a moment ago, ${order}`,
            expected: 'no further fetch for it',
            observed: `${jwks.fetches().length} fetches`,
          })
        }
      },
    },
    {
      id: 'kid-is-an-opaque-string',
      title: 'takes a kid as a string of any characters',
      level: 'SHOULD',
      clause: ['rfc7517/kid', 'rfc7638/thumbprint'],
      needs: ['issuer', 'jwks-fetched', 'jwks-renewal'],
      runs: 'alone',
      rationale: 'The issuer alone decides what a kid looks like, and may change its mind at the next rotation.',
      remedy: 'Compare kids octet by octet: no pattern, no lower case, no length of your own below a few hundred.',
      async run(bench) {
        const { jwks, accepts, keys } = bench
        const kids = [keys.main.thumbprint, 'a/b+c=d', 'k 1', 'ключ', 'k'.repeat(200), '1', 'Key-A', 'key-a']
        const made = kids.map((kid) => jwks.newKey({ kid }))
        jwks.publish(...made)
        await jwks.renew()
        for (const key of made) {
          const name = key.kid.length > 60 ? `of ${key.kid.length} characters` : JSON.stringify(key.kid)
          await accepts(signedBy(bench, key), `kid ${name}`)
        }
      },
    },
    {
      id: 'under-load',
      title: 'takes up a new key under load without refusing anyone',
      level: 'SHOULD',
      clause: ['oidc-core/rotation'],
      needs: ['issuer', 'jwks-fetched', 'jwks-cooldown', 'finite-workers'],
      runs: 'alone',
      rationale: 'A rotation happens while requests come in: emptying the cache first refuses all that are in flight.',
      remedy: 'Put the new set in place of the old one in one step, and let requests share one fetch.',
      async run(bench) {
        const { jwks, accepts, judge, guard, mint, profile } = bench
        await accepts(mint(), 'valid token before the rotation')
        const key = jwks.newKey()
        jwks.publish(key)
        await jwks.cooldown()
        // Slow enough that requests of both keys are in flight while the set is fetched.
        jwks.serve({ delayMs: 50 })
        jwks.mark()
        const halves = Array.from({ length: 200 }, (_, turn) => turn % 2 === 0)
        await Promise.all(
          halves.map((isNew, turn) =>
            accepts(
              isNew ? signedBy(bench, key) : mint(),
              `request ${turn + 1} of 200, of the ${isNew ? 'new' : 'old'} key`,
            ),
          ),
        )
        const fetches = jwks.fetches().length
        guard(fetches > 0, FETCHED)
        const most = 2 * Number(profile.jwks.workers)
        judge(fetches <= most, {
          stimulus: '200 requests at the same time',
          expected: `${most} fetches at most`,
          observed: `${fetches} fetches`,
        })
      },
    },
  ],
})
