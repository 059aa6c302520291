import type { OriginBench, Refusal } from '../../harness/model/bench.ts'
import { defineSuite } from '../../harness/model/case.ts'
import { parseChallenges } from '../../harness/model/challenges.ts'
import type { Challenge } from '../../harness/model/challenges.ts'
import { flipBit } from '../../harness/model/compact.ts'
import { NotApplicable } from '../../harness/model/errors.ts'
import type { Answer, Probe } from '../../harness/model/http.ts'
import type { ResolvedProfile } from '../../harness/model/profile.ts'
import { altered } from '../../harness/model/token.ts'
import type { Token } from '../../harness/model/token.ts'
import { LEAKS, leaksIn, SUBMITTED } from '../leaks.ts'

/** The token that is valid but for one bit of its signature. */
function forged({ mint }: OriginBench, sub?: string): Token {
  return mint(sub === undefined ? {} : { sub }, { signature: (made) => flipBit(made, 40) })
}

/** The value of the token header as the profile declares it. */
function credential({ token: { scheme } }: ResolvedProfile, { compact }: Token): string {
  return scheme === '' ? compact : `${scheme} ${compact}`
}

/** The token sent in another way than declared. */
function instead(token: Token, probe: Probe): Probe {
  return { credentials: [], ...probe, token: altered(token, token.compact) }
}

/** The credentials of a refused request. */
function sentIn({ probe }: Refusal): readonly string[] {
  return [...(probe.token ? [probe.token.compact] : []), ...(probe.credentials ?? [])]
}

/** Everything of an answer that a caller can read. */
function textOf({ headers, body }: Answer): string {
  return [...headers.map(([name, value]) => `${name}: ${value}`), body].join('\n')
}

function bearerOf(answer: Answer): Challenge | undefined {
  return parseChallenges(answer.header('www-authenticate')).find(({ scheme }) => scheme === 'bearer')
}

function statusAndChallenge(answer: Answer): string {
  return `status ${answer.status}, WWW-Authenticate: ${answer.header('www-authenticate').join(', ') || 'none'}`
}

/** Directives of Cache-Control that let a shared cache store an answer to an authorised request. */
function sharedDirectives(answer: Answer): readonly string[] {
  const directives = answer.header('cache-control').join(',').toLowerCase().split(',')
  return directives.map((text) => text.trim()).filter((text) => text === 'public' || text.startsWith('s-maxage'))
}

