import type { OriginBench } from '../../harness/model/bench.ts'
import { defineSuite } from '../../harness/model/case.ts'
import { base64url, joined, segmentsOf } from '../../harness/model/compact.ts'
import { altered } from '../../harness/model/token.ts'
import type { Token } from '../../harness/model/token.ts'

/** The token with the unused bits of its last character turned on, where there are any (RFC 4648 section 3.5). */
function unusedBits(token: Token): Token | undefined {
  const segments = segmentsOf(token.compact)
  const unused = { 2: 4, 3: 2 }[segments.signature.length % 4]
  if (unused === undefined) return undefined
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(segments.signature.slice(-1))
  return altered(
    token,
    joined(segments, { signature: `${segments.signature.slice(0, -1)}${alphabet[last | 1] ?? ''}` }),
  )
}

/** Tokens that libraries judge differently, and no standard decides. */
function lenient(bench: OriginBench): readonly (readonly [string, Token])[] {
  const { mint, now, keys, proven, profile, nonce, jwks } = bench
  const { leewaySec = 0 } = profile
  const other = proven.find(({ role }) => role !== keys.main.role)
  const claims = JSON.stringify({
    ...(JSON.parse(Buffer.from(segmentsOf(mint().compact).payload, 'base64url').toString()) as object),
    jti: nonce(),
  })
  const bits = unusedBits(mint())
  return [
    ['crit empty', mint({}, { header: { crit: [] } })],
    ['crit ["alg"]', mint({}, { header: { crit: ['alg'] } })],
    ['crit with a duplicate', mint({}, { header: { crit: ['exp', 'exp'], exp: 1 } })],
    ...(other ? [['kid of another key', mint({}, { header: { kid: other.kid } })] as const] : []),
    ['kid unknown', mint({}, { header: { kid: jwks.newKey().kid } })],
    ['kid absent, several keys', mint({}, { header: { kid: undefined } })],
    ...(bits ? [['unused base64 bits', bits] as const] : []),
    ['iat one hour ahead', mint({ iat: now() + 3600 })],
    ...(leewaySec >= 2 ? [['exp inside the leeway', mint({ exp: now() - Math.floor(leewaySec / 2) })] as const] : []),
    ...(leewaySec >= 2 ? [['nbf inside the leeway', mint({ nbf: now() + Math.floor(leewaySec / 2) })] as const] : []),
    ['jwk in the header, its own published key', mint({}, { header: { jwk: keys.main.jwk } })],
    ['claims after a byte order mark', mint({}, { payloadText: `\uFEFF${claims}` })],
    ['header after a byte order mark', withBom(mint())],
  ]
}

function withBom(token: Token): Token {
  const segments = segmentsOf(token.compact)
  const header = base64url(`\uFEFF${Buffer.from(segments.header, 'base64url').toString()}`)
  return altered(token, joined(segments, { header }))
}

export default defineSuite({
  id: 'origin/observed',
  title: 'Recorded behaviour of origins (no verdict)',
  cases: [
    {
      id: 'leniency',
      title: 'takes or refuses what no standard decides',
      level: 'INFO',
      clause: ['rfc7515/kid', 'rfc7515/crit', 'rfc7519/exp', 'rfc4648/canonical'],
      needs: ['issuer'],
      runs: 'alone',
      rationale:
        'Two origins behind one gateway that differ here accept different tokens: good to know before it matters.',
      remedy: 'Compare the values of your origins; none of them is wrong.',
      async run(bench) {
        const { observes, records, jwks, can, mint, guard, control } = bench
        const { outcome } = await observes(control(), 'valid token')
        guard(outcome === 'accepted', 'A valid token was not accepted.')
        for (const [name, token] of lenient(bench)) {
          const answer = await observes(token, name)
          records(name, answer.outcome === 'other' ? `status ${answer.status}` : answer.outcome)
        }
        if (!can('jwks-renewal', 'a key without kid')) return
        const key = jwks.newKey()
        const { kid: _, ...jwk } = key.jwk
        jwks.serve({ document: { keys: [jwk, ...jwks.keys()] } })
        await jwks.renew()
        await observes(mint(), 'valid token, for the fetch')
        const answer = await observes(mint({}, { key, header: { kid: undefined } }), 'a key without kid')
        records('token without kid of a key without kid', answer.outcome)
      },
    },
  ],
})
