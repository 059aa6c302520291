import { defineSuite } from '../../harness/model/case.ts'
import { burstsOver, underLimit } from '../limits/counting.ts'
import { tellsOfLimits } from '../limits/telling.ts'
import { retryAfterSec, wrongProblem, wrongRetryAfter } from '../limits/answers.ts'
import {
  canPassWindow,
  exhaust,
  freshLimits,
  isEstimate,
  leastOf,
  mostIn,
  spend,
  staysThrottled,
} from '../limits/limits.ts'
import { failedKeys } from '../limits/guesses.ts'
import { throttlingIsNotKept } from '../limits/not-cached.ts'
import { quota } from '../limits/quota.ts'
import { usesAreShared } from '../limits/sharing.ts'
import { slotsHold } from '../limits/slots.ts'
import { ADDRESS_HEADERS, otherPaths, variantsOf } from '../limits/variants.ts'

export default defineSuite({
  id: 'gateway/rate-limits',
  title: 'Rate limits and quotas',
  cases: [
    {
      id: 'under-limit',
      title: 'throttles nobody who keeps to the limit',
      level: 'MUST',
      clause: ['owasp/api4'],
      needs: ['limits', 'fresh-keys'],
      runs: 'alone',
      rationale: 'A limit that begins too early breaks callers who rely on what was promised to them.',
      remedy: 'Let exactly the declared number of requests through in a window before the first refusal.',
      run: underLimit,
    },
    {
      id: 'over-limit',
      title: 'throttles what goes beyond the limit',
      level: 'MUST',
      clause: ['owasp/api4', 'cwe-770'],
      needs: ['limits', 'fresh-keys'],
      runs: 'alone',
      rationale: 'Without a limit that holds, one consumer can use up what all of them share.',
      remedy: 'Count the requests of each consumer, and refuse those beyond the limit and its burst.',
      async run(bench) {
        const { judge, guard } = bench
        for (const fresh of await freshLimits(bench)) {
          const { limit, name } = fresh
          const { requests, burst = 0, windowSec } = limit
          const spent = await spend(bench, fresh, 2 * requests + burst + 10)
          guard(spent.seconds < windowSec, `${name}: the requests took longer than the window.`)
          const passed = spent.accepted.length
          judge(passed >= leastOf(limit), {
            stimulus: name,
            expected: `at least ${leastOf(limit)} requests are let through`,
            observed: `${passed} were`,
            failure: 'fail-closed',
          })
          judge(passed <= mostIn(limit, spent.seconds), {
            stimulus: name,
            expected: `at most ${mostIn(limit, spent.seconds)} requests are let through`,
            observed: `${passed} were`,
            failure: 'fail-open',
          })
        }
      },
    },
    {
      id: 'throttle-response',
      title: 'answers a throttled request with its declared status and Retry-After',
      level: 'SHOULD',
      clause: ['rfc6585/429', 'ratelimit/quota-exceeded'],
      needs: ['limits', 'fresh-keys'],
      runs: 'alone',
      rationale: 'Who is told 401 or 500 in place of 429 tries other keys or at once again.',
      remedy: 'Answer 429 with Retry-After and a body that says that a limit was reached.',
      async run(bench) {
        const { judge, guard, observes } = bench
        for (const { limit, key, name } of await freshLimits(bench)) {
          const due = limit.status ?? 429
          const stimulus = `${name}, beyond the limit`
          let last = await observes({ route: limit.route, key }, stimulus)
          const most = 2 * limit.requests + (limit.burst ?? 0) + 10
          for (let sent = 1; sent < most && last.answer.outcome === 'accepted'; sent += 1) {
            last = await observes({ route: limit.route, key }, stimulus)
          }
          const { answer } = last
          guard(answer.outcome !== 'accepted', `${name}: the limit was not reached.`)
          judge(answer.status === due, { stimulus, expected: `status ${due}`, observed: `status ${answer.status}` })
          judge(answer.header('retry-after').length === 1, {
            stimulus,
            expected: 'one Retry-After',
            observed: `${answer.header('retry-after').length} of them`,
          })
          judge(answer.body.trim() !== '', { stimulus, expected: 'a body that explains', observed: 'no body' })
        }
      },
    },
    {
      id: 'not-forwarded',
      title: 'forwards no throttled request',
      level: 'MUST',
      clause: ['cwe-770'],
      needs: ['limits', 'fresh-keys', 'capture'],
      runs: 'alone',
      rationale: 'A limit that lets the request through and throws the answer away protects nothing.',
      remedy: 'Decide about the limit before the request goes to the origin.',
      async run(bench) {
        const { judge, guard } = bench
        for (const fresh of await freshLimits(bench)) {
          const { limit, name } = fresh
          const { accepted, throttled } = await spend(bench, fresh, 2 * limit.requests + (limit.burst ?? 0) + 10)
          guard(throttled.length > 0, `${name}: nothing was throttled.`)
          const forwarded = throttled.filter(({ arrivals }) => arrivals().length > 0).length
          judge(forwarded === 0, {
            stimulus: `${name}, throttled`,
            expected: 'nothing of it reaches the origin',
            observed: `${forwarded} of ${throttled.length} reached it`,
            failure: 'fail-open',
          })
          judge(
            accepted.every(({ arrivals }) => arrivals().length === 1),
            {
              stimulus: `${name}, let through`,
              expected: 'each reaches the origin once',
              observed: 'another number of them did',
            },
          )
        }
      },
    },
    {
      id: 'window-resets',
      title: 'lets as many through again when the window has passed',
      level: 'MUST',
      clause: ['owasp/api4'],
      needs: ['limit-passage', 'fresh-keys'],
      runs: 'alone',
      rationale: 'A count that never ends turns one busy minute into an outage for that consumer.',
      remedy: 'Forget what a window has counted once it is over.',
      async run(bench) {
        const { elapse, judge } = bench
        for (const fresh of await freshLimits(bench)) {
          const { limit, name } = fresh
          if (!canPassWindow(bench, limit)) continue
          await exhaust(bench, fresh)
          await elapse(limit.windowSec + 1)
          // An estimate weighs the window before the current one too, so that it forgets in two.
          if (isEstimate(limit)) await elapse(limit.windowSec)
          const { accepted } = await spend(bench, fresh, leastOf(limit))
          judge(accepted.length === leastOf(limit), {
            stimulus: `${name}, after the window`,
            expected: `${leastOf(limit)} requests are let through`,
            observed: `${accepted.length} were`,
            failure: 'fail-closed',
          })
        }
      },
    },
    {
      id: 'partitioning',
      title: 'counts each consumer by itself, with all of its keys',
      level: 'MUST',
      clause: ['owasp/api4'],
      needs: ['limits', 'fresh-keys'],
      runs: 'alone',
      rationale:
        'With one count for all, a single consumer locks the others out; with one for each key, keys buy more.',
      remedy: 'Keep the count under the identity that the limit is for, not under the key or the route alone.',
      async run(bench) {
        const { judge, freshKey, observes, can, now, notProven } = bench
        for (const fresh of await freshLimits(bench)) {
          const { limit, name } = fresh
          if (limit.scope !== 'key' && limit.scope !== 'consumer') {
            notProven(name, `the count is for the ${limit.scope}`, '"scope" key or consumer in "limits" of the profile')
            continue
          }
          await exhaust(bench, fresh)
          const other = await spend(bench, { ...fresh, key: await freshKey() }, leastOf(limit))
          judge(other.accepted.length === leastOf(limit), {
            stimulus: `${name}, another consumer`,
            expected: `${leastOf(limit)} requests are let through`,
            observed: `${other.accepted.length} were`,
            failure: 'fail-closed',
          })
          if (limit.scope !== 'consumer' || !can('issue-key', `${name}, two keys of one consumer`)) continue
          const first = await freshKey()
          const second = await freshKey({ like: first })
          const started = now()
          let accepted = 0
          for (let sent = 0; sent < 2 * limit.requests + (limit.burst ?? 0) + 2; sent += 1) {
            const { answer } = await observes(
              { route: limit.route, key: sent % 2 === 0 ? first : second },
              `${name}, two keys in turn`,
            )
            if (answer.outcome === 'accepted') accepted += 1
          }
          const most = mostIn(limit, now() - started)
          judge(accepted <= most, {
            stimulus: `${name}, two keys in turn`,
            expected: `at most ${most} requests of the consumer are let through`,
            observed: `${accepted} were`,
            failure: 'fail-open',
          })
        }
      },
    },
    {
      id: 'client-ip-headers',
      title: 'counts the same whatever address a caller claims in headers',
      level: 'MUST',
      clause: ['cwe-348', 'owasp/api4'],
      needs: ['limits', 'fresh-keys'],
      runs: 'alone',
      rationale: 'Headers are free to invent: a limit by what they say is no limit.',
      remedy: 'Count by the consumer, or by the address of the connection; believe headers of known proxies alone.',
      async run(bench) {
        for (const fresh of await freshLimits(bench)) {
          await exhaust(bench, fresh)
          for (const [name, value] of ADDRESS_HEADERS) {
            let last = 0
            const headers = (): readonly (readonly [string, string])[] => {
              last += 1
              return [[name, value.replace('*', String(last))]]
            }
            await staysThrottled(bench, fresh, `${fresh.name} with another ${name} each time`, {
              get headers() {
                return headers()
              },
            })
          }
        }
      },
    },
    {
      id: 'cosmetic-variants',
      title: 'counts the same for requests that differ in what does not matter',
      level: 'MUST',
      clause: ['cwe-837', 'cwe-178'],
      needs: ['limits', 'fresh-keys'],
      runs: 'alone',
      rationale: 'A bucket for each spelling of a request gives every caller as many limits as it has spellings.',
      remedy: 'Count after routing, under the identity and the name of the limit, not under the text of the request.',
      async run(bench) {
        for (const fresh of await freshLimits(bench)) {
          await exhaust(bench, fresh)
          for (const [name, change] of variantsOf(fresh.limit, fresh.key, bench.profile)) {
            await staysThrottled(bench, fresh, `${fresh.name} with ${name}`, change)
          }
          const nowhere = await bench.observes({ key: fresh.key, target: `/${bench.nonce()}` }, 'a path of no route')
          for (const [name, change] of otherPaths(fresh.limit)) {
            const stimulus = `${fresh.name} with ${name}`
            // Where whatever path there is goes to the origin, these are not the route of the limit.
            if (nowhere.answer.outcome !== 'accepted') await staysThrottled(bench, fresh, stimulus, change)
            else bench.notProven(stimulus, 'the gateway forwards any path', 'a gateway that forwards its routes alone')
          }
          await using connection = await bench.connect()
          await staysThrottled(bench, fresh, `${fresh.name} on another connection`, { on: connection })
        }
      },
    },
    {
      id: 'parallel-burst',
      title: 'holds the limit for requests that come at the same moment',
      level: 'MUST',
      drops: { without: 'strict-limits', to: 'SHOULD' },
      clause: ['cwe-362'],
      needs: ['limits', 'fresh-keys'],
      runs: 'alone',
      rationale: 'A count that is read first and written later lets any number through at once.',
      remedy: 'Take from the count in one step, and decide by what that step gave.',
      run: burstsOver,
    },
    {
      id: 'others-cannot-burn',
      title: 'counts nothing against a consumer that it did not send',
      level: 'MUST',
      clause: ['cwe-770', 'ratelimit/disclosure'],
      needs: ['limits', 'fresh-keys'],
      runs: 'alone',
      rationale: 'Who can use up the limit of another shuts him out without having his key.',
      remedy: 'Count after the key was checked, under the consumer that it belongs to.',
      async run(bench) {
        const { observes, judge, profile, nonce, notProven } = bench
        for (const fresh of await freshLimits(bench)) {
          const { limit, key, name } = fresh
          if (limit.scope === 'address' || limit.scope === 'route') {
            notProven(name, `the count is for the ${limit.scope}`, '"scope" key or consumer in "limits" of the profile')
            continue
          }
          const undeclared = profile.keyLocations.some((location) => location.in === 'cookie')
            ? []
            : [{ key: key.key, location: { in: 'cookie', name: 'api_key' } as const }]
          let letIn = 0
          for (let sent = 0; sent < 3 * limit.requests; sent += 1) {
            const wrong = [
              { key: key.key.slice(0, -1) },
              { key: key.key.slice(0, 12) },
              { key: nonce() },
              ...undeclared,
            ]
            const chosen = wrong[sent % wrong.length] ?? { key: null }
            const { answer } = await observes({ route: limit.route, ...chosen }, `${name}, wrong key ${sent + 1}`)
            if (answer.outcome === 'accepted') letIn += 1
          }
          // The key at an undeclared place, say: such a call is the consumer's own.
          if (letIn > 0) {
            notProven(name, 'calls without the key were let in', 'a gateway that refuses them')
            continue
          }
          const { accepted } = await spend(bench, fresh, leastOf(limit))
          judge(accepted.length === leastOf(limit), {
            stimulus: `${name} after ${3 * limit.requests} wrong keys from the same address`,
            expected: `${leastOf(limit)} requests are let through`,
            observed: `${accepted.length} were`,
            failure: 'fail-closed',
          })
        }
      },
    },
    {
      id: 'response-syntax',
      title: 'writes Retry-After and problem details as their standards have them',
      level: 'MUST',
      clause: ['rfc9110/retry-after', 'rfc9457/members'],
      needs: ['key'],
      runs: 'last',
      rationale: 'A client that cannot read how long it should wait does not wait.',
      remedy: 'Write whole seconds or an HTTP-date, and the status of the answer as the status member of the problem.',
      async run({ allAnswers, judge, observes }) {
        await observes({ key: null }, 'a request without a key')
        for (const { stimulus, answer } of allAnswers()) {
          const wrong = wrongRetryAfter(answer) ?? wrongProblem(answer)
          judge(wrong === undefined, {
            stimulus,
            expected: 'Retry-After of RFC 9110, and problems of RFC 9457',
            observed: wrong ?? '',
          })
        }
      },
    },
    {
      id: 'retry-after-honest',
      title: 'lets a request through after the time that Retry-After asks for',
      level: 'SHOULD',
      clause: ['rfc9110/retry-after'],
      needs: ['limit-passage', 'fresh-keys'],
      runs: 'alone',
      rationale: 'Clients that wait as they are told and are refused again stop believing what they are told.',
      remedy: 'Tell the seconds until the next request has room, rounded up.',
      async run(bench) {
        const { elapse, judge, now, notProven, observes } = bench
        for (const fresh of await freshLimits(bench)) {
          const { limit, key, name } = fresh
          if (!canPassWindow(bench, limit)) continue
          const { answer } = await exhaust(bench, fresh)
          const [value] = answer.header('retry-after')
          const seconds = value === undefined ? undefined : retryAfterSec(value, now())
          const stimulus = `${name}, after Retry-After`
          if (seconds === undefined) {
            notProven(stimulus, 'the answer has no Retry-After that can be read', 'Retry-After in throttled answers')
            continue
          }
          judge(seconds <= limit.windowSec + 1, {
            stimulus: `${name}, Retry-After`,
            expected: `at most ${limit.windowSec + 1} s`,
            observed: `${Math.round(seconds)} s`,
          })
          if (seconds > 3 && !bench.can('clock', stimulus)) continue
          await elapse(Math.max(0, seconds))
          const again = await observes({ route: limit.route, key }, stimulus)
          judge(again.answer.outcome === 'accepted', {
            stimulus,
            expected: 'let through',
            observed: `status ${again.answer.status} after ${Math.round(seconds)} s`,
            failure: 'fail-closed',
          })
        }
      },
    },
    {
      id: 'ratelimit-fields',
      title: 'tells limits in RateLimit fields as the draft has them',
      level: 'SHOULD',
      clause: ['ratelimit/policy', 'ratelimit/limit', 'ratelimit/server', 'ratelimit/partition-keys'],
      needs: ['ratelimit-fields', 'fresh-keys'],
      runs: 'alone',
      rationale: 'Clients that pace themselves by these fields need them to be read and to be true.',
      remedy: 'Write Lists of Strings with q, w, r and t as whole numbers, and a partition key without the key.',
      run: tellsOfLimits,
    },
    {
      id: 'not-cached',
      title: 'stores no throttled answer in a cache',
      level: 'MUST',
      clause: ['rfc6585/429'],
      needs: ['limit-passage', 'fresh-keys', 'capture'],
      runs: 'alone',
      rationale: 'A stored 429 goes on refusing callers whose limit has long come back.',
      remedy: 'Keep 429 out of every cache, with Cache-Control: no-store where there is one in front.',
      run: throttlingIsNotKept,
    },
    {
      id: 'quota',
      title: 'keeps a long quota beyond the short window, and begins it anew in its time',
      level: 'MUST',
      clause: ['owasp/api4'],
      needs: ['quota-passage', 'fresh-keys'],
      runs: 'alone',
      rationale: 'A quota that ends with the short window is the short window; one that never ends is an outage.',
      remedy: 'Count the quota by its own period, apart from rate limits.',
      run: quota,
    },
    {
      id: 'state-shared',
      title: 'counts across instances and restarts',
      level: 'MUST',
      drops: { without: 'declared-sharing', to: 'SHOULD' },
      clause: ['cwe-770'],
      needs: ['shared-state', 'fresh-keys'],
      runs: 'alone',
      rationale: 'With a count in each process, the limit grows with every instance and ends with every deployment.',
      remedy: 'Keep the counts in a store that all instances share and that outlives them.',
      run: usesAreShared,
    },
    {
      id: 'concurrency',
      title: 'refuses requests beyond the declared number at once',
      level: 'MUST',
      clause: ['cwe-770', 'ratelimit/quota-unit'],
      needs: ['concurrency', 'capture', 'key'],
      runs: 'alone',
      rationale: 'Slow origins pile up requests: without a bound the gateway goes down with them.',
      remedy: 'Bound the requests at the origins, and give a place back as soon as its request has ended.',
      run: slotsHold,
    },
    {
      id: 'auth-failures',
      title: 'throttles who guesses keys, and goes on serving valid ones from there',
      level: 'SHOULD',
      clause: ['owasp/api2', 'cwe-307'],
      needs: ['auth-failures', 'key'],
      runs: 'alone',
      rationale: 'Keys can be guessed as long as nobody counts the guesses; behind one address there are many callers.',
      remedy: 'Count wrong keys by address, answer 429 beyond a bound, and check the key all the same.',
      run: failedKeys,
    },
  ],
})
