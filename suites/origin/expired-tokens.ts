import { defineSuite } from '../../harness/model/case.ts'
import { flipBit, octets, segmentsOf } from '../../harness/model/compact.ts'
import { NotApplicable } from '../../harness/model/errors.ts'
import type { OriginBench } from '../../harness/model/bench.ts'
import type { Json } from '../../harness/model/json.ts'
import type { ResolvedProfile } from '../../harness/model/profile.ts'
import type { Mint, MintOptions, Token } from '../../harness/model/token.ts'

const HOUR = 3600
const TEN_YEARS = 10 * 365 * 24 * HOUR

/** Seconds past exp after which a token is dead: beyond the declared leeway, or beyond any usual one. */
function deadAfter({ leewaySec }: ResolvedProfile): number {
  return leewaySec === undefined ? 600 : leewaySec + 30
}

/** Lifetime of a token that ends inside every declared bound, in seconds. */
function shortLife({ maxLifetimeSec = 300 }: ResolvedProfile): number {
  return Math.min(240, Math.floor(maxLifetimeSec / 2))
}

/** Replaces the value of exp in the signed text, so that numbers can be written as JSON.stringify never would. */
function expAs(mint: Mint, text: string): MintOptions {
  const { payload } = segmentsOf(mint({ exp: '@' }).compact)
  return { payloadText: new TextDecoder().decode(octets(payload)).replace('"exp":"@"', `"exp":${text}`) }
}

/** Sends tokens that live for a moment, lets the moment pass, and sends them again. */
async function outlive(bench: OriginBench, tokens: Readonly<Record<string, Token>>, seconds: number) {
  const { observes, refuses, guard, elapse, accepts, mint } = bench
  for (const [name, token] of Object.entries(tokens)) {
    for (const time of ['first', 'second']) {
      const { outcome } = await observes(token, `${name}, sent while valid for the ${time} time`)
      guard(outcome === 'accepted', 'A token that lives for a moment was not accepted in that moment.')
    }
  }
  await elapse(seconds)
  for (const [name, token] of Object.entries(tokens)) await refuses(token, `${name}, after its expiry`)
  await accepts(mint(), 'fresh token at the same moment')
}

