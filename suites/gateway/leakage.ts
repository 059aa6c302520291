import { defineSuite } from '../../harness/model/case.ts'
import { locationsIn } from '../api-keys/calls.ts'
import { judgeIntact } from '../leakage/intact.ts'
import { judgeLocations } from '../leakage/locations.ts'
import { judgeLogs } from '../leakage/logs.ts'
import { givesAway, knownKeys, placesText, tokensIn } from '../leakage/secrets.ts'
import { judgeTroubles } from '../leakage/troubles.ts'

export default defineSuite({
  id: 'gateway/leakage',
  title: 'Credential leakage',
  cases: [
    {
      id: 'key-in-header',
      title: 'keeps the API key of a header to itself',
      level: 'MUST',
      clause: ['cwe-522', 'cwe-200'],
      needs: ['key', 'capture', 'keeps-credential'],
      rationale: 'An origin that sees keys can lose them: in its log, its error tracker, or to whoever breaks into it.',
      remedy: 'Take the key out of the request once it is checked; many gateways forward it by default.',
      async run(bench) {
        if (locationsIn(bench.profile, 'header').length === 0) {
          bench.notProven('a key in a header', 'needs a declared header', '"keyLocations" of the profile')
        }
        await judgeLocations(bench, 'header')
      },
    },
    {
      id: 'key-in-query-cookie-body',
      title: 'takes the API key out of query, cookies and body, and leaves the rest as it was',
      level: 'MUST',
      clause: ['cwe-598', 'cwe-522'],
      needs: ['key', 'capture', 'keeps-credential', 'other-location'],
      rationale: 'URLs and bodies are what origins log first, and a key there is a key in every log.',
      remedy: 'Take the one parameter, cookie or field out, and send everything else on as it came.',
      async run(bench) {
        await judgeLocations(bench, 'query', 'cookie', 'body')
      },
    },
    {
      id: 'key-in-token',
      title: 'puts nothing of an API key into a gateway token',
      level: 'MUST',
      clause: ['cwe-522'],
      needs: ['key', 'capture'],
      runs: 'last',
      rationale: 'Claims are readable by everyone who gets the token, and base64 hides nothing.',
      remedy: 'Put the consumer into sub; refer to a key, if need be, by an id that is not part of it.',
      async run(bench) {
        const { allArrivals, observes, keys, searchText, judge, guard, records } = bench
        for (const [at, key] of keys.entries()) await observes({ key }, `a call with key ${at + 1}`)
        const tokens = new Set(allArrivals().flatMap(({ headers }) => headers.flatMap(([, value]) => tokensIn(value))))
        guard(tokens.size > 0, 'No token reached an origin in the run.')
        const places = await searchText([...tokens].join('\n'), ...knownKeys(bench))
        const inside = places.filter(({ part }) => part === 'token')
        const given = inside.filter(givesAway)
        judge(given.length === 0, {
          stimulus: `${tokens.size} tokens of the run`,
          expected: 'nothing of a key in them',
          observed: `a key ${placesText(given)}`,
          failure: 'fail-open',
        })
        records('digest of a key in a token', inside.length > given.length)
      },
    },
    {
      id: 'nothing-else-stripped',
      title: 'sends everything else on as it came',
      level: 'SHOULD',
      clause: ['rfc9110/transformations'],
      needs: ['key', 'capture'],
      rationale:
        'A lost precondition overwrites the change of somebody else; a lost parameter answers another question.',
      remedy: 'Take out what you declare, and pass header lines, path, query and body on octet by octet.',
      run: judgeIntact,
    },
    {
      id: 'jwt-to-client',
      title: 'shows the gateway token to no caller, whatever the origin does',
      level: 'MUST',
      clause: ['cwe-200'],
      needs: ['key', 'capture'],
      runs: 'alone',
      rationale: 'A caller who holds the token can go past the gateway: no limits, no log, no revocation.',
      remedy: 'Answer failures of the origin with a page of your own that holds nothing of the request.',
      run: judgeTroubles,
    },
    {
      id: 'redirect-not-followed',
      title: 'gives redirects to the caller and does not follow them',
      level: 'SHOULD',
      clause: ['cwe-601', 'cve-2025-4673'],
      needs: ['key', 'capture', 'second-capture'],
      rationale: 'An origin with an open redirect sends a gateway that follows it, token and all, wherever it is told.',
      remedy: 'Pass 3xx answers on to the caller; follow none with the token.',
      async run({ capture, secondCapture, observes, forwards, judge, guard, nonce, profile, track }) {
        const second = profile.routes.find(({ origin }) => origin === 2)
        if (second) await forwards({ route: second }, 'a call to the second origin, which must see it')
        const [route] = profile.routes
        for (const method of route.methods) {
          for (const status of [302, 307, 308]) {
            const stimulus = `the origin answers ${method} with ${status} to another host`
            const own = nonce()
            const hits = track()
            const programme = capture.answer(
              { status, redirect: `${secondCapture.url}/redirected/${hits.nonce}` },
              { nonce: own },
            )
            const { answer } = await observes({ method, headers: [['X-Trustspec-Case', own]] }, stimulus)
            guard(programme.served() > 0, `${stimulus}: it was never served.`)
            judge(hits.arrivals().length === 0, {
              stimulus,
              expected: 'nothing at the other host',
              observed: 'the gateway followed',
              failure: 'fail-open',
            })
            judge(answer.status === status, {
              stimulus,
              expected: `${status} for the caller`,
              observed: `status ${answer.status}`,
            })
          }
        }
      },
    },
    {
      id: 'logs',
      title: 'logs neither API keys nor gateway tokens',
      level: 'SHOULD',
      clause: ['cwe-532'],
      needs: ['key', 'capture', 'logs'],
      runs: 'last',
      rationale: 'Logs are kept for years and read by many; a key in one has to be taken for stolen.',
      remedy: 'Log the id of the consumer and of the key; leave out header lines and queries.',
      run: judgeLogs,
    },
  ],
})
