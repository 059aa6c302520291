import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { ORIGIN_CAPABILITIES } from '../harness/model/capabilities.ts'
import { CHAIN_CAPABILITIES } from '../harness/model/chain-capabilities.ts'
import { CLAUSES } from '../harness/model/clauses.ts'
import { GATEWAY_CAPABILITIES } from '../harness/model/gateway-capabilities.ts'
import { ALL_SUITES, allCases, CHAIN_SUITES } from './catalog.ts'
import { CATALOG_FILE, catalogMarkdown } from './write-catalog.ts'

/** Ids are public: users name them in configurations and lists of expected findings. */
const IDS: Readonly<Record<string, readonly string[]>> = {
  'origin/signature': [
    'control-valid',
    'alg-none',
    'tampered',
    'signature-transplanted',
    'wrong-key-known-kid',
    'hmac-confusion',
    'alg-not-allowed',
    'alg-key-binding',
    'key-type-mismatch',
    'degenerate-signature',
    'ecdsa-encoding',
    'embedded-key',
    'remote-key-url',
    'no-ssrf',
    'kid-hostile-type',
    'kid-injection',
    'crit-unknown',
    'b64-false',
    'jwe-confusion',
    'unsuitable-published-key',
  ],
  'origin/observed': ['leniency'],
  'origin/format': [
    'json-serialization',
    'malformed-compact',
    'strict-encoding',
    'payload-not-object',
    'header-not-object',
    'duplicate-members',
    'name-case',
    'hostile-size',
    'tolerates-optional',
  ],
  'origin/expired-tokens': [
    'exp-past',
    'exp-past-beyond-leeway',
    'exp-missing',
    'exp-wrong-type',
    'exp-numeric-string-future',
    'exp-number-forms',
    'max-age',
    'nbf-future',
    'nbf-wrong-type',
    'expires-while-cached',
    'per-request-not-per-connection',
  ],
  'origin/claims': [
    'iss-wrong',
    'required-claims',
    'aud-wrong',
    'aud-missing',
    'aud-array-with-self',
    'sub-unknown',
    'typ-wrong',
    'scope-insufficient',
    'no-identity-mixup',
    'jti-replay',
  ],
  'origin/kid-rotation': [
    'new-kid-picked-up',
    'overlap-both-keys',
    'removed-key-rejected',
    'removed-key-after-refetch',
    'early-token-then-publish',
    'many-keys-any-order',
    'kid-is-an-opaque-string',
    'under-load',
  ],
  'origin/jwks-caching': [
    'cached',
    'single-flight',
    'refetch-bounded',
    'flood-does-not-starve',
    'outage-warm',
    'failed-refresh-keeps-keys',
    'stale-if-error',
    'stale-is-bounded',
    'cold-outage',
    'slow-endpoint',
    'refresh-does-not-block',
    'bad-document-fails-closed',
    'only-a-200-from-the-configured-url',
    'foreign-keys-ignored',
    'document-tolerance',
    'oct-key-not-usable',
    'huge-document',
    'conditional-request',
    'cache-control-honoured',
    'no-credentials-sent',
    'discovery-issuer-mismatch',
  ],
  'origin/challenge': [
    'www-authenticate',
    'bearer-error-codes',
    'no-detail-leak',
    'auth-scheme',
    'two-credentials',
    'undeclared-location',
    'shared-cache-safe',
  ],
  'origin/bypass': [
    'no-token',
    'spoofed-headers',
    'identity-from-token-only',
    'client-key-not-accepted',
    'path-variants',
    'method-variants',
    'upgrade',
    'no-side-effect',
  ],
  'origin/load': ['jwe-cost', 'invalid-flood', 'verdicts-under-concurrency', 'alive-after-run'],
  'gateway/key-auth': [
    'control-valid',
    'missing',
    'unknown',
    'near-miss',
    'case-folded',
    'hostile-values',
    'control-characters',
    'oversize',
    'two-keys',
    'undeclared-location',
    'revoked',
    'expired-or-disabled',
    'rollover-overlap',
    'route-entitlement',
    'every-method',
    'path-variants',
    'per-request-not-per-connection',
    'www-authenticate',
    'rejection-discloses-nothing',
    'format',
  ],
  'gateway/observed': ['notes'],
  'gateway/leakage': [
    'key-in-header',
    'key-in-query-cookie-body',
    'key-in-token',
    'nothing-else-stripped',
    'jwt-to-client',
    'redirect-not-followed',
    'logs',
  ],
  'gateway/token': [
    'exactly-one',
    'verifies',
    'kid-resolves',
    'well-formed',
    'issuer-audience',
    'typ',
    'short-lived',
    'times-sane',
    'fresh-with-caching',
    'subject-per-consumer',
    'jti-unique',
    'audience-per-origin',
  ],
  'gateway/jwks': [
    'document',
    'public-only',
    'key-metadata',
    'always-available',
    'stable',
    'cache-headers',
    'rotate-publish-before-use',
    'rotate-retention',
    'emergency-revocation',
    'discovery',
  ],
  'gateway/spoofing': [
    'client-token-replaced',
    'header-aliases',
    'identity-headers',
    'connection-strips-token',
    'hop-by-hop',
    'proxy-headers',
    'host-does-not-change-trust',
    'header-injection-by-encoding',
    'trailers',
    'request-smuggling',
    'upgrade',
  ],
  'gateway/rate-limits': [
    'under-limit',
    'over-limit',
    'throttle-response',
    'not-forwarded',
    'window-resets',
    'partitioning',
    'client-ip-headers',
    'cosmetic-variants',
    'parallel-burst',
    'others-cannot-burn',
    'response-syntax',
    'retry-after-honest',
    'ratelimit-fields',
    'not-cached',
    'quota',
    'state-shared',
    'concurrency',
    'auth-failures',
  ],
  'gateway/faults': [
    'origin-down',
    'origin-misbehaves',
    'no-retry-of-post',
    'key-store-down',
    'limit-store-down',
    'signer-down',
    'overload',
    'every-forward-is-signed',
  ],
  'gateway/leaked-keys': [
    'alert-revokes',
    'forged-alert',
    'raw-body',
    'key-list',
    'no-oracle',
    'batch',
    'tolerant-receiver',
    'feedback',
  ],
  chain: [
    'happy-path',
    'direct-to-origin',
    'token-expires-at-origin',
    'rotation-without-loss',
    'signing-key-revocation',
    'jwks-outage',
    'clock-skew',
    'gateway-restart',
    'instances-agree',
  ],
}

