import type { ConformanceCase } from '../../harness/model/case.ts'
import type { IssuerResponse } from '../../harness/model/jwks.ts'
import { NEVER_SERVED, notLetIn, provoke } from './means.ts'

const AWAY: IssuerResponse = { name: 'refuse', refuse: true }

/** Cases about a JWKS that cannot be had. */
export const outageCases: readonly ConformanceCase[] = [
  {
    id: 'outage-warm',
    title: 'goes on accepting known keys while the JWKS is away',
    level: 'MUST',
    clause: ['trust/off-path', 'rfc5861/stale-if-error'],
    needs: ['issuer', 'jwks-fetched'],
    runs: 'alone',
    rationale: 'A gateway that restarts must not take every origin with it: the keys are cached for this very moment.',
    remedy: 'Verify with the cached set within its age, whatever the JWKS endpoint does.',
    async run({ jwks, accepts, mint }) {
      await accepts(mint(), 'valid token before the outage')
      for (const [name, fault] of [
        ['closes the connection', AWAY],
        ['answers 500', { status: 500, body: '' }],
        ['resets the connection', { reset: true }],
      ] as const) {
        jwks.serve(fault)
        for (let turn = 1; turn <= 3; turn += 1) await accepts(mint(), `valid token ${turn} while the JWKS ${name}`)
      }
    },
  },
  {
    id: 'failed-refresh-keeps-keys',
    title: 'keeps its keys when a fetch for an unknown kid fails',
    level: 'SHOULD',
    clause: ['cwe-400'],
    needs: ['issuer', 'jwks-fetched', 'jwks-cooldown'],
    runs: 'alone',
    rationale: 'If a failed fetch empties the cache, one made-up kid during a short outage locks everyone out.',
    remedy: 'Replace the cached set only with one that was fetched and parsed.',
    async run(bench) {
      const { jwks, accepts, guard, mint } = bench
      await accepts(mint(), 'valid token before')
      await jwks.cooldown()
      jwks.serve({ status: 500, body: '' })
      const isServed = await provoke(bench, 'unknown kid while the JWKS answers 500')
      guard(isServed, NEVER_SERVED)
      await accepts(mint(), 'valid token after the failed fetch')
    },
  },
  {
    id: 'stale-if-error',
    title: 'serves stale keys while the JWKS is away, as declared',
    level: 'MAY',
    clause: ['rfc5861/stale-if-error', 'rfc9111/stale'],
    needs: ['issuer', 'jwks-fetched', 'jwks-stale'],
    runs: 'alone',
    rationale: 'Who plans an outage by the declared window needs it to be there.',
    remedy: 'Keep the set beyond its age for as long as declared when it cannot be fetched, or declare 0.',
    async run({ jwks, accepts, guard, mint }) {
      await accepts(mint(), 'valid token before the outage')
      jwks.serve(AWAY)
      await jwks.expire()
      await accepts(mint(), 'valid token just past the age of the cache')
      guard(jwks.served() > 0, NEVER_SERVED)
    },
  },
  {
    id: 'stale-is-bounded',
    title: 'does not serve stale keys for longer than it declares',
    level: 'MUST',
    clause: ['cwe-613'],
    needs: ['issuer', 'jwks-fetched', 'jwks-max-age'],
    runs: 'alone',
    rationale: 'Keys that live as long as the JWKS is away can be kept alive by whoever keeps it away.',
    remedy: 'Refuse once the age of the set and its declared extension have passed, and fetch again.',
    async run(bench) {
      const { jwks, accepts, observes, elapse, guard, mint, profile } = bench
      await accepts(mint(), 'valid token before the outage')
      const { maxAgeSec = 0, maxStaleSec = 0 } = profile.jwks
      jwks.serve(AWAY)
      await elapse(maxAgeSec + maxStaleSec + 1)
      const stimulus = 'valid token past the age of the cache and its extension'
      const answer = await observes(mint(), stimulus)
      guard(answer.outcome === 'accepted' || jwks.served() > 0, NEVER_SERVED)
      notLetIn(bench, stimulus, answer)
      if (await jwks.recover()) await accepts(mint(), 'valid token once the JWKS is back')
    },
  },
  {
    id: 'cold-outage',
    title: 'lets nobody in without keys, and recovers by itself',
    level: 'MUST',
    clause: ['cwe-636'],
    needs: ['issuer', 'jwks-fetched', 'cold-start'],
    runs: 'alone',
    rationale:
      'An origin that starts while the gateway is down must neither wave requests through nor stay broken for ever.',
    remedy: 'Answer 503 while there are no keys, and try again at the next request after a short pause.',
    async run(bench) {
      const { jwks, observes, accepts, can, guard, records, mint } = bench
      jwks.serve(AWAY)
      await jwks.coldStart()
      const stimulus = 'valid token while there are no keys'
      const answer = await observes(mint(), stimulus)
      guard(answer.outcome === 'accepted' || jwks.served() > 0, NEVER_SERVED)
      notLetIn(bench, stimulus, answer)
      records('status without keys', answer.status)
      if (await jwks.recover()) await accepts(mint(), 'valid token once the JWKS is back, without a restart')
      else can('jwks-cooldown', 'whether it recovers without a restart')
    },
  },
]
