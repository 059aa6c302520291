import { createHash } from 'node:crypto'
import type { OriginBench } from '../../harness/model/bench.ts'
import type { ConformanceCase } from '../../harness/model/case.ts'
import { NotApplicable } from '../../harness/model/errors.ts'
import type { Json, JsonObject } from '../../harness/model/json.ts'
import type { KeyRole, SigningKey, Token } from '../../harness/model/token.ts'
import { refuseAll } from '../stimuli.ts'
import type { Stimulus } from '../stimuli.ts'

const ATTACKERS: readonly KeyRole[] = ['attacker-rsa', 'attacker-ec', 'attacker-ed']

/** The attacker's key of the same type as the main one, so that only its origin is wrong. */
function attackerOf({ keys }: OriginBench, kty: SigningKey['kty'] = keys.main.kty): SigningKey {
  return keys.get(ATTACKERS.find((role) => keys.get(role).kty === kty) ?? 'attacker-rsa')
}

/** A token that an attacker signed with the algorithm of the main key. */
function forged(
  bench: OriginBench,
  header: Readonly<Record<string, Json | undefined>>,
  claims: JsonObject = {},
): Token {
  const { mint, keys } = bench
  return mint(claims, { key: attackerOf(bench), header: { alg: keys.main.alg, ...header } })
}

const HOSTILE_KIDS: readonly (readonly [string, Json | undefined])[] = [
  ['no kid', undefined],
  ['kid 1', 1],
  ['kid null', null],
  ['kid true', true],
  ['kid an array', []],
  ['kid an object', {}],
  ['kid an empty string', ''],
  ['kid of 10 kB', 'k'.repeat(10_000)],
  ['kid "__proto__"', '__proto__'],
  ['kid "constructor"', 'constructor'],
  ['kid "toString"', 'toString'],
  ['kid U+0000', '\u0000'],
]

const SQL_SECRET = 'trustspec-union-secret'

interface Injection {
  readonly name: string
  readonly token: Token
  /** What a request that was made of the kid would hold. */
  readonly mark: string
}

function injections(bench: OriginBench): readonly Injection[] {
  const { mint, canary } = bench
  const hmac = (kid: string, secret: string): Token =>
    mint({}, { key: new Uint8Array(Buffer.from(secret)), header: { alg: 'HS256', kid } })
  const union = `x' UNION SELECT '${SQL_SECRET}' -- `
  const url = canary.url('kid')
  return [
    { name: 'kid a path to an empty file', token: hmac('../../../../dev/null', ''), mark: 'dev/null' },
    { name: 'kid an SQL UNION with a known secret', token: hmac(union, SQL_SECRET), mark: SQL_SECRET },
    { name: 'kid with a quote', token: forged(bench, { kid: `x' OR '1'='1` }), mark: "OR '1'" },
    { name: 'kid an LDAP filter', token: forged(bench, { kid: '*)(uid=*' }), mark: '(uid=*' },
    { name: 'kid a shell pipe', token: forged(bench, { kid: '|id' }), mark: '|id' },
    { name: 'kid a shell command that sleeps', token: forged(bench, { kid: ';sleep 5' }), mark: 'sleep 5' },
    { name: 'kid a URL', token: forged(bench, { kid: url }), mark: url },
    { name: 'kid with an encoded line break', token: forged(bench, { kid: '%0d%0aX: y' }), mark: 'X: y' },
  ]
}

/** A request target as its sender meant it; as it is where it cannot be decoded. */
function decoded(target: string): string {
  try {
    return decodeURIComponent(target.replaceAll('+', ' '))
  } catch {
    return target
  }
}