/** What a remedy may begin with; a new verb is added here. */
const VERBS =
  /^(?:Accept|Allow|Answer|Bound|Check|Compare|Configure|Count|Decide|Decode|Fetch|Forget|Give|Guard|Ignore|Import|Keep|Key|Know|Let|Limit|Log|Look|Parse|Pass|Put|Read|Record|Refuse|Remember|Remove|Replace|Require|Select|Send|Serve|Set|Sign|Split|Stop|Take|Tell|Update|Use|Verify|Wait|Write|Catch) /u

const CAPABILITIES = { origin: ORIGIN_CAPABILITIES, gateway: GATEWAY_CAPABILITIES, chain: CHAIN_CAPABILITIES }

const CASES = allCases(ALL_SUITES)

describe('catalogue', () => {
  test('has exactly the published ids, in order', () => {
    const ids = ALL_SUITES.map((suite) => [suite.id, suite.cases.map(({ id }) => id)] as const)
    expect(Object.fromEntries(ids)).toEqual(IDS)
    expect(ALL_SUITES.map(({ id }) => id)).toEqual(Object.keys(IDS))
    expect(CASES).toHaveLength(203)
    expect(new Set(CASES.map(({ id }) => id)).size).toBe(203)
  })

  test.each(['origin', 'gateway'])(
    'has one file for each suite about the %s, at the path that its id tells',
    async (subject) => {
      const files = await readdir(fileURLToPath(new URL(subject, import.meta.url)))

      const names = files.filter((name) => !name.endsWith('.test.ts')).map((name) => name.replace(/\.ts$/u, ''))

      const ids: readonly string[] = ALL_SUITES.map(({ id }) => id).filter((id) => id.startsWith(`${subject}/`))
      expect(names.map((name) => `${subject}/${name}`).toSorted()).toEqual(ids.toSorted())
      for (const name of names) {
        const { default: suite } = (await import(`./${subject}/${name}.ts`)) as { default: unknown }
        expect(suite).toBe(ALL_SUITES.find(({ id }) => id === `${subject}/${name}`))
      }
    },
  )

  test('has one file for the suite about the chain', async () => {
    expect(await readdir(fileURLToPath(new URL('chain', import.meta.url)))).toEqual(['chain.ts'])
    expect(CHAIN_SUITES.map(({ id }) => id)).toEqual(['chain'])
  })

  test('is written to CATALOG.md', async () => {
    expect(await readFile(CATALOG_FILE, 'utf8')).toBe(catalogMarkdown(ALL_SUITES))
  })
})

describe.each(CASES)('$id', ({ suite, case: item }) => {
  test('says what is required in words that a reader can use', () => {
    expect(item.id).toMatch(/^[a-z0-9]+(?:-[a-z0-9]+)*$/u)
    expect(item.title).toMatch(/^[a-z]+s [^.]*$/u)
    expect(item.title.length).toBeLessThanOrEqual(80)
    for (const prose of [item.rationale, item.remedy]) {
      expect(prose).toMatch(/^[A-Z].*\.$/u)
      expect(prose).not.toMatch(/\bensure/iu)
      expect(prose.length).toBeLessThanOrEqual(200)
    }
    expect(item.remedy).toMatch(VERBS)
  })

  test('cites clauses and capabilities that exist, each once', () => {
    const needs: readonly string[] = [...item.needs, ...(item.drops ? [item.drops.without] : [])]
    const [subject] = suite.id.split('/') as [keyof typeof CAPABILITIES]

    expect(Object.keys(CLAUSES)).toEqual(expect.arrayContaining([...item.clause]))
    expect(Object.keys(CAPABILITIES[subject])).toEqual(expect.arrayContaining([...needs]))
    expect(new Set(item.clause).size).toBe(item.clause.length)
    expect(new Set(needs).size).toBe(needs.length)
  })
})
