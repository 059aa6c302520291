import type { OriginBench } from '../../harness/model/bench.ts'
import type { ConformanceCase } from '../../harness/model/case.ts'
import type { Json, JsonObject } from '../../harness/model/json.ts'
import type { IssuerResponse } from '../../harness/model/jwks.ts'
import type { SigningKey } from '../../harness/model/token.ts'
import { attackerOf, NEVER_SERVED, notLetIn, provoke } from './means.ts'

const MEBI = 1024 * 1024

/** Answers with status 200 that hold no key set. */
const BAD: readonly (readonly [string, IssuerResponse])[] = [
  ['HTML', { body: '<!doctype html><title>Welcome</title>', headers: { 'content-type': 'text/html' } }],
  ['truncated JSON', { body: '{"keys":[{"kty":"RSA",' }],
  ['an empty body', { body: '' }],
  ['{}', { document: {} }],
  ['{"keys":{}}', { document: { keys: {} } }],
  ['[]', { document: [] }],
  ['null', { body: 'null' }],
  ['status 204', { status: 204, body: '' }],
]

function setOf(keys: readonly Json[]): IssuerResponse {
  return { document: { keys } }
}

/** Members that a verifier has no use for, and may not stumble over. */
function foreignKeys(main: SigningKey): readonly JsonObject[] {
  return [
    { kty: 'AKP', kid: 'foreign-akp', alg: 'ML-DSA-44', pub: 'AAAA' },
    { kty: 'ZZZ', kid: 'foreign-zzz', use: 'sig' },
    { kty: 'oct', kid: 'foreign-oct', k: 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0', alg: 'HS256' },
    { kty: 'RSA', kid: 'foreign-rsa-without-n', e: 'AQAB', use: 'sig', alg: 'RS256' },
    {
      kty: 'EC',
      kid: 'foreign-ec-off-curve',
      crv: 'P-256',
      x: 'AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE',
      y: 'AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI',
    },
    { kty: 'EC', kid: 'foreign-ec-short', crv: 'P-256', x: 'AQ', y: 'AQ' },
    { kty: 'RSA', kid: `${main.kid}-other`, n: 'AQAB', e: 'AQAB' },
  ]
}

/** Accepts a main-key token after the document was fetched anew. */
async function tolerates(bench: OriginBench, stimulus: string, response: IssuerResponse): Promise<void> {
  const { jwks, accepts, guard, mint } = bench
  jwks.serve(response)
  await jwks.renew()
  const { outcome } = await accepts(mint(), stimulus)
  guard(outcome !== 'accepted' || jwks.served() > 0, NEVER_SERVED)
}

/** Cases about what the JWKS document holds, and where it comes from. */
export const documentCases: readonly ConformanceCase[] = [
  {
    id: 'bad-document-fails-closed',
    title: 'stays closed and alive when the JWKS is no key set',
    level: 'MUST',
    clause: ['cwe-754'],
    needs: ['issuer', 'jwks-fetched'],
    runs: 'alone',
    rationale:
      'A captive portal or a bad deployment serves HTML with status 200. An exception there can end the process.',
    remedy:
      'Parse the document in a try, check that keys is an array, keep the old set otherwise, and answer 503 without one.',
    async run(bench) {
      const { jwks, accepts, observes, can, guard, mint } = bench
      for (const [name, response] of BAD) {
        if (can('jwks-cooldown', `${name} while keys are cached`)) {
          await jwks.cooldown()
          jwks.serve(response)
          if (await provoke(bench, `unknown kid while the JWKS is ${name}`)) {
            await accepts(mint(), `valid token after the JWKS was ${name}`)
          }
          await jwks.recover()
        }
        if (!can('cold-start', `${name} while no keys are cached`)) continue
        jwks.serve(response)
        await jwks.coldStart()
        const stimulus = `valid token while all there is is ${name}`
        const answer = await observes(mint(), stimulus)
        guard(answer.failure !== undefined || answer.outcome === 'accepted' || jwks.served() > 0, NEVER_SERVED)
        notLetIn(bench, stimulus, answer)
        if (!(await jwks.recover())) {
          can('jwks-cooldown', `whether it recovers from ${name}`)
          await jwks.coldStart()
          continue
        }
        await accepts(mint(), `valid token once the JWKS is no longer ${name}`)
      }
    },
  },
  {
    id: 'only-a-200-from-the-configured-url',
    title: 'takes keys from an answer 200 of the configured URL alone',
    level: 'SHOULD',
    clause: ['cwe-918'],
    needs: ['issuer', 'jwks-fetched', 'jwks-cooldown', 'canary'],
    runs: 'alone',
    rationale: 'An error page or a redirect that an attacker can shape must not be able to bring keys along.',
    remedy: 'Check that the status is 200 before parsing, and do not follow redirects.',
    snippets: {
      'python-jose': 'requests.get(JWKS_URL, timeout=2, allow_redirects=False)  # then check status_code == 200',
    },
    async run(bench) {
      const { jwks, accepts, observes, guard, judge, canary, mint, keys } = bench
      const attacker = attackerOf(bench)
      await accepts(mint(), 'valid token before')
      const jwk = { ...attacker.jwk, alg: keys.main.alg }
      const statuses = [500, 403, 404].map(
        (status) => [`a set in an answer ${status}`, { status, ...setOf(jwks.keys(jwk)) }] as const,
      )
      const redirects = [302, 307].map(
        (status) => [`a redirect ${status} to another origin`, { status, redirect: canary.url('jwks') }] as const,
      )
      for (const [name, response] of [...statuses, ...redirects]) {
        await jwks.cooldown()
        jwks.serve(response)
        const stimulus = `token of the key that came in ${name}`
        const answer = await observes(mint({}, { key: { ...attacker, alg: keys.main.alg } }), stimulus)
        guard(jwks.served() > 0, NEVER_SERVED)
        notLetIn(bench, stimulus, answer)
        jwks.serve(undefined)
      }
      await jwks.recover()
      const { outcome } = await observes(mint(), 'valid token afterwards')
      guard(outcome === 'accepted', 'A valid token is no longer accepted, so that its refusals prove nothing.')
      judge(canary.hits().length === 0, {
        stimulus: 'redirects of the JWKS URL',
        expected: 'no request to the other origin',
        observed: `${canary.hits().length} requests`,
        failure: 'fail-open',
      })
    },
  },
  {
    id: 'foreign-keys-ignored',
    title: 'ignores keys of the set that it cannot use',
    level: 'SHOULD',
    clause: ['rfc7517/keys', 'rfc7517/kid'],
    needs: ['issuer', 'jwks-fetched', 'jwks-renewal'],
    runs: 'alone',
    rationale:
      'The day the gateway publishes its first post-quantum key, a strict parser refuses all the others with it.',
    remedy: 'Import keys one by one, and leave out those whose type or members are unknown.',
    async run(bench) {
      const { jwks, keys, accepts, can, mint, proven } = bench
      const { main } = keys
      await tolerates(
        bench,
        'valid token beside keys of other types and without members',
        setOf(jwks.keys(...foreignKeys(main))),
      )
      if (!can('two-key-types', 'two keys of different types under one kid')) return
      const twin = proven.find(({ kty, role, alg }) => kty !== main.kty && role === alg)
      if (!twin) return
      const named = { ...twin, kid: main.kid, jwk: { ...twin.jwk, kid: main.kid } }
      await tolerates(bench, 'valid token whose kid a key of another type has too', setOf(jwks.keys(named.jwk)))
      await accepts(mint({}, { key: named }), 'token of that other key')
    },
  },
  {
    id: 'document-tolerance',
    title: 'takes a JWKS with further members, white space and other media types',
    level: 'MUST',
    clause: ['rfc7517/set', 'rfc7517/media-types'],
    needs: ['issuer', 'jwks-fetched', 'jwks-renewal'],
    runs: 'alone',
    rationale:
      'Members that are not understood must be ignored: gateways add them, and formatting changes with a proxy.',
    remedy: 'Read the members that you know, ignore the others, and do not insist on one media type.',
    async run(bench) {
      const { jwks, observes, records, mint } = bench
      const plain = jwks.keys()
      const extended = plain.map((key) => ({ ...key, 'x-issued': 1, nbf: 0, exp: 4_000_000_000, ext: true }))
      const more: Json = { keys: extended, issuer: 'https://issuer.example.com', 'x-next': null, expires: 1 }
      await tolerates(bench, 'unknown members in the set and in its keys', { document: more })
      const spaced = `\n\t ${JSON.stringify({ keys: plain }, undefined, '\t ')}\r\n `
      await tolerates(bench, 'white space of all kinds', { body: spaced })
      for (const type of ['application/jwk-set+json', 'application/json;charset=utf-8']) {
        await tolerates(bench, `Content-Type: ${type}`, { headers: { 'content-type': type } })
      }
      jwks.serve({ headers: { 'content-type': 'text/plain' } })
      await jwks.renew()
      const { outcome } = await observes(mint(), 'Content-Type: text/plain')
      records('takes a JWKS of type text/plain', outcome === 'accepted')
    },
  },
  {
    id: 'oct-key-not-usable',
    title: 'refuses tokens of a symmetric key that the JWKS lists',
    level: 'MUST',
    clause: ['rfc8725/algorithm'],
    needs: ['issuer', 'jwks-fetched', 'jwks-renewal', 'no-hmac'],
    runs: 'alone',
    rationale: 'Whatever stands in a JWKS is public: a token under a secret that everyone can read proves nothing.',
    remedy: 'Import asymmetric keys alone, and keep HS* out of the list of algorithms.',
    async run(bench) {
      const { jwks, keys, refuses, guard, accepts, mint } = bench
      const oct = keys.get('oct')
      jwks.serve(setOf(jwks.keys(oct.jwk)))
      await jwks.renew()
      await accepts(mint(), 'valid token beside the symmetric key')
      guard(jwks.served() > 0, NEVER_SERVED)
      await refuses(mint({}, { key: oct }), 'HS256 token of the symmetric key')
    },
  },
  {
    id: 'huge-document',
    title: 'does not read a JWKS without end',
    level: 'SHOULD',
    clause: ['cwe-770'],
    needs: ['issuer', 'jwks-fetched', 'jwks-cooldown'],
    runs: 'alone',
    rationale:
      'An answer of gigabytes, or one that grows when it is unpacked, fills the memory of every origin at once.',
    remedy: 'Stop reading after some hundred kilobytes, counted after decompression.',
    async run(bench) {
      const { jwks, accepts, observes, guard, judge, mint, process, profile } = bench
      const withinMs = (profile.jwks.timeoutMs ?? 4_000) + 1_000
      await accepts(mint(), 'valid token before')
      const resident = process()?.residentOctets
      for (const [name, response] of [
        ['64 MiB of JSON', { padding: 64 * MEBI }],
        ['a body without an end', { endless: true }],
        ['a small body that unpacks to 64 MiB', { padding: 64 * MEBI, gzip: true }],
      ] as const) {
        const key = jwks.newKey()
        await jwks.cooldown()
        jwks.serve({ ...response, ...setOf(jwks.keys(key.jwk)) })
        const stimulus = `token of a key that stands at the end of ${name}`
        const answer = await observes({ token: mint({}, { key }), withinMs }, stimulus)
        guard(jwks.served() > 0, NEVER_SERVED)
        notLetIn(bench, stimulus, answer)
        jwks.serve(undefined)
        await accepts(mint(), `valid token after ${name}`)
      }
      const now = process()?.residentOctets
      if (resident === undefined || now === undefined) return
      const grown = Math.round((now - resident) / MEBI)
      judge(grown < 128, {
        stimulus: 'all three',
        expected: 'less than 128 MiB more memory',
        observed: `${grown} MiB more`,
      })
    },
  },
]