/** Tokens that name a place of the attacker where their key is to be had. */
function pointers(bench: OriginBench): readonly Stimulus[] {
  const { canary, profile } = bench
  const kid = attackerOf(bench).kid
  const at = (name: string): URL => new URL(canary.url(name))
  const trusted = URL.canParse(profile.issuer) ? new URL(profile.issuer) : new URL('https://issuer.example.com')
  const behind = (start: string, name: string): string => `${start}@${at(name).host}${at(name).pathname}`
  const userinfo = (name: string): string => behind(`${at(name).protocol}//${trusted.hostname}`, name)
  const prefix = (name: string): string => behind(trusted.origin, name)
  const withFragment = (name: string): string => `${at(name).href}#${trusted.href}`
  const withQuery = (name: string): string => `${at(name).href}?${trusted.href}`
  const plain = (name: string): string => at(name).href
  const forms = [
    ['', plain],
    [' with the trusted host as its userinfo', userinfo],
    [' with the trusted origin as its prefix', prefix],
    [' with the trusted URL as its fragment', withFragment],
    [' with the trusted URL as its query', withQuery],
  ] as const
  return forms.flatMap(([how, url], form): Stimulus[] => [
    [`jku of an attacker${how}`, forged(bench, { kid, jku: url(`jku-${form}/jwks.json`) })],
    [`x5u of an attacker${how}`, forged(bench, { kid, x5u: url(`x5u-${form}/chain.pem`) })],
    [`iss of an attacker${how}`, forged(bench, { kid }, { iss: url(`iss-${form}`) })],
  ])
}

/** Keys from the configured JWKS alone, as each library is told it. */
const CONFIGURED_JWKS: NonNullable<ConformanceCase['snippets']> = {
  jose: 'await jwtVerify(token, createRemoteJWKSet(new URL(JWKS_URL)), options)',
  PyJWT: 'key = PyJWKClient(JWKS_URL).get_signing_key_from_jwt(token).key',
  'Spring Security': 'NimbusJwtDecoder.withJwkSetUri(JWKS_URL).build()',
}

