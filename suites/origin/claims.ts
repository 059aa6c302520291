import type { OriginBench } from '../../harness/model/bench.ts'
import { defineSuite } from '../../harness/model/case.ts'
import { parseChallenges } from '../../harness/model/challenges.ts'
import { octets, segmentsOf } from '../../harness/model/compact.ts'
import { NotApplicable } from '../../harness/model/errors.ts'
import type { Answer } from '../../harness/model/http.ts'
import type { Json, JsonObject } from '../../harness/model/json.ts'
import type { Token } from '../../harness/model/token.ts'

type Variant = readonly [name: string, value: Json | undefined]

/** Issuers that a lax comparison takes for the right one; those that come out equal to it are left out. */
function wrongIssuers(right: string): readonly Variant[] {
  const variants: readonly Variant[] = [
    ['iss of another issuer', 'https://issuer.example'],
    right.endsWith('/')
      ? ['iss without its trailing slash', right.slice(0, -1)]
      : ['iss with a trailing slash', `${right}/`],
    ['iss without scheme', right.replace(/^[a-z]+:\/\//u, '')],
    ['iss with its host in upper case', right.replace(/(?<=:\/\/)[^/]+/u, (host) => host.toUpperCase())],
    ['iss in upper case', right.toUpperCase()],
    ['iss cut at the end', right.slice(0, -1)],
    ['iss with ".evil" appended', `${right}.evil`],
    ['iss inside a longer one', `https://evil.example/?${right}`],
    ['iss cut at both ends', right.slice(1, -1)],
    ['iss with a trailing space', `${right} `],
    ['iss an array of another and the right one', ['https://evil.example', right]],
    ['iss an array of the right one', [right]],
    ['iss an object that holds the right one', { '0': right }],
  ]
  return variants.filter(([, value]) => value !== right)
}

/** Audiences that a lax comparison takes for the right one; those that come out equal to it are left out. */
function wrongAudiences(right: string): readonly Variant[] {
  const variants: readonly Variant[] = [
    ['aud of another origin', 'https://other.example'],
    ['aud cut at the end', right.slice(0, -1)],
    ['aud with a suffix', `${right}-other`],
    ['aud with a prefix', `other-${right}`],
    ['aud cut at both ends', right.slice(1, -1)],
    ['aud in upper case', right.toUpperCase()],
    ['aud in lower case', right.toLowerCase()],
    ['aud the right and another one, separated by a space', `${right} other`],
    ['aud an object with the right one as its name', { [right]: 1 }],
    ['aud a number', 1],
    ['aud an array of two others', ['https://other.example', 'https://another.example']],
    ['aud an array of the right one cut at the end', [right.slice(0, -1)]],
  ]
  return variants.filter(([, value]) => value !== right)
}

function isInsufficientScope(answer: Answer): boolean {
  const challenges = parseChallenges(answer.header('www-authenticate'))
  return answer.status === 403 && challenges.some(({ params }) => params.get('error') === 'insufficient_scope')
}

/** Tokens that differ in the end of their claims alone, the subject last, and have the same length. */
function lookAlikes({ mint }: OriginBench, subjects: readonly string[]): readonly Token[] {
  const text = new TextDecoder().decode(octets(segmentsOf(mint({ sub: undefined }).compact).payload))
  const shared = JSON.parse(text) as JsonObject
  const lengthOf = (subject: string) => new TextEncoder().encode(JSON.stringify(subject)).length
  const longest = Math.max(...subjects.map(lengthOf))
  const equal = subjects.every((subject) => lengthOf(subject) === longest)
  return subjects.map((subject) => {
    const padding = equal ? {} : { padding: 'x'.repeat(longest - lengthOf(subject)) }
    return { ...mint({}, { payloadText: JSON.stringify({ ...shared, sub: subject, ...padding }) }), subject }
  })
}

/** The subjects that each get an answer of their own when they are asked for one after the other. */
async function distinctSubjects({ accepts, mint, profile, guard }: OriginBench): Promise<readonly string[]> {
  const subjects = profile.subjects.slice(0, 4)
  const echoes = new Set<string | undefined>()
  for (const [at, sub] of subjects.entries()) {
    const { subject } = await accepts(mint({ sub }), `subject ${at + 1} on its own`)
    guard(subject !== undefined, 'The accepted answer does not tell the subject at the declared place.')
    echoes.add(subject)
  }
  guard(echoes.size === subjects.length, 'The answers do not tell the subjects apart, even one after the other.')
  return subjects
}

export default defineSuite({
  id: 'origin/claims',
  title: 'Issuer, audience, subject and other claims',
  cases: [
    {
      id: 'iss-wrong',
      title: 'refuses a token of another issuer, however similar its name',
      level: 'MUST',
      clause: ['rfc8725/issuer', 'rfc9068/validation', 'cve-2024-53861', 'cve-2025-30144'],
      needs: ['issuer'],
      rationale: 'An issuer compared in part can be imitated: whoever registers a longer name speaks for the gateway.',
      remedy: 'Compare iss with the configured issuer as two strings, octet by octet, and refuse every other type.',
      snippets: {
        jose: "await jwtVerify(token, jwks, { issuer: 'https://gateway.example', audience })",
        PyJWT: "jwt.decode(token, key, algorithms=['RS256'], audience=AUD, issuer='https://gateway.example')",
        'python-jose': "jwt.decode(token, key, algorithms=['RS256'], audience=AUD, issuer='https://gateway.example')",
        'Spring Security': 'JwtValidators.createDefaultWithIssuer("https://gateway.example")',
        'golang-jwt': 'jwt.NewParser(jwt.WithIssuer("https://gateway.example"))',
        jsonwebtoken: "jwt.verify(token, key, { algorithms: ['RS256'], audience, issuer: 'https://gateway.example' })",
      },
      async run({ mint, refuses, profile }) {
        for (const [name, iss] of wrongIssuers(profile.issuer)) await refuses(mint({ iss }), name)
      },
    },
    {
      id: 'required-claims',
      title: 'refuses a token that lacks a required claim or has it in a wrong type',
      level: 'MUST',
      clause: ['rfc9068/claims', 'rfc7519/claims', 'rfc7519/iss'],
      needs: ['issuer'],
      rationale:
        'Many libraries check a claim only if it is there. Leaving it out then passes every check of its value.',
      remedy: 'Require each claim that the origin relies on, and check its type before its value.',
      snippets: {
        jose: "await jwtVerify(token, jwks, { issuer, audience, requiredClaims: ['exp', 'sub'] })",
        PyJWT:
          "jwt.decode(token, key, algorithms=['RS256'], audience=AUD, issuer=ISS, options={'require': ['iss', 'aud', 'exp', 'sub']})",
        'python-jose':
          "jwt.decode(token, key, algorithms=['RS256'], audience=AUD, issuer=ISS, options={'require_iss': True, 'require_sub': True})",
        'Spring Security': 'new JwtClaimValidator<String>(JwtClaimNames.SUB, Objects::nonNull)',
        'golang-jwt': 'jwt.NewParser(jwt.WithIssuer(iss), jwt.WithAudience(aud), jwt.WithExpirationRequired())',
        jsonwebtoken: "if (typeof claims.sub !== 'string') throw new Error('sub is missing') // after jwt.verify",
      },
      async run({ mint, refuses, profile }) {
        for (const claim of new Set(['iss', ...profile.requiredClaims])) {
          await refuses(mint({ [claim]: undefined }), `${claim} removed`)
          await refuses(mint({ [claim]: null }), `${claim} null`)
          await refuses(mint({ [claim]: {} }), `${claim} an empty object`)
        }
      },
    },
    {
      id: 'aud-wrong',
      title: 'refuses a token for another audience, however similar its name',
      level: 'MUST',
      clause: ['rfc7519/aud', 'rfc8725/audience'],
      needs: ['issuer', 'audience'],
      rationale:
        'The gateway mints for many origins. One that accepts tokens meant for others can be entered from any of them.',
      remedy: 'Compare each value of aud with the name of this origin as whole strings; refuse other types.',
      snippets: {
        jose: "await jwtVerify(token, jwks, { issuer, audience: 'orders-api' })",
        PyJWT: "jwt.decode(token, key, algorithms=['RS256'], issuer=ISS, audience='orders-api')",
        'python-jose': "jwt.decode(token, key, algorithms=['RS256'], issuer=ISS, audience='orders-api')",
        'Spring Security':
          'new JwtClaimValidator<List<String>>(JwtClaimNames.AUD, aud -> aud != null && aud.contains("orders-api"))',
        'golang-jwt': 'jwt.NewParser(jwt.WithAudience("orders-api"))',
        jsonwebtoken: "jwt.verify(token, key, { algorithms: ['RS256'], issuer, audience: 'orders-api' })",
      },
      async run({ mint, refuses, profile }) {
        for (const [name, aud] of wrongAudiences(profile.audience ?? '')) await refuses(mint({ aud }), name)
      },
    },
    {
      id: 'aud-missing',
      title: 'refuses a token without an audience',
      level: 'MUST',
      clause: ['rfc8725/audience', 'cve-2020-26160', 'cve-2025-62610'],
      needs: ['issuer', 'many-origins'],
      rationale: 'A token for nobody in particular opens every origin that checks aud only when it is there.',
      remedy: 'Require aud, and treat an empty or null audience as one that does not name this origin.',
      snippets: {
        'python-jose':
          "jwt.decode(token, key, algorithms=['RS256'], audience=AUD, issuer=ISS, options={'require_aud': True})",
        'Spring Security':
          'new JwtClaimValidator<List<String>>(JwtClaimNames.AUD, aud -> aud != null && aud.contains("orders-api"))',
      },
      async run({ mint, refuses }) {
        const values: readonly Variant[] = [
          ['aud removed', undefined],
          ['aud an empty array', []],
          ['aud an empty string', ''],
          ['aud null', null],
        ]
        for (const [name, aud] of values) await refuses(mint({ aud }), name)
      },
    },
    {
      id: 'aud-array-with-self',
      title: 'accepts a token for several audiences that names it',
      level: 'SHOULD',
      clause: ['rfc7519/aud'],
      needs: ['issuer', 'audience'],
      rationale:
        'An array is the general form of aud. Who compares it as a string locks out every token for two origins.',
      remedy: 'Accept aud as a string or as an array of strings, and look for this origin among them.',
      async run({ mint, accepts, refuses, profile }) {
        const other = 'https://other.example'
        await accepts(mint({ aud: [other, profile.audience] }), 'aud an array with the right one last')
        await refuses(mint({ aud: [other, 'https://another.example'] }), 'aud an array without the right one')
      },
    },
    {
      id: 'sub-unknown',
      title: 'refuses a subject that it does not know',
      level: 'MUST',
      clause: ['rfc8725/issuer', 'rfc7519/sub'],
      needs: ['issuer', 'known-subjects'],
      rationale: 'An unknown subject that falls back to a default account gives that account to everyone.',
      remedy: 'Refuse a token whose sub is missing, is not a string, or names nobody; create no default user.',
      async run({ mint, refuses, nonce }) {
        await refuses(mint({ sub: nonce() }), 'sub that names nobody')
        await refuses(mint({ sub: undefined }), 'sub removed')
        await refuses(mint({ sub: 1 }), 'sub a number')
      },
    },
    {
      id: 'typ-wrong',
      title: 'refuses a token of another type than the declared typ',
      level: 'MUST',
      clause: ['rfc9068/validation', 'rfc8725/typ', 'rfc8725/exclusive', 'rfc7515/typ'],
      needs: ['issuer', 'typ'],
      rationale:
        'One issuer signs logout tokens, event tokens and access tokens alike. Without typ one passes for another.',
      remedy:
        'Compare typ with the declared media type, ignoring case and a leading "application/"; refuse all others.',
      snippets: {
        jose: "await jwtVerify(token, jwks, { issuer, audience, typ: 'at+jwt' })",
        PyJWT:
          "if jwt.get_unverified_header(token).get('typ', '').lower() != 'at+jwt': raise jwt.InvalidTokenError('typ')",
        'python-jose': "if jwt.get_unverified_header(token).get('typ', '').lower() != 'at+jwt': raise JWTError('typ')",
        'Spring Security': 'new JwtTypeValidator(List.of("at+jwt")) // and validateType(false) on the decoder builder',
        'golang-jwt': 'if typ, _ := token.Header["typ"].(string); !strings.EqualFold(typ, "at+jwt") { return errTyp }',
        jsonwebtoken:
          "if (jwt.verify(token, key, { complete: true, algorithms }).header.typ !== 'at+jwt') throw new Error('typ')",
      },
      async run({ mint, accepts, refuses, profile: { typ = '' } }) {
        const typed = (value: string | undefined) => mint({}, { header: { typ: value } })
        const others = ['secevent+jwt', 'logout+jwt', 'JWT'].filter(
          (other) => other.toLowerCase() !== typ.toLowerCase(),
        )
        await accepts(typed(typ), 'declared typ')
        await accepts(typed(typ.toUpperCase()), 'declared typ in upper case')
        if (!typ.includes('/')) await accepts(typed(`application/${typ}`), 'declared typ after "application/"')
        for (const other of others) await refuses(typed(other), `typ ${other}`)
        await refuses(typed(undefined), 'typ removed')
      },
    },
    {
      id: 'scope-insufficient',
      title: 'answers a token that lacks the scope of a route with 403 insufficient_scope',
      level: 'SHOULD',
      clause: ['rfc6750/error-codes'],
      needs: ['issuer', 'scope'],
      rationale: 'A scope that is not enforced is none. A 401 in its place makes clients fetch new tokens in a circle.',
      remedy: 'Answer 403 with WWW-Authenticate: Bearer error="insufficient_scope" when a valid token lacks the scope.',
      async run({ mint, refuses, judge, profile }) {
        const route = profile.routes.find(({ scope }) => scope !== undefined)
        if (!route) throw new NotApplicable('No declared route needs a scope.')
        const variants: readonly Variant[] = [
          ['scope of something else', 'trustspec:other'],
          ['scope that only begins like the needed one', `${route.scope}-other`],
          ['scope removed', undefined],
        ]
        for (const [stimulus, scope] of variants) {
          if (scope === undefined && profile.requiredClaims.includes('scope')) continue
          const answer = await refuses({ token: mint({ scope }), route }, stimulus)
          judge(answer.outcome !== 'refused' || isInsufficientScope(answer), {
            stimulus,
            expected: 'status 403, WWW-Authenticate with error="insufficient_scope"',
            observed: `status ${answer.status}, WWW-Authenticate: ${answer.header('www-authenticate').join(', ') || 'none'}`,
          })
        }
      },
    },
    {
      id: 'no-identity-mixup',
      title: 'answers each of many interleaved requests for the subject of its own token',
      level: 'MUST',
      clause: ['cwe-488', 'cve-2026-35039'],
      needs: ['issuer', 'identity-echo'],
      rationale:
        'A cache of verified tokens with too short a key gives one consumer the data of another, under load alone.',
      remedy:
        'Key any cache of verified tokens by the whole token, and keep the identity in the request, not in shared state.',
      async run(bench) {
        const { accepts, guard } = bench
        const subjects = await distinctSubjects(bench)
        const tokens = lookAlikes(bench, subjects)
        const shapes = new Set(tokens.map(({ compact }) => `${compact.length} ${compact.slice(0, 100)}`))
        guard(shapes.size === 1, 'The tokens differ in length or in their beginning.')
        const requests = Array.from({ length: Math.ceil(200 / tokens.length) }, () => tokens).flat()
        for (let sent = 0; sent < requests.length; sent += 16) {
          const batch = requests.slice(sent, sent + 16)
          const answers = await Promise.all(
            batch.map((token, at) => accepts(token, `interleaved request ${sent + at + 1}`)),
          )
          if (answers.some(({ subject }, at) => subject !== batch[at]?.subject)) return
        }
      },
    },
    {
      id: 'jti-replay',
      title: 'refuses a token that was used before where each jti counts once',
      level: 'MUST',
      clause: ['rfc7519/jti'],
      needs: ['issuer', 'once'],
      rationale:
        'A route that declares one use per token and forgets what it has seen repeats a transfer for whoever replays it.',
      remedy: 'Record each jti until its token expires, in a store that all instances share, before the handler runs.',
      async run({ mint, accepts, refuses, profile }) {
        const route = profile.routes.find(({ once }) => once)
        if (!route) throw new NotApplicable('No declared route accepts each jti once.')
        const token = mint()
        await accepts({ token, route }, 'first use of a jti')
        await refuses({ token, route }, 'second use of the same jti')
        await accepts({ token: mint(), route }, 'fresh jti afterwards')
      },
    },
  ],
})
