import { parseChallenges } from '../../harness/model/challenges.ts'
import { defineSuite } from '../../harness/model/case.ts'
import { NotApplicable } from '../../harness/model/errors.ts'
import type { ApiKey } from '../../harness/model/gateway-profile.ts'
import {
  bodyCall,
  forEach,
  locationsIn,
  mainKey,
  methodWithBody,
  placeOf,
  subjectOf,
  turnsAway,
  unknownKey,
} from '../api-keys/calls.ts'
import type { NamedCall } from '../api-keys/calls.ts'
import { LEAST_BITS, seenIn } from '../api-keys/entropy.ts'
import { judgeEnded, judgeRollover, refusedEverywhere, revokeFresh } from '../api-keys/lifecycle.ts'
import { pathVariants } from '../api-keys/paths.ts'
import { judgeRejections } from '../api-keys/rejections.ts'
import { judgeTwoKeys } from '../api-keys/two-keys.ts'
import { undeclared } from '../api-keys/undeclared.ts'
import { brokenUp, encoded, folded, HOSTILE, lineOf, nearMisses } from '../api-keys/variants.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', 'FOO', 'get'] as const

/** Keys of which the form is measured. */
const ISSUED = 20

/** Header line that no gateway sends by itself. */
const INJECTED = 'X-Trustspec-Injected'