/** Cases about the key: whose it is, and how it is found. */
export const keyCases: readonly ConformanceCase[] = [
  {
    id: 'wrong-key-known-kid',
    title: "refuses a token that bears a known kid and another key's signature",
    level: 'MUST',
    clause: ['rfc8725/issuer', 'rfc9068/validation'],
    needs: [],
    rationale: 'The kid is public and free to copy; only the signature tells the gateway from an attacker.',
    remedy: 'Verify the signature of every token with the key that kid names in the JWKS of the gateway.',
    async run(bench) {
      const { keys, mint, profile } = bench
      const published = profile.algorithms
        .filter((algorithm) => !algorithm.startsWith('HS'))
        .map((algorithm) => keys.get(algorithm as KeyRole))
      const types = new Map([...published, keys.main].map((key) => [key.kty, key]))
      await refuseAll(
        bench,
        [...types.values()].map((key): Stimulus => {
          const token = mint({}, { key: attackerOf(bench, key.kty), header: { alg: key.alg, kid: key.kid } })
          return [`signed by an unknown ${key.kty} key under a known kid`, token]
        }),
      )
    },
  },
  {
    id: 'embedded-key',
    title: 'refuses a token that brings its own key',
    level: 'MUST',
    clause: ['rfc7515/jwk', 'rfc7515/x5c', 'rfc7515/key-origin', 'cve-2018-0114', 'cwe-295'],
    needs: [],
    rationale: 'A key inside the token was put there by whoever wrote it; to trust it is to trust everyone.',
    remedy: 'Take keys from the JWKS of the gateway alone, and ignore jwk, x5c and x5t of the token.',
    snippets: CONFIGURED_JWKS,
    async run(bench) {
      const { certificate, keys } = bench
      const attacker = attackerOf(bench)
      const der = certificate(attacker)
      const { kid: _, use: __, alg: ___, ...jwk } = attacker.jwk
      const x5c = {
        x5c: [Buffer.from(der).toString('base64')],
        'x5t#S256': createHash('sha256').update(der).digest('base64url'),
      }
      const kids = [
        ['no kid', undefined],
        ['the kid of the attacker', attacker.kid],
        ['a known kid', keys.main.kid],
      ] as const
      await refuseAll(
        bench,
        kids.flatMap(([name, kid]): Stimulus[] => [
          [`its key in jwk, ${name}`, forged(bench, { kid, jwk })],
          [`its certificate in x5c, ${name}`, forged(bench, { kid, ...x5c })],
        ]),
      )
    },
  },
  {
    id: 'remote-key-url',
    title: 'refuses a token whose key is to be fetched from an attacker',
    level: 'MUST',
    clause: ['rfc8725/received-claims', 'rfc7515/jku', 'rfc7515/x5u'],
    needs: [],
    rationale: 'A token that says where its key is can name any server, and so can its iss.',
    remedy: 'Configure the JWKS URL, and never take it from jku, x5u or iss of a token.',
    snippets: CONFIGURED_JWKS,
    async run(bench) {
      await refuseAll(bench, pointers(bench))
    },
  },
  {
    id: 'no-ssrf',
    title: 'does not fetch URLs that a token names',
    level: 'SHOULD',
    clause: ['rfc8725/received-claims', 'cwe-918'],
    needs: ['canary'],
    rationale: 'Whoever can make the origin fetch a URL can reach what only the origin can reach.',
    remedy: 'Ignore jku, x5u and unknown values of iss before anything is fetched.',
    async run(bench) {
      await refuseAll(bench, pointers(bench))
      const hits = bench.canary.hits()
      bench.judge(hits.length === 0, {
        stimulus: 'tokens that name URLs',
        expected: 'no request to any of them',
        observed: `${hits.length} requests, the first one ${hits[0] ?? '(none)'}`,
      })
    },
  },
  {
    id: 'kid-hostile-type',
    title: 'refuses a kid that is missing, no string, or a name of the language itself',
    level: 'MUST',
    clause: ['rfc7515/kid', 'rfc8725/received-claims'],
    needs: [],
    rationale:
      'Anyone can send such a kid without a key: an exception here is a way to fill the log and page the team.',
    remedy: 'Check that kid is a string before looking it up in a map, and answer 401 when it is not there.',
    async run(bench) {
      await refuseAll(
        bench,
        HOSTILE_KIDS.map(([name, kid]) => [name, forged(bench, { kid })]),
      )
    },
  },
  {
    id: 'kid-injection',
    title: 'treats kid as data, not as a path, a query or a command',
    level: 'MUST',
    clause: ['rfc8725/received-claims', 'cwe-22', 'cwe-89', 'cwe-918'],
    needs: [],
    rationale: 'A kid that becomes part of a file name, a query or a URL lets the caller choose the key or run code.',
    remedy: 'Look kid up in the keys that were fetched, by equality, and use it for nothing else.',
    async run(bench) {
      const { control, observes, judge, can, canary, jwksFetches, refuses, profile } = bench
      const baseline = await observes(control(), 'a valid token, for its latency')
      const stimuli = injections(bench)
      for (const { name, token } of stimuli) {
        const { ms } = await refuses(token, name)
        judge(ms < baseline.ms + 2_000, {
          stimulus: name,
          expected: `an answer within 2 s of that to a valid token (${Math.round(baseline.ms)} ms)`,
          observed: `${Math.round(ms)} ms`,
        })
      }
      // Where a gateway publishes a file for each kid, the kid is a name of one: a segment, and no more than that.
      const isName = (target: string): boolean => profile.jwks.mode === 'per-kid' && /^\/[^/?#]*$/u.test(target)
      const strange = jwksFetches().filter(
        (target) => stimuli.some(({ mark }) => decoded(target).includes(mark)) && !isName(target),
      )
      judge(strange.length === 0, {
        stimulus: 'kid as part of the JWKS request',
        expected: 'the same request target as for every other token',
        observed: `${strange.length} requests to other targets`,
      })
      if (!can('canary', 'no request to a URL in kid')) return
      judge(canary.hits().length === 0, {
        stimulus: 'kid a URL',
        expected: 'no request to it',
        observed: `${canary.hits().length} requests`,
      })
    },
  },
  {
    id: 'unsuitable-published-key',
    title: 'refuses published keys that are not meant for signatures or are too short',
    level: 'SHOULD',
    clause: ['rfc7517/use', 'rfc7517/key-ops', 'rfc7518/rsa'],
    needs: ['issuer', 'unusual-keys', 'rsa'],
    rationale: 'Keys for encryption and keys of 1024 bits are guarded less and break sooner.',
    remedy: 'Select keys whose use and key_ops permit verification, with RSA keys of 2048 bits or more.',
    async run(bench) {
      const { mint, keys, profile } = bench
      const by = (role: KeyRole): Token => ({ ...mint({}, { key: keys.get(role) }), provenBy: 'RS256' })
      if (!profile.algorithms.includes('RS256')) throw new NotApplicable('RS256 is not among the algorithms.')
      await refuseAll(bench, [
        ['signed by a key with use "enc"', by('use-enc')],
        ['signed by a key with key_ops ["encrypt"]', by('key-ops-encrypt')],
        ['signed by an RSA key of 1024 bits', by('rsa-1024')],
      ])
    },
  },
]
