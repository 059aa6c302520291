import type { OriginBench } from '../../harness/model/bench.ts'
import type { ConformanceCase } from '../../harness/model/case.ts'
import { NotApplicable } from '../../harness/model/errors.ts'
import type { Token } from '../../harness/model/token.ts'
import { corrupted, fewFetches, NEVER_SERVED, notLetIn, unknownKid } from './means.ts'

const AT_ONCE = 50

/** Fetches of 50 requests at the same time, all of which must be accepted. */
async function rush({ jwks, accepts, mint, judge, guard, profile }: OriginBench, when: string): Promise<void> {
  await Promise.all(
    Array.from({ length: AT_ONCE }, (_, turn) => accepts(mint(), `request ${turn + 1} of ${AT_ONCE}, ${when}`)),
  )
  const fetches = jwks.fetches().length
  jwks.serve(undefined)
  guard(fetches > 0, NEVER_SERVED)
  judge(fetches <= fewFetches(profile), {
    stimulus: `${AT_ONCE} requests at the same time, ${when}`,
    expected: `${fewFetches(profile)} fetches at most`,
    observed: `${fetches} fetches`,
  })
}

/** Sends refused tokens one after the other or all at once, and tells how many fetches they caused. */
async function fetchesOf(
  { jwks, refuses }: OriginBench,
  tokens: readonly Token[],
  name: string,
  together: boolean,
): Promise<{ readonly fetches: number; readonly seconds: number }> {
  const started = performance.now()
  jwks.mark()
  if (together) await Promise.all(tokens.map((token, at) => refuses(token, `${name} ${at + 1}`)))
  else for (const [at, token] of tokens.entries()) await refuses(token, `${name} ${at + 1}`)
  return { fetches: jwks.fetches().length, seconds: (performance.now() - started) / 1000 }
}

const ONE_AT_A_TIME: NonNullable<ConformanceCase['snippets']> = {
  jose: 'createRemoteJWKSet(url, { cooldownDuration: 30_000 }) // one for the whole process, not one for each request',
  PyJWT: 'jwks_client = PyJWKClient(url)  # once, at import time',
  jsonwebtoken: 'jwksRsa({ jwksUri, cache: true, rateLimit: true, jwksRequestsPerMinute: 10 })',
}

