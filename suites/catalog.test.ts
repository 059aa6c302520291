import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { ORIGIN_CAPABILITIES } from '../harness/model/capabilities.ts'
import { CLAUSES } from '../harness/model/clauses.ts'
import { allCases, SUITES } from './catalog.ts'
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
}

/** What a remedy may begin with; a new verb is added here. */
const VERBS =
  /^(?:Accept|Allow|Answer|Check|Compare|Configure|Count|Decode|Fetch|Guard|Ignore|Import|Keep|Key|Know|Let|Limit|Log|Look|Parse|Pass|Put|Read|Record|Refuse|Remember|Replace|Require|Select|Send|Set|Split|Stop|Take|Update|Use|Verify|Wait|Catch) /u

describe('catalogue', () => {
  test('has exactly the published ids, in order', () => {
    expect(Object.fromEntries(SUITES.map((suite) => [suite.id, suite.cases.map(({ id }) => id)]))).toEqual(IDS)
    expect(SUITES.map(({ id }) => id)).toEqual(Object.keys(IDS))
    expect(allCases()).toHaveLength(99)
    expect(new Set(allCases().map(({ id }) => id)).size).toBe(99)
  })

  test('has one file for each suite, at the path that its id tells', async () => {
    const files = await readdir(fileURLToPath(new URL('origin', import.meta.url)))

    const names = files.filter((name) => !name.endsWith('.test.ts')).map((name) => name.replace(/\.ts$/u, ''))

    expect(names.map((name) => `origin/${name}`).toSorted()).toEqual(SUITES.map(({ id }) => id).toSorted())
    for (const name of names) {
      const { default: suite } = (await import(`./origin/${name}.ts`)) as { default: unknown }
      expect(suite).toBe(SUITES.find(({ id }) => id === `origin/${name}`))
    }
  })

  test('is written to CATALOG.md', async () => {
    expect(await readFile(CATALOG_FILE, 'utf8')).toBe(catalogMarkdown(SUITES))
  })
})

describe.each(allCases())('$id', ({ case: item }) => {
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
    const needs = [...item.needs, ...(item.drops ? [item.drops.without] : [])]

    expect(Object.keys(CLAUSES)).toEqual(expect.arrayContaining([...item.clause]))
    expect(Object.keys(ORIGIN_CAPABILITIES)).toEqual(expect.arrayContaining(needs))
    expect(new Set(item.clause).size).toBe(item.clause.length)
    expect(new Set(needs).size).toBe(needs.length)
  })
})