export default defineSuite({
  id: 'origin/expired-tokens',
  title: 'Expired tokens and every time claim',
  cases: [
    {
      id: 'exp-past',
      title: 'refuses a token whose exp has passed',
      level: 'MUST',
      clause: ['rfc7519/exp'],
      needs: ['issuer'],
      rationale: 'A token that never dies is a password: whoever logged it once can replay it for ever.',
      remedy: 'Compare exp with the current time on every request; allow at most the declared leeway.',
      snippets: {
        PyJWT: "jwt.decode(token, key, algorithms=['RS256'], audience=AUD, issuer=ISS)  # never verify_exp: False",
        'python-jose':
          "jwt.decode(token, key, algorithms=['RS256'], audience=AUD, issuer=ISS)  # never verify_exp: False",
        jsonwebtoken: "jwt.verify(token, key, { algorithms: ['RS256'], audience, issuer }) // never ignoreExpiration",
        'golang-jwt': 'jwt.NewParser(jwt.WithExpirationRequired()) // never jwt.WithoutClaimsValidation()',
      },
      async run({ now, mint, refuses }) {
        const exp = now() - HOUR
        await refuses(mint({ exp }), 'exp an hour ago, all else as in a valid token')
        await refuses(mint({ exp, iat: exp - HOUR, nbf: exp - HOUR }), 'exp an hour ago, issued an hour before')
      },
    },
    {
      id: 'exp-past-beyond-leeway',
      title: 'refuses a token whose exp has passed by more than the leeway',
      level: 'MUST',
      drops: { without: 'leeway', to: 'SHOULD' },
      clause: ['rfc7519/exp'],
      needs: ['issuer'],
      rationale:
        'A leeway is meant for clock skew. One of hours or days extends the life of every stolen token by as much.',
      remedy:
        'Set the leeway in seconds, as declared, and no more than a few minutes; check which unit the library takes.',
      snippets: {
        jose: "await jwtVerify(token, jwks, { issuer, audience, clockTolerance: '5s' })",
        PyJWT: "jwt.decode(token, key, algorithms=['RS256'], audience=AUD, issuer=ISS, leeway=5)",
        'python-jose': "jwt.decode(token, key, algorithms=['RS256'], audience=AUD, issuer=ISS, options={'leeway': 5})",
        'Spring Security': 'new JwtTimestampValidator(Duration.ofSeconds(5))',
        'golang-jwt': 'jwt.NewParser(jwt.WithLeeway(5 * time.Second), jwt.WithExpirationRequired())',
        jsonwebtoken: "jwt.verify(token, key, { algorithms: ['RS256'], audience, issuer, clockTolerance: 5 })",
      },
      async run({ now, mint, refuses, profile }) {
        const seconds = deadAfter(profile)
        const exp = now() - seconds
        await refuses(mint({ exp }), `exp ${seconds} s ago, all else as in a valid token`)
        await refuses(mint({ exp, iat: exp - 60, nbf: exp - 60 }), `exp ${seconds} s ago, issued a minute before`)
      },
    },
    {
      id: 'exp-missing',
      title: 'refuses a token without exp',
      level: 'MUST',
      clause: ['trust/short-lived', 'rfc9068/claims'],
      needs: ['issuer', 'exp-required'],
      rationale:
        'Most libraries check exp only if it is there. A token that the gateway minted without it is valid for ever.',
      remedy: 'Require exp: list it among the claims without which verification fails.',
      snippets: {
        jose: "await jwtVerify(token, jwks, { issuer, audience, requiredClaims: ['exp'] })",
        PyJWT: "jwt.decode(token, key, algorithms=['RS256'], audience=AUD, issuer=ISS, options={'require': ['exp']})",
        'python-jose':
          "jwt.decode(token, key, algorithms=['RS256'], audience=AUD, issuer=ISS, options={'require_exp': True})",
        'Spring Security': 'new JwtClaimValidator<Instant>(JwtClaimNames.EXP, Objects::nonNull)',
        'golang-jwt': 'jwt.NewParser(jwt.WithExpirationRequired())',
        jsonwebtoken: "if (typeof claims.exp !== 'number') throw new Error('exp is missing') // after jwt.verify",
      },
      async run({ mint, refuses }) {
        await refuses(mint({ exp: undefined }), 'exp removed')
      },
    },
    {
      id: 'exp-wrong-type',
      title: 'refuses a token whose exp is not a number or is long past',
      level: 'MUST',
      clause: ['rfc7519/exp', 'cwe-697', 'cve-2026-25537'],
      needs: ['issuer'],
      rationale: 'Code that takes a malformed exp for an absent one, or compares it as text, lets expired tokens in.',
      remedy: 'Refuse a token whose exp is anything but a JSON number; never treat a malformed exp as a missing one.',
      async run({ now, mint, refuses }) {
        const past = now() - HOUR
        const values: readonly (readonly [name: string, exp: Json])[] = [
          ['exp 0', 0],
          ['exp -1', -1],
          ['exp a string that holds a past time', String(past)],
          ['exp an array that holds a past time', [past]],
          ['exp null', null],
          ['exp true', true],
          ['exp an empty object', {}],
          ['exp the string "never"', 'never'],
          ['exp an empty string', ''],
        ]
        for (const [name, exp] of values) await refuses(mint({ exp }), name)
      },
    },
    {
      id: 'exp-numeric-string-future',
      title: 'refuses a token whose exp is a number written as a string',
      level: 'SHOULD',
      clause: ['rfc7519/numeric-date', 'rfc7519/exp'],
      needs: ['issuer'],
      rationale: 'Two verifiers that coerce types differently disagree about when the same token dies.',
      remedy: 'Refuse exp unless it is a JSON number; do not convert strings.',
      snippets: {
        PyJWT: "if not isinstance(claims['exp'], (int, float)): raise jwt.DecodeError('exp is not a number')",
      },
      async run({ now, mint, refuses, profile }) {
        await refuses(mint({ exp: String(now() + shortLife(profile)) }), 'exp a string that holds a future time')
      },
    },
    {
      id: 'exp-number-forms',
      title: 'reads exp in every form of a JSON number and survives extreme ones',
      level: 'SHOULD',
      clause: ['rfc7519/numeric-date', 'cwe-190'],
      needs: ['issuer'],
      rationale:
        'NumericDate allows fractions and exponents. Parsers for integers refuse valid tokens, or crash on huge ones.',
      remedy: 'Parse exp as a JSON number, compare it as one, and refuse what a date cannot hold instead of throwing.',
      async run({ now, mint, accepts, refuses, survives, profile }) {
        const future = now() + shortLife(profile)
        const token = (text: string) => mint({}, expAs(mint, text))
        await accepts(token(`${future}.5`), 'exp with a fraction')
        await accepts(token(future.toExponential()), 'exp with an exponent')
        await refuses(token('-1e300'), 'exp -1e300')
        await survives(token('1e300'), 'exp 1e300')
        await survives(token('1e400'), 'exp 1e400, more than a double holds')
        await survives(token('9007199254740993'), 'exp 2^53 + 1')
        await survives(token('9223372036854775808'), 'exp 2^63')
      },
    },
    {
      id: 'max-age',
      title: 'refuses a token that lives longer or is older than declared',
      level: 'MUST',
      clause: ['trust/short-lived', 'cwe-613'],
      needs: ['issuer', 'max-age'],
      rationale: 'Gateway tokens are cheap to renew. An origin that accepts one for years undoes every revocation.',
      remedy: 'Require iat, and refuse tokens whose lifetime or age exceeds the declared maximum.',
      snippets: {
        jose: "await jwtVerify(token, jwks, { issuer, audience, requiredClaims: ['exp'], maxTokenAge: '15m' })",
        PyJWT: "if claims['exp'] - claims['iat'] > 900: raise jwt.InvalidTokenError('lifetime')  # require exp and iat",
        'Spring Security':
          'new JwtClaimValidator<Instant>(JwtClaimNames.IAT, at -> at != null && at.isAfter(Instant.now().minusSeconds(900)))',
        'golang-jwt':
          'if claims.ExpiresAt.Sub(claims.IssuedAt.Time) > 15*time.Minute { return jwt.ErrTokenInvalidClaims }',
        jsonwebtoken: "jwt.verify(token, key, { algorithms: ['RS256'], audience, issuer, maxAge: '15m' })",
      },
      async run({ now, mint, refuses, can, profile }) {
        const { maxTokenAgeSec = 0, leewaySec = 0 } = profile
        const at = now()
        const decade = 'iat now, exp in ten years'
        if (can('max-lifetime', decade)) await refuses(mint({ iat: at, exp: at + TEN_YEARS }), decade)
        const milliseconds = 'exp in milliseconds'
        if (can('max-lifetime', milliseconds)) {
          await refuses(mint({ exp: (at + shortLife(profile)) * 1000 }), milliseconds)
        }
        const old = 'iat older than the declared age, exp in the future'
        const iat = at - (maxTokenAgeSec + leewaySec + 60)
        if (can('token-age', old)) await refuses(mint({ iat, nbf: iat, exp: at + 60 }), old)
        await refuses(mint({ iat: undefined }), 'iat removed')
      },
    },
    {
      id: 'nbf-future',
      title: 'refuses a token before its nbf',
      level: 'MUST',
      clause: ['rfc7519/nbf'],
      needs: ['issuer'],
      rationale:
        'A token that was minted for later works at once: what should begin with a shift or a contract begins now.',
      remedy: 'Compare nbf, if present, with the current time; allow at most the declared leeway.',
      async run({ now, mint, refuses }) {
        await refuses(mint({ nbf: now() + HOUR }), 'nbf in an hour')
      },
    },
    {
      id: 'nbf-wrong-type',
      title: 'refuses a token whose nbf is not a number',
      level: 'MUST',
      clause: ['rfc7519/nbf', 'cve-2026-25537'],
      needs: ['issuer'],
      rationale: 'A verifier that skips an nbf it cannot parse accepts a token before its time.',
      remedy: 'Refuse a token whose nbf is present but not a JSON number.',
      async run({ now, mint, refuses }) {
        const future = now() + HOUR
        await refuses(mint({ nbf: String(future) }), 'nbf a string that holds a future time')
        await refuses(mint({ nbf: [future] }), 'nbf an array that holds a future time')
        await refuses(mint({ nbf: {} }), 'nbf an empty object')
      },
    },
    {
      id: 'expires-while-cached',
      title: 'refuses a token from its expiry on, though it accepted the same token before',
      level: 'MUST',
      clause: ['rfc7519/exp', 'cwe-613'],
      needs: ['issuer', 'time'],
      runs: 'alone',
      rationale: 'A cache of verified tokens that outlives exp keeps a dead token alive for as long as it is used.',
      remedy: 'Check exp on every request, also for a token that is found in the cache of verified tokens.',
      async run(bench) {
        const { now, mint, profile, records } = bench
        const { leewaySec, requiredClaims, maxLifetimeSec, maxTokenAgeSec } = profile
        // Where the clock cannot be moved, three seconds are all that may pass.
        const brief = leewaySec !== undefined && leewaySec <= 1
        const life = brief ? 2 - Math.ceil(leewaySec) : 10
        const exp = now() + life
        const iatIsDue = requiredClaims.includes('iat') || (maxLifetimeSec ?? maxTokenAgeSec) !== undefined
        if (iatIsDue) records('token without iat', 'refused by declaration')
        const tokens = {
          'token with iat': mint({ exp }),
          ...(iatIsDue ? {} : { 'token without iat': mint({ exp, iat: undefined }) }),
        }
        await outlive(bench, tokens, brief ? 3 : life + deadAfter(profile))
      },
    },
    {
      id: 'per-request-not-per-connection',
      title: 'verifies the token of every request on a connection that stays open',
      level: 'MUST',
      clause: ['cwe-384', 'cwe-613'],
      needs: ['issuer'],
      rationale:
        'The gateway shares its connections among consumers: one who is remembered lends the identity to all others.',
      remedy: 'Verify the token of each request; keep no authentication state on the connection.',
      async run({ now, mint, accepts, refuses, connect, guard }) {
        await using connection = await connect()
        const on = connection
        const answers = [
          await accepts({ token: mint(), on }, 'valid token first'),
          await refuses({ token: mint({ exp: now() - HOUR }), on }, 'expired token after a valid one'),
          await refuses({ credentials: [], on }, 'no token after a valid one'),
          await refuses(
            { token: mint({}, { signature: (made) => flipBit(made, 40) }), on },
            'forged token after a valid one',
          ),
          await accepts({ token: mint(), on }, 'valid token after refused ones'),
        ]
        const carriers = new Set(answers.map((answer) => answer.connection)).size
        if (carriers === answers.length) throw new NotApplicable('The origin closes the connection after every answer.')
        guard(carriers === 1, 'The origin closed the connection, so that the requests did not share one.')
      },
    },
  ],
})