/** Cases about how often and when the JWKS is fetched. */
export const fetchingCases: readonly ConformanceCase[] = [
  {
    id: 'cached',
    title: 'keeps the JWKS instead of fetching it for every request',
    level: 'MUST',
    clause: ['trust/off-path'],
    needs: ['issuer', 'jwks-fetched', 'finite-workers'],
    runs: 'alone',
    rationale:
      'With a fetch for each request the issuer is on the path of all of them: its latency and its outages are yours.',
    remedy: 'Keep the parsed set for minutes, in one place of the process.',
    snippets: ONE_AT_A_TIME,
    async run({ accepts, mint, jwks, judge, records, profile }) {
      for (let turn = 1; turn <= AT_ONCE; turn += 1) await accepts(mint(), `request ${turn} of ${AT_ONCE}`)
      const fetches = jwks.fetches().length
      records('fetches for 50 requests', fetches)
      const most = Math.max(fewFetches(profile), AT_ONCE / 2 - 1)
      judge(fetches <= most, {
        stimulus: '50 valid requests, one after the other',
        expected: `${fewFetches(profile)} fetches, and in no case more than ${most}`,
        observed: `${fetches} fetches`,
      })
    },
  },
  {
    id: 'single-flight',
    title: 'fetches the JWKS once for all requests that wait for it',
    level: 'SHOULD',
    clause: ['cwe-400'],
    needs: ['issuer', 'jwks-fetched', 'finite-workers', 'cold-start'],
    runs: 'alone',
    rationale: 'After each expiry every waiting request fetches: the issuer gets the whole load at once, and falls.',
    remedy: 'Let requests that need the set wait for the fetch that is under way.',
    snippets: ONE_AT_A_TIME,
    async run(bench) {
      const { jwks, can } = bench
      jwks.serve({ delayMs: 150 })
      jwks.mark()
      await jwks.coldStart()
      await rush(bench, 'with no keys cached')
      if (!can('jwks-max-age', '50 requests just past the age of the cache')) return
      jwks.serve({ delayMs: 150 })
      await jwks.expire()
      jwks.mark()
      await rush(bench, 'just past the age of the cache')
    },
  },
  {
    id: 'refetch-bounded',
    title: 'does not fetch the JWKS again for every token that it cannot verify',
    level: 'SHOULD',
    clause: ['cwe-405'],
    needs: ['issuer', 'jwks-fetched', 'finite-workers'],
    runs: 'alone',
    rationale:
      'Anyone can make up kids. If each one costs a fetch, a caller without a credential can flood the issuer.',
    remedy: 'Allow one fetch for unknown kids in a cooldown, and none for bad signatures.',
    snippets: ONE_AT_A_TIME,
    async run(bench) {
      const { judge, records, mint, profile, jwks, observes } = bench
      const { cooldownSec, workers } = profile.jwks
      const kids = (): Token[] => Array.from({ length: 100 }, () => unknownKid(bench))
      const batches = [
        ['unknown kid, one after the other,', kids(), false],
        ['unknown kid, all at once,', kids(), true],
        ['corrupt signature', Array.from({ length: 100 }, () => corrupted(mint())), false],
      ] as const
      for (const [name, tokens, together] of batches) {
        const { fetches, seconds } = await fetchesOf(bench, tokens, name, together)
        const due = cooldownSec === undefined ? 10 : 1 + Math.floor(seconds / Math.max(cooldownSec, 0.1))
        const most = Number(workers) * due
        records(`fetches for 100 of ${name.replace(/,$/u, '')}`, fetches)
        judge(fetches <= most, {
          stimulus: `100 of ${name.replace(/,$/u, '')}`,
          expected: `${most} fetches at most`,
          observed: `${fetches} fetches`,
        })
      }
      jwks.serve({ status: 500, body: '' })
      jwks.mark()
      for (const token of kids().slice(0, 20)) await observes(token, 'unknown kid while the JWKS answers 500')
      records('fetches for 20 unknown kids while the JWKS answers 500', jwks.fetches().length)
    },
  },
  {
    id: 'flood-does-not-starve',
    title: 'takes up a new key although unknown kids keep coming',
    level: 'MUST',
    clause: ['cwe-400'],
    needs: ['issuer', 'jwks-fetched', 'jwks-cooldown'],
    runs: 'alone',
    rationale:
      'If every unknown kid starts the cooldown anew, one caller who sends them keeps the origin from ever seeing a new key.',
    remedy: 'Count the cooldown from the last fetch, not from the last unknown kid.',
    async run(bench) {
      const { jwks, accepts, observes, elapse, guard, mint, profile } = bench
      for (let turn = 1; turn <= 200; turn += 1) {
        await observes(unknownKid(bench), `unknown kid ${turn} of 200`)
        if (turn % 20 === 0) await accepts(mint(), `valid token amid the flood, ${turn / 20} of 10`)
      }
      const key = jwks.newKey()
      jwks.publish(key)
      const half = (profile.jwks.cooldownSec ?? 0) / 2 + 0.5
      await elapse(half)
      for (let turn = 1; turn <= 20; turn += 1) await observes(unknownKid(bench), `unknown kid ${turn} of 20, half-way`)
      await elapse(half)
      const { outcome } = await accepts(mint({}, { key }), 'token of a new key after the cooldown, the flood going on')
      guard(outcome !== 'accepted' || jwks.fetches().length > 0, NEVER_SERVED)
    },
  },
  {
    id: 'refresh-does-not-block',
    title: 'serves known keys while it waits for the JWKS',
    level: 'SHOULD',
    clause: ['cwe-400'],
    needs: ['issuer', 'jwks-fetched', 'jwks-cooldown'],
    runs: 'alone',
    rationale: 'A fetch that holds up the event loop or a lock stops all requests for as long as the issuer is slow.',
    remedy: 'Fetch asynchronously, with a timeout, and let requests with a known kid go on meanwhile.',
    snippets: {
      'python-jose':
        'await asyncio.to_thread(requests.get, JWKS_URL, timeout=2)  # never requests.get on the event loop',
    },
    async run(bench) {
      const { jwks, observes, accepts, judge, guard, mint } = bench
      await accepts(mint(), 'valid token before')
      await jwks.cooldown()
      jwks.serve({ name: 'hang', hang: true })
      const waiting = observes(unknownKid(bench), 'unknown kid, whose fetch hangs')
      const isServed = await jwks.untilServed()
      if (isServed) {
        for (let turn = 1; turn <= 20; turn += 1) {
          const stimulus = `valid token ${turn} of 20 while a fetch hangs`
          const { ms } = await accepts({ token: mint(), withinMs: 1_000 }, stimulus)
          judge(ms < 500, { stimulus, expected: 'an answer within 500 ms', observed: `${Math.round(ms)} ms` })
          if (ms >= 500) break
        }
      }
      jwks.serve(undefined)
      await waiting
      guard(isServed, NEVER_SERVED)
    },
  },
  {
    id: 'slow-endpoint',
    title: 'waits for a slow JWKS, but not for ever',
    level: 'SHOULD',
    clause: ['cwe-400'],
    needs: ['issuer', 'jwks-fetched', 'cold-start'],
    runs: 'alone',
    rationale: 'Without a timeout on the whole fetch, an issuer that hangs takes every worker of the origin with it.',
    remedy: 'Set a timeout of a second or two on the whole fetch, body included.',
    snippets: {
      jose: 'createRemoteJWKSet(url, { timeoutDuration: 2_000 })',
      PyJWT: 'PyJWKClient(url, timeout=2)',
      'Spring Security': 'builder.restOperations(restTemplate) // with connect and read timeouts of 2 s',
    },
    async run(bench) {
      const { jwks, accepts, observes, guard, mint, profile, can, judge } = bench
      jwks.serve({ delayMs: 200 })
      await jwks.coldStart()
      await accepts(mint(), 'JWKS after 200 ms')
      guard(jwks.served() > 0, NEVER_SERVED)
      if (!can('jwks-timeout', 'a JWKS that never comes, or octet by octet')) return
      const withinMs = (profile.jwks.timeoutMs ?? 0) + 1_000
      for (const [stimulus, fault] of [
        ['JWKS that never answers', { hang: true }],
        ['JWKS of one octet every 100 ms', { dripMs: 100 }],
      ] as const) {
        jwks.serve(undefined)
        await jwks.coldStart()
        jwks.serve(fault)
        const answer = await observes({ token: mint(), withinMs }, stimulus)
        guard(jwks.served() > 0, NEVER_SERVED)
        const isIn = answer.outcome === 'accepted'
        judge(!isIn && answer.failure === undefined, {
          stimulus,
          expected: `an answer other than 2xx within ${withinMs} ms`,
          observed: answer.failure ?? `status ${answer.status} after ${Math.round(answer.ms)} ms`,
          failure: isIn ? 'fail-open' : 'fail-crash',
        })
        await jwks.recover()
      }
    },
  },
  {
    id: 'conditional-request',
    title: 'keeps its keys when the JWKS answers 304',
    level: 'MUST',
    clause: ['rfc9110/304', 'rfc9111/freshening'],
    needs: ['issuer', 'jwks-fetched', 'jwks-renewal'],
    runs: 'alone',
    rationale: 'A client that asks conditionally and then treats the empty answer as an empty set locks everyone out.',
    remedy: 'Take 304 for what it says: the set that you have is still the current one.',
    async run(bench) {
      const { jwks, accepts, observes, guard, mint } = bench
      jwks.mark()
      // The first fetch brings the ETag, the second one can be conditional.
      for (const turn of ['first', 'second']) {
        await jwks.renew()
        await observes(unknownKid(bench), `unknown kid, for the ${turn} fetch`)
        await accepts(mint(), `valid token after the ${turn} fetch`)
      }
      guard(jwks.fetches().length > 0, NEVER_SERVED)
      if (!jwks.fetches().some(({ served }) => served === 'not-modified')) {
        throw new NotApplicable('The origin sends no If-None-Match.')
      }
    },
  },
  {
    id: 'cache-control-honoured',
    title: 'keeps the JWKS for as long as its Cache-Control says',
    level: 'MAY',
    clause: ['rfc9111/freshness'],
    needs: ['issuer', 'jwks-fetched', 'cache-control', 'cold-start'],
    runs: 'alone',
    rationale: 'A gateway that shortens max-age before a rotation relies on origins that declare to follow it.',
    remedy: 'Take the age of the set from max-age of the answer, or do not declare it.',
    async run(bench) {
      const { jwks, accepts, elapse, judge, mint, guard, profile } = bench
      const fetchesAfter = async (seconds: number, stimulus: string): Promise<number> => {
        await elapse(seconds)
        jwks.mark()
        await accepts(mint(), stimulus)
        return jwks.fetches().length
      }
      const long = 2 * (profile.jwks.maxAgeSec ?? 300)
      for (const seconds of [10, long]) {
        jwks.serve({ headers: { 'cache-control': `max-age=${seconds}` }, etag: false })
        await jwks.coldStart()
        jwks.mark()
        await accepts(mint(), `fetch with max-age=${seconds}`)
        guard(jwks.fetches().length > 0, NEVER_SERVED)
        const early = await fetchesAfter(seconds - 5, `5 s before max-age=${seconds}`)
        judge(early === 0, {
          stimulus: `5 s before max-age=${seconds}`,
          expected: 'no fetch',
          observed: `${early} fetches`,
        })
        const late = await fetchesAfter(7, `2 s after max-age=${seconds}`)
        judge(late > 0, { stimulus: `2 s after max-age=${seconds}`, expected: 'a fetch', observed: 'none' })
      }
    },
  },
  {
    id: 'no-credentials-sent',
    title: 'fetches the JWKS without credentials of its callers',
    level: 'MUST',
    clause: ['cwe-200'],
    needs: ['issuer', 'jwks-fetched'],
    runs: 'last',
    rationale: 'A request that forwards the token of a caller hands it to whoever runs or logs the JWKS endpoint.',
    remedy: 'Fetch the JWKS with a client of its own: no Authorization, no cookies, nothing of the token in the URL.',
    run({ jwks, judge, guard }) {
      const all = jwks.all()
      guard(all.length > 0, 'No request for the JWKS was seen.')
      const telling = all.flatMap(({ target, headers }) => [
        ...headers.flatMap(([name]) => (/^(?:authorization|cookie|proxy-authorization)$/iu.test(name) ? [name] : [])),
        ...(/eyJ[\w-]{8}|[?&](?:sub|token|user)=/u.test(target) ? ['the URL'] : []),
      ])
      judge(telling.length === 0, {
        stimulus: `${all.length} requests to the issuer during the run`,
        expected: 'no credential in headers or URL',
        observed: `${telling.length} with one, in ${[...new Set(telling)].join(', ')}`,
        failure: 'fail-open',
      })
      return Promise.resolve()
    },
  },
  {
    id: 'discovery-issuer-mismatch',
    title: 'does not use metadata that belongs to another issuer',
    level: 'MUST',
    clause: ['rfc8414/validation', 'oidc-discovery/validation'],
    needs: ['issuer', 'discovery', 'restart'],
    runs: 'alone',
    rationale: 'Metadata that names another issuer comes from the wrong place, and so do its keys.',
    remedy: 'Compare issuer in the metadata with the configured one, character by character, before using jwks_uri.',
    async run(bench) {
      const { jwks, observes, guard, mint, profile, accepts } = bench
      const document = (issuer: string) => ({ issuer, jwks_uri: `${profile.issuer}/.well-known/jwks.json` })
      for (const [stimulus, issuer] of [
        ['metadata whose issuer ends with a slash', `${profile.issuer}/`],
        ['metadata of another host', 'https://other.example.com'],
      ] as const) {
        jwks.serve({ document: document(issuer) }, 'discovery')
        await jwks.restart()
        const answer = await observes(mint(), stimulus)
        guard(jwks.served() > 0, 'The metadata was never fetched after the restart.')
        notLetIn(bench, stimulus, answer)
      }
      jwks.serve(undefined)
      await jwks.restart()
      await accepts(mint(), 'valid token with metadata of the right issuer')
    },
  },
]