export default defineSuite({
  id: 'origin/challenge',
  title: 'Credential transport and HTTP answers',
  cases: [
    {
      id: 'www-authenticate',
      title: 'answers 401 with a well-formed challenge',
      level: 'MUST',
      clause: ['rfc9110/401', 'rfc9110/www-authenticate', 'rfc6750/challenge'],
      needs: [],
      rationale:
        'Without a challenge a client cannot tell how to authenticate, and libraries that retry on 401 give up.',
      remedy: 'Send WWW-Authenticate with every 401, for example: Bearer realm="orders".',
      async run(bench) {
        const { observes, judge, records, guard } = bench
        const answers: readonly (readonly [string, Answer])[] = [
          ['no token', await observes({ credentials: [] }, 'no token')],
          ['forged token', await observes(forged(bench), 'forged token')],
        ]
        for (const [stimulus, answer] of answers) {
          records(`status for ${stimulus}`, answer.status)
          if (answer.status !== 401) continue
          judge(parseChallenges(answer.header('www-authenticate')).length > 0, {
            stimulus,
            expected: 'WWW-Authenticate with at least one well-formed challenge',
            observed: statusAndChallenge(answer),
          })
        }
        const statuses = answers.map(([, { status }]) => status)
        if (statuses.includes(401)) return
        guard(
          answers.every(([, { outcome }]) => outcome === 'refused'),
          'A request without a valid token was not refused.',
        )
        throw new NotApplicable('The origin answers 400 or 403, and 401 alone calls for a challenge.')
      },
    },
    {
      id: 'bearer-error-codes',
      title: 'answers 401 with invalid_token, and with no error code where no token came',
      level: 'SHOULD',
      clause: ['rfc6750/challenge', 'rfc6750/error-codes', 'rfc9068/validation'],
      needs: ['bearer'],
      rationale:
        'Clients renew their token on invalid_token. Told so without having sent one, or told 403, they do not.',
      remedy: 'Answer 401 with error="invalid_token" to a token that is refused, and with a bare challenge to none.',
      async run(bench) {
        const { observes, judge, can, mint, now } = bench
        const none = await observes({ credentials: [] }, 'no credentials')
        judge(none.status === 401 && bearerOf(none) !== undefined && !bearerOf(none)?.params.has('error'), {
          stimulus: 'no credentials',
          expected: 'status 401, a Bearer challenge without error',
          observed: statusAndChallenge(none),
        })
        const refused: [string, Token][] = [['forged token', forged(bench)]]
        if (can('issuer', 'expired token')) refused.unshift(['expired token', mint({ exp: now() - 3600 })])
        for (const [stimulus, token] of refused) {
          const answer = await observes(token, stimulus)
          judge(answer.status === 401 && bearerOf(answer)?.params.get('error') === 'invalid_token', {
            stimulus,
            expected: 'status 401, a Bearer challenge with error="invalid_token"',
            observed: statusAndChallenge(answer),
          })
        }
      },
    },
    {
      id: 'no-detail-leak',
      title: 'answers refusals without stack traces, paths, keys or the token that was sent',
      level: 'SHOULD',
      clause: ['cwe-209'],
      needs: [],
      runs: 'last',
      rationale:
        'Details of a failure tell an attacker which library to attack, and copy credentials into logs of others.',
      remedy: 'Log the cause, and answer with a constant text; turn debug pages off.',
      async run(bench) {
        const { observes, refusals, judge, guard } = bench
        guard(
          LEAKS.every(({ what, sample }) => leaksIn(sample, []).includes(what)) &&
            leaksIn(`No: ${'planted.'.repeat(3)}`, [`Bearer ${'planted.'.repeat(3)}`]).includes(SUBMITTED),
          'A pattern does not find its own sample.',
        )
        await observes({ credentials: [] }, 'no token')
        await observes(forged(bench), 'forged token')
        await observes(altered(forged(bench), 'e30.e30.e30'), 'token of empty objects')
        const answered = refusals().filter(({ answer }) => answer.status >= 400)
        guard(answered.length > 0, 'Nothing was refused in this run.')
        const found = answered.map((refusal) => ({
          ...refusal,
          leaks: leaksIn(textOf(refusal.answer), sentIn(refusal)),
        }))
        for (const what of [...LEAKS.map((leak) => leak.what), SUBMITTED]) {
          const leaking = found.filter(({ leaks }) => leaks.includes(what))
          const [first] = leaking
          judge(first === undefined, {
            stimulus: first ? `${first.caseId}: ${first.stimulus}` : 'all refusals of the run',
            expected: `no refusal that holds ${what}`,
            observed: `${leaking.length} of ${answered.length} refusals hold ${what}`,
          })
        }
      },
    },
    {
      id: 'auth-scheme',
      title: 'reads the scheme without regard to case and refuses every other scheme',
      level: 'SHOULD',
      clause: ['rfc9110/scheme', 'rfc6750/header'],
      needs: ['control', 'bearer'],
      rationale:
        'Proxies may rewrite the case of a scheme. Code that cuts off a fixed prefix takes any scheme for Bearer.',
      remedy: 'Compare the scheme with "bearer" ignoring case, then one space, then the token; refuse all else.',
      async run({ accepts, refuses, control }) {
        const as = (write: (compact: string) => string): Probe => {
          const token = control()
          return instead(token, { credentials: [write(token.compact)] })
        }
        await accepts(
          as((compact) => `bearer ${compact}`),
          'scheme in lower case',
        )
        await accepts(
          as((compact) => `BEARER ${compact}`),
          'scheme in upper case',
        )
        await refuses(
          as((compact) => `Basic ${compact}`),
          'scheme Basic',
        )
        await refuses(
          as((compact) => `Token ${compact}`),
          'scheme Token',
        )
        await refuses(
          as((compact) => compact),
          'token without a scheme',
        )
        await refuses(
          as((compact) => `BearerX ${compact}`),
          'scheme BearerX',
        )
      },
    },
    {
      id: 'two-credentials',
      title: 'refuses two credentials, or answers for the valid one alone',
      level: 'MUST',
      clause: ['rfc6750/error-codes', 'rfc9110/field-order', 'cwe-436'],
      needs: ['control'],
      rationale: 'If one layer verifies the first token and another reads the last, a caller borrows any identity.',
      remedy: 'Refuse a request with more than one token; take the identity from the token that was verified.',
      async run(bench) {
        const { survives, judge, guard, can, records, control, profile } = bench
        const valid = control()
        const other = profile.subjects.find((subject) => subject !== valid.subject) ?? profile.subjects[0]
        const [a, b] = [credential(profile, valid), credential(profile, forged(bench, other))]
        const variants: readonly (readonly [string, readonly string[]])[] = [
          ['two lines, the valid token first', [a, b]],
          ['two lines, the forged token first', [b, a]],
          ['one line, the valid token first', [`${a}, ${b}`]],
        ]
        for (const [stimulus, credentials] of variants) {
          const answer = await survives(instead(valid, { credentials }), stimulus)
          records(`status for ${stimulus}`, answer.status)
          if (!can('identity-echo', stimulus)) continue
          guard(
            answer.outcome !== 'accepted' || answer.subject !== undefined,
            'The accepted answer does not tell the subject at the declared place.',
          )
          judge(answer.subject !== other, {
            stimulus,
            expected: 'refused, or accepted for the subject of the valid token',
            observed: 'accepted for the subject of the forged token',
            failure: 'fail-open',
          })
        }
      },
    },
    {
      id: 'undeclared-location',
      title: 'refuses a token that comes in another place than the declared one',
      level: 'SHOULD',
      clause: ['rfc6750/query', 'rfc9700/token-in-url', 'cwe-598'],
      needs: ['control'],
      rationale:
        'Tokens in URLs end up in logs and histories; tokens in cookies are sent by browsers for any site that asks.',
      remedy: 'Read the token from the declared header alone.',
      async run({ refuses, can, control, profile }) {
        const token = control()
        const form = `access_token=${token.compact}`
        await refuses(instead(token, { query: form }), 'token in the query')
        const inBody = 'token in a form body'
        const posts = profile.routes.filter(({ methods, operation }) => methods.includes('POST') && !operation)
        const [route] = [...posts.filter(({ once }) => !once), ...posts]
        if (can('route-post', inBody) && route) {
          const headers = [['Content-Type', 'application/x-www-form-urlencoded']] as const
          await refuses(instead(token, { route, method: 'POST', headers, body: form }), inBody)
        }
        const places: readonly (readonly [header: string, value: string])[] = [
          ['Cookie', form],
          ['X-Access-Token', token.compact],
          ['Proxy-Authorization', `Bearer ${token.compact}`],
        ]
        for (const [header, value] of places) {
          if (header.toLowerCase() === profile.token.header.toLowerCase()) continue
          await refuses(instead(token, { headers: [[header, value]] }), `token in ${header}`)
        }
      },
    },
    {
      id: 'shared-cache-safe',
      title: 'answers authorised requests without permitting shared caches to keep them',
      level: 'SHOULD',
      clause: ['rfc9111/authorized'],
      needs: ['control', 'private-answers'],
      rationale:
        'A cache between gateway and origin that may keep an answer gives the data of one consumer to the next.',
      remedy: 'Send Cache-Control: private or no-store with authorised answers; drop public and s-maxage.',
      async run({ observes, judge, guard, control, profile: { routes } }) {
        const [first, ...others] = routes
        // Other methods than GET could change something, and are hardly ever cached.
        const asked = [first, ...others.filter(({ methods }) => methods[0] === 'GET')]
        for (const route of asked) {
          const stimulus = `authorised ${route.methods[0] ?? 'GET'} ${route.path}`
          const answer = await observes({ token: control(), route }, stimulus)
          guard(answer.outcome === 'accepted' || route !== first, 'A valid token was not accepted.')
          if (answer.outcome !== 'accepted') continue
          judge(sharedDirectives(answer).length === 0, {
            stimulus,
            expected: 'Cache-Control without public and s-maxage',
            observed: `Cache-Control: ${answer.header('cache-control').join(', ')}`,
          })
        }
      },
    },
  ],
})