export default defineSuite({
  id: 'gateway/key-auth',
  title: 'API key authentication',
  cases: [
    {
      id: 'control-valid',
      title: 'forwards a request with a valid key once, with one gateway token',
      level: 'MUST',
      clause: ['owasp/api2'],
      needs: ['key'],
      rationale: 'A gateway that refuses everything would pass every test of what it must refuse.',
      remedy: 'Pass requests with a valid key on to the origin, each with a token that the gateway signed.',
      async run({ forwards, tokenOf, judge, keys, profile }) {
        const { methods } = profile.routes[0]
        const all = [...keys, ...profile.keys.filter((key) => !keys.includes(key))]
        const calls = all.flatMap((key, at) =>
          profile.keyLocations.flatMap((location) =>
            methods
              .filter((method) => location.in !== 'body' || methodWithBody([method]) !== undefined)
              .map((method): NamedCall => [
                `${method} with key ${at + 1} ${placeOf(location)}`,
                { key, location, method },
              ]),
          ),
        )
        for (const [stimulus, call] of calls) {
          const { arrivals } = await forwards(call, stimulus)
          for (const arrival of arrivals()) {
            judge(tokenOf(arrival) !== undefined, {
              stimulus,
              expected: 'a gateway token at the origin',
              observed: 'none',
            })
          }
        }
      },
    },
    {
      id: 'missing',
      title: 'refuses a request without a key, and does not forward it',
      level: 'MUST',
      clause: ['owasp/api2', 'cwe-306'],
      needs: ['key'],
      rationale: 'Who needs no key needs no account, and cannot be told apart, limited or shut out.',
      remedy: 'Refuse with 401 before anything is forwarded when a request carries no key.',
      async run({ refuses, profile }) {
        const routes = [...profile.routes, ...(profile.entitlement ? [profile.entitlement.route] : [])]
        const calls = routes.flatMap((route) =>
          route.methods.map((method): NamedCall => [
            `${method} ${route.path} without a key`,
            { key: null, route, method },
          ]),
        )
        await forEach(calls, (call, name) => refuses(call, name, 'any-4xx'))
      },
    },
    {
      id: 'unknown',
      title: 'refuses a well-formed key that it did not issue',
      level: 'MUST',
      clause: ['cwe-287'],
      needs: ['key'],
      rationale: 'Prefix, length and checksum of a key can be had by anyone who has ever seen one.',
      remedy: 'Look the whole key up in the store; take its form for nothing but a reason to refuse early.',
      async run(bench) {
        const { refuses, profile } = bench
        const calls = profile.keyLocations.map((location): NamedCall => [
          `an unknown key ${placeOf(location)}`,
          { key: unknownKey(bench), location, ...bodyCall(bench, location.in) },
        ])
        await forEach(calls, (call, name) => refuses(call, name))
      },
    },
    {
      id: 'near-miss',
      title: 'refuses what differs from a valid key in any character',
      level: 'MUST',
      clause: ['cwe-187', 'cwe-1025', 'cwe-287'],
      needs: ['key'],
      rationale: 'A key that is compared in part only has as many secrets as that part.',
      remedy: 'Compare the whole key, or its hash, and nothing less; let no character be ignored.',
      async run(bench) {
        const { refuses, profile } = bench
        const { key } = mainKey(bench)
        const calls = profile.keyLocations.flatMap((location) =>
          nearMisses(key).map(([name, text]): NamedCall => [
            `a valid key, ${name}, ${placeOf(location)}`,
            { key: text, location, ...bodyCall(bench, location.in) },
          ]),
        )
        const nulls = locationsIn(profile, 'query').map(({ name, in: kind }): NamedCall => [
          `a valid key, NUL behind it, in the ${kind} ${name}`,
          { key: null, query: `${name}=${encodeURIComponent(key)}%00` },
        ])
        await forEach([...calls, ...nulls], (call, name) => refuses(call, name))
      },
    },
    {
      id: 'case-folded',
      title: 'refuses a valid key in another case of letters',
      level: 'MUST',
      clause: ['cwe-178'],
      needs: ['key', 'case-sensitive-keys'],
      rationale: 'A store that knows no case makes 62 characters into 36, and a key far easier to guess.',
      remedy: 'Compare keys octet by octet; set a binary collation where a database does it.',
      async run(bench) {
        const { refuses, profile, notProven } = bench
        const variants = folded(mainKey(bench).key)
        if (variants.length === 0) notProven('a key in another case', 'needs a key with letters', '--api-key KEY')
        const calls = profile.keyLocations.flatMap((location) =>
          variants.map(([name, key]): NamedCall => [
            `a valid key ${name}, ${placeOf(location)}`,
            { key, location, ...bodyCall(bench, location.in) },
          ]),
        )
        await forEach(calls, (call, name) => refuses(call, name))
      },
    },
    {
      id: 'hostile-values',
      title: 'refuses values that mean something to databases, templates and objects',
      level: 'MUST',
      clause: ['cwe-89', 'cwe-90', 'cwe-943', 'cwe-1289', 'cwe-1321'],
      needs: ['key'],
      rationale: 'What is looked up as if it were an expression or the name of a member finds more than keys.',
      remedy: 'Look keys up by their hash, in a query with parameters or a map without a prototype.',
      async run(bench) {
        const { refuses, profile } = bench
        const calls = profile.keyLocations.flatMap((location) =>
          HOSTILE.map(([name, key]): NamedCall => [
            `${name} for a key, ${placeOf(location)}`,
            { key, location, ...bodyCall(bench, location.in) },
          ]),
        )
        const bare = locationsIn(profile, 'header')
          .filter(({ scheme = '' }) => scheme !== '')
          .map(({ name, scheme = '' }): NamedCall => [
            `${scheme} alone in ${name}`,
            { key: null, headers: [[name, scheme]] },
          ])
        const operators = locationsIn(profile, 'query').flatMap(({ name }) => [
          [`${name}[$ne] in the query`, { key: null, query: `${name}[$ne]=1` }] as const,
          [`${name}[] in the query`, { key: null, query: `${name}[]=1` }] as const,
        ])
        await forEach([...calls, ...bare, ...operators], (call, name) => refuses(call, name))
      },
    },
    {
      id: 'control-characters',
      title: 'refuses a key with control characters, and makes no header line of what follows',
      level: 'MUST',
      clause: ['rfc9110/field-values', 'rfc9112/message-parsing', 'rfc9112/obs-fold'],
      needs: ['key'],
      rationale: 'Two parsers that end a line at different octets let a caller write header lines for the origin.',
      remedy: 'Refuse field values with CR, LF or NUL; decode nothing in them, and cut nothing off.',
      async run(bench) {
        const { profile, judge, notProven } = bench
        const { key } = mainKey(bench)
        const injected = `${INJECTED}: 1`
        const headers = locationsIn(profile, 'header')
        if (headers.length === 0) {
          notProven('a key with control characters', 'needs a key in a header', '"keyLocations" of the profile')
        }
        const calls = headers.flatMap((location) =>
          [...brokenUp(key, injected), ...encoded(key, injected)].map(([name, value]): NamedCall => [
            `a valid key, ${name}, in ${location.name}`,
            { key: null, headers: [[location.name, lineOf(location, value)]] },
          ]),
        )
        const passages = await forEach(calls, async (call, name) => [name, await turnsAway(bench, call, name)] as const)
        for (const [stimulus, { arrivals }] of passages) {
          judge(
            arrivals().every((arrival) => arrival.header(INJECTED).length === 0),
            {
              stimulus,
              expected: 'no header line of what follows',
              observed: 'the origin got it as a header line',
              failure: 'fail-open',
            },
          )
        }
      },
    },
    {
      id: 'oversize',
      title: 'refuses a huge key and a huge header section without failing',
      level: 'SHOULD',
      clause: ['rfc6585/431', 'cwe-770'],
      needs: ['key'],
      rationale:
        'A header that is read without a limit, or matched by a slow expression, stops a gateway for everybody.',
      remedy: 'Limit the octets of the header section, answer 431 beyond, and check the length of a key first.',
      async run(bench) {
        const { profile } = bench
        const { key } = mainKey(bench)
        const [first] = profile.keyLocations
        const location = locationsIn(profile, 'header')[0] ?? first
        // An answer may come, and the connection be closed, while the rest is still on its way.
        const alone = [['Connection', 'close']] as const
        const sizes = [8, 64, 1024].map((size): NamedCall => [
          `a key of ${size} kB`,
          { key: key.repeat(Math.ceil((size * 1024) / key.length)), location, headers: alone },
        ])
        const lines = Array.from({ length: 200 }, (_, at) => [`X-Trustspec-${at}`, 'x'.repeat(1024)] as const)
        const many: NamedCall = [
          'an unknown key, and 200 header lines of 1 kB',
          { key: unknownKey(bench), headers: [...alone, ...lines] },
        ]
        for (const [name, call] of [...sizes, many]) await turnsAway(bench, call, name)
      },
    },
    {
      id: 'two-keys',
      title: 'refuses a request with two keys, or takes it for one consumer throughout',
      level: 'SHOULD',
      clause: ['rfc9110/field-order', 'cwe-436'],
      needs: ['key'],
      runs: 'alone',
      rationale: 'One key opens the door, the other pays: whoever holds two can spend the limits of somebody else.',
      remedy: 'Refuse requests with more than one credential; at least decide once which one counts.',
      run: judgeTwoKeys,
    },
    {
      id: 'undeclared-location',
      title: 'refuses a valid key in a place that is not declared',
      level: 'SHOULD',
      clause: ['cwe-598'],
      needs: ['key'],
      rationale: 'A key that also works in a URL will be sent in one, and stays in logs, histories and Referer lines.',
      remedy: 'Look for keys in the declared places alone.',
      async run(bench) {
        await forEach(undeclared(bench), (call, name) => bench.refuses(call, name))
      },
    },
    {
      id: 'revoked',
      title: 'refuses a revoked key once the declared time has passed',
      level: 'MUST',
      clause: ['cwe-613', 'owasp/api2'],
      needs: ['key', 'revoked-key'],
      runs: 'alone',
      rationale: 'Whoever revokes a stolen key has to know when it is over; a cache without an end makes that never.',
      remedy: 'Take revoked keys out of every cache of every instance within the time that you declare.',
      async run(bench) {
        const { profile, can } = bench
        for (const [at, key] of (profile.revokedKeys ?? []).entries()) {
          await refusedEverywhere(bench, key, `revoked key ${at + 1}`)
        }
        const stimulus = 'a key that is revoked while every cache knows it'
        if (can('fresh-keys', stimulus) && can('revoke-key', stimulus)) await revokeFresh(bench)
      },
    },
    {
      id: 'expired-or-disabled',
      title: 'refuses keys that have expired or were switched off',
      level: 'MUST',
      clause: ['cwe-613'],
      needs: ['key', 'ended-key'],
      runs: 'alone',
      rationale: 'An expiry date that nobody compares with the time is a comment.',
      remedy: 'Check the expiry and the state of the key and of its consumer on every request, cached or not.',
      run: judgeEnded,
    },
    {
      id: 'rollover-overlap',
      title: 'lets two keys of a consumer work side by side, and revokes one alone',
      level: 'MUST',
      clause: ['trust/key-rollover'],
      needs: ['key', 'two-keys'],
      runs: 'alone',
      rationale: 'Where a new key ends the old one at once, rolling keys means an outage, and so nobody rolls them.',
      remedy: 'Keep keys as entries of their own, several for each consumer, each revoked by itself.',
      run: judgeRollover,
    },
    {
      id: 'route-entitlement',
      title: 'refuses a valid key on a route that its consumer may not use',
      level: 'MUST',
      clause: ['owasp/api5', 'cwe-862'],
      needs: ['key', 'entitlement'],
      rationale: 'A key that opens everything turns the cheapest plan into the dearest.',
      remedy: 'Check on every route whether the consumer may use it, and answer 403 before forwarding.',
      async run({ profile, freshKey, observes, guard, refuses }) {
        const { entitlement } = profile
        if (!entitlement) return
        const given = entitlement.otherKeys ?? []
        const others = given.length > 0 ? given : [await freshKey({ unentitled: true })]
        for (const [at, key] of others.entries()) {
          const { answer } = await observes({ key }, `unentitled key ${at + 1} on another route`)
          guard(answer.outcome === 'accepted', 'The key that is not entitled works on no other route either.')
          for (const method of entitlement.route.methods) {
            await refuses(
              { key, route: entitlement.route, method },
              `${method} ${entitlement.route.path} with unentitled key ${at + 1}`,
            )
          }
        }
      },
    },
    {
      id: 'every-method',
      title: 'forwards nothing without a key, whatever the method',
      level: 'MUST',
      clause: ['cwe-650'],
      needs: ['key'],
      rationale: 'Guards are hung before the methods that somebody thought of; origins answer others too.',
      remedy: 'Guard routes, not methods, and forward only the methods that a route declares.',
      async run({ profile, can, withholds, refuses }) {
        const isSeen = profile.marker !== undefined || can('capture', 'methods that the route does not have')
        const calls = profile.routes.flatMap((route) =>
          METHODS.filter((method) => !(method === 'OPTIONS' && profile.corsPreflight === true)).map(
            (method): NamedCall => [`${method} ${route.path} without a key`, { key: null, route, method }],
          ),
        )
        if (isSeen) await forEach(calls, (call, name) => withholds(call, name))
        else {
          const own = calls.filter(([, { route, method = '' }]) => route?.methods.includes(method))
          await forEach(own, (call, name) => refuses(call, name, 'any-4xx'))
        }
      },
    },
    {
      id: 'path-variants',
      title: 'forwards nothing to a protected path without a key, however it is spelled',
      level: 'MUST',
      clause: ['cve-2021-29492', 'cwe-22', 'cwe-647', 'rfc3986/normalization'],
      needs: ['key', 'capture'],
      rationale: 'A guard that matches the raw path and a proxy that tidies it up disagree about what is protected.',
      remedy: 'Decode and tidy the path once, before routing, or refuse what is not normal; forward what was guarded.',
      async run({ profile, withholds, notProven }) {
        const open = profile.publicRoutes
        if (open.length === 0) {
          notProven('ways from a public route', 'needs a route without a key', '"publicRoutes" in the profile')
        }
        await forEach(pathVariants(profile.routes[0], open), (call, name) => withholds(call, name))
      },
    },
    {
      id: 'per-request-not-per-connection',
      title: 'checks the key of every request on a connection that stays open',
      level: 'MUST',
      clause: ['cwe-384', 'cwe-613'],
      needs: ['key'],
      rationale: 'Proxies in front share connections among callers: one who is remembered lends the key to all others.',
      remedy: 'Check the key of each request; keep nothing of the caller on the connection.',
      async run(bench) {
        const { keys, forwards, refuses, connect, guard, judge, can } = bench
        const main = mainKey(bench)
        const other = keys.find(({ consumer }) => consumer !== main.consumer) ?? main
        if (other === main) can('second-consumer', 'the key of another consumer on the same connection')
        await using elsewhere = await connect()
        const alone = await subjectOf(
          bench,
          await forwards({ key: other, on: elsewhere }, 'the other key, first on a connection'),
        )
        const asOther = async (on: Awaited<ReturnType<typeof connect>>, stimulus: string) => {
          const passage = await forwards({ key: other, on }, stimulus)
          judge((await subjectOf(bench, passage)) === alone, {
            stimulus,
            expected: 'a token for the consumer of this key',
            observed: 'a token for somebody else',
            failure: 'fail-open',
          })
          return passage.answer.connection
        }
        await using on = await connect()
        const first = await forwards({ key: main, on }, 'a valid key first')
        const none = await refuses({ key: null, on }, 'no key after a valid one', 'any-4xx')
        const second = await asOther(on, 'the other key after that')
        const last = await refuses({ key: unknownKey(bench), on }, 'an unknown key after a valid one')
        const carriers = [first, none, last].map(({ answer }) => answer.connection)
        if (new Set([...carriers, second]).size === 4) {
          throw new NotApplicable('The gateway closes the connection after every answer.')
        }
        guard(
          carriers[0] === carriers[1] && carriers[2] === second,
          'The gateway closed the connection, so that the requests did not share one.',
        )
        if (carriers[1] === second) return
        // It closes connections behind refusals: then both keys follow one another on a fresh one.
        await using fresh = await connect()
        const { answer } = await forwards({ key: main, on: fresh }, 'a valid key on a fresh connection')
        const next = await asOther(fresh, 'the other key right behind it')
        guard(answer.connection === next, 'The gateway closed the connection between two valid keys.')
      },
    },
    {
      id: 'www-authenticate',
      title: 'sends a challenge with every 401',
      level: 'MUST',
      clause: ['rfc9110/401', 'rfc9110/www-authenticate'],
      needs: ['key'],
      rationale: 'A 401 without WWW-Authenticate tells a client library neither what is missing nor where it goes.',
      remedy: 'Send WWW-Authenticate with a scheme in every 401, whatever is wrong with the key.',
      async run(bench) {
        const { refuses, profile, judge } = bench
        const calls: readonly NamedCall[] = [
          ...profile.routes.map((route): NamedCall => [`no key on ${route.path}`, { key: null, route }]),
          ...profile.keyLocations.map((location): NamedCall => [
            `an unknown key ${placeOf(location)}`,
            { key: unknownKey(bench), location, ...bodyCall(bench, location.in) },
          ]),
        ]
        await forEach(calls, async (call, stimulus) => {
          const { answer } = await refuses(call, stimulus, 'any-4xx')
          const isFit = answer.status !== 401 || parseChallenges(answer.header('www-authenticate')).length > 0
          judge(isFit, {
            stimulus,
            expected: 'WWW-Authenticate with a challenge',
            observed: answer.header('www-authenticate').length > 0 ? 'one that cannot be parsed' : '401 without it',
          })
        })
      },
    },
    {
      id: 'rejection-discloses-nothing',
      title: 'refuses all keys alike, and repeats none of them',
      level: 'SHOULD',
      clause: ['cwe-204', 'cwe-209'],
      needs: ['key'],
      runs: 'last',
      rationale: 'An answer that tells a revoked key from an unknown one confirms to a thief what he holds.',
      remedy: 'Answer every refused key with the same status and body, and log the reason instead.',
      run: judgeRejections,
    },
    {
      id: 'format',
      title: 'issues keys of the declared form that nobody can guess',
      level: 'SHOULD',
      clause: ['github/token-format', 'cwe-331'],
      needs: ['key-format', 'issue-key'],
      rationale: 'Short keys are guessed, and keys without a prefix and a checksum are missed by secret scanners.',
      remedy: 'Take at least 128 bits from a secure random source, with a prefix before and a checksum behind.',
      async run({ hooks, profile, judge, records }) {
        const { keyFormat } = profile
        if (!keyFormat) return
        const issued: ApiKey[] = []
        while (issued.length < ISSUED) issued.push(await hooks.issueKey())
        const seen = seenIn(
          issued.map(({ key }) => key),
          keyFormat,
        )
        const stimulus = `${ISSUED} keys that were just issued`
        const all = (count: number, expected: string, what: string): void => {
          judge(count === ISSUED, { stimulus, expected, observed: `${count} of them ${what}` })
        }
        all(ISSUED - seen.misfits, 'keys that fit the declared pattern', 'fit it')
        all(seen.distinct, 'keys that are all different', 'are different')
        if (keyFormat.checksum !== undefined) all(seen.checked, 'a checksum that is right', 'have one')
        const bits = Math.min(seen.bits, keyFormat.entropyBits ?? seen.bits)
        records('bits of chance at most', seen.bits)
        judge(bits >= LEAST_BITS, {
          stimulus,
          expected: `at least ${LEAST_BITS} bits of chance`,
          observed: `${bits} at most`,
        })
      },
    },
  ],
})
