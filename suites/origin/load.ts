import type { OriginBench } from '../../harness/model/bench.ts'
import { defineSuite } from '../../harness/model/case.ts'
import type { Answer, Probe } from '../../harness/model/http.ts'
import type { SigningKey, Token } from '../../harness/model/token.ts'
import { attackerOf } from '../jwks/means.ts'
import { otherSubject } from '../stimuli.ts'

const AT_ONCE = 50

/** Milliseconds that a slow machine may take for a request beyond any ratio. */
const SLACK_MS = 20

/** The value that 95 of 100 do not exceed, in milliseconds. */
function p95(answers: readonly Answer[]): number {
  const sorted = answers.map(({ ms }) => ms).toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.95))] ?? 0
}

/** Runs the jobs in order, so many at a time. */
async function concurrently<T>(jobs: readonly (() => Promise<T>)[], atOnce: number): Promise<readonly T[]> {
  const results: T[] = []
  const queue = [...jobs.entries()]
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await next[1]()
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return results
}

/** Tokens in JWE form that cost much to whoever decrypts before asking whether a JWE is due at all. */
function costlyTokens({ encrypt, keys, proven }: OriginBench): readonly (readonly [string, Token])[] {
  const claims = JSON.stringify({ sub: 'anyone', exp: 4_000_000_000 })
  const rsa = proven.find(({ kty }: SigningKey) => kty === 'RSA')
  const pbes2 = encrypt(claims, {
    alg: 'PBES2-HS256+A128KW',
    enc: 'A128CBC-HS256',
    key: keys.main,
    header: { p2c: 2 ** 31 - 1 },
  })
  const bomb =
    rsa && encrypt(new Uint8Array(6 * 1024 * 1024), { alg: 'RSA-OAEP-256', enc: 'A256GCM', key: rsa, deflate: true })
  return [
    ['a JWE with a PBES2 count of 2^31-1', pbes2],
    ...(bomb ? [['a JWE that unpacks to 6 MiB', bomb] as const] : []),
  ]
}

/** Six kinds of request, and whether each must be accepted. */
function kinds(bench: OriginBench): readonly (readonly [name: string, make: () => Probe, isValid: boolean])[] {
  const { mint, now, profile } = bench
  const attacker = attackerOf(bench)
  const forged = () => mint({}, { key: { ...attacker, kid: bench.keys.main.kid, alg: bench.keys.main.alg } })
  return [
    ['valid token', () => ({ token: mint() }), true],
    ['valid token of another subject', () => ({ token: mint({ sub: otherSubject({ profile }) }) }), true],
    ['expired token', () => ({ token: mint({ exp: now() - 3600 }) }), false],
    ['forged token', () => ({ token: forged() }), false],
    [
      'token for another audience',
      () => ({
        token: mint(
          profile.audience === null ? { iss: 'https://other.example.com' } : { aud: 'https://other.example.com' },
        ),
      }),
      false,
    ],
    ['no token', () => ({}), false],
  ]
}

export default defineSuite({
  id: 'origin/load',
  title: 'Overload and survival',
  cases: [
    {
      id: 'jwe-cost',
      title: 'refuses encrypted tokens without paying for them',
      level: 'SHOULD',
      clause: ['cve-2023-52428', 'cve-2024-33664', 'cwe-400'],
      needs: ['control'],
      runs: 'alone',
      rationale:
        'A header can ask for two thousand million hashes, or unpack to gigabytes: five such requests stop an origin.',
      remedy: 'Refuse whatever has not three segments and an algorithm of the list, before any cryptography.',
      async run(bench) {
        const { observes, refuses, judge, control, guard } = bench
        const baseline: Answer[] = []
        for (let turn = 0; turn < 10; turn += 1)
          baseline.push(await observes(control(), 'valid token, for its latency'))
        guard(
          baseline.every(({ outcome }) => outcome === 'accepted'),
          'A valid token was not accepted.',
        )
        const beside: Answer[] = []
        for (const [name, token] of costlyTokens(bench)) {
          const sent = Array.from({ length: 5 }, (_, turn) =>
            refuses({ token, withinMs: 3_000 }, `${name}, ${turn + 1} of 5`),
          )
          for (let turn = 0; turn < 5; turn += 1) beside.push(await observes(control(), `valid token beside ${name}`))
          for (const { ms } of await Promise.all(sent)) {
            judge(ms < 1_000, {
              stimulus: name,
              expected: 'an answer within 1 s',
              observed: `${Math.round(ms)} ms`,
              failure: 'fail-crash',
            })
          }
        }
        const most = 5 * p95(baseline) + 200
        judge(p95(beside) <= most, {
          stimulus: 'valid tokens beside them',
          expected: `95 of 100 within ${Math.round(most)} ms`,
          observed: `${Math.round(p95(beside))} ms`,
        })
      },
    },
    {
      id: 'invalid-flood',
      title: 'serves valid tokens amid a flood of invalid ones',
      level: 'SHOULD',
      clause: ['cwe-400'],
      needs: ['issuer'],
      runs: 'alone',
      rationale: 'Refusing must not cost more than serving, or anyone can crowd out every caller with made-up tokens.',
      remedy: 'Check form, algorithm and kid before the signature; log without blocking; add no delay to refusals.',
      async run(bench) {
        const { observes, accepts, refuses, judge, records, mint, profile } = bench
        const attacker = attackerOf(bench)
        const invalid = () => mint({}, { key: { ...attacker, kid: bench.keys.main.kid, alg: bench.keys.main.alg } })
        const among = (when: string) =>
          concurrently(
            Array.from(
              { length: 150 },
              () => () => observes(mint(), `valid token among valid ones, ${when} the flood`),
            ),
            AT_ONCE,
          )
        const first = await among('before')
        const mixed = await concurrently(
          Array.from({ length: 550 }, (_, turn) => async () => {
            const isValid = turn % 11 === 5
            const name = `${isValid ? 'valid' : 'forged'} token, request ${turn + 1} of 550`
            return { isValid, answer: await (isValid ? accepts(mint(), name) : refuses(invalid(), name)) }
          }),
          AT_ONCE,
        )
        // A machine that is busy for a moment is so before or after: the slower of the two is what it can do.
        const before = Math.max(p95(first), p95(await among('after')))
        const during = p95(mixed.flatMap(({ isValid, answer }) => (isValid ? [answer] : [])))
        const most = profile.latencyBudgetMs ?? 3 * before + SLACK_MS
        records('p95 among valid requests, ms', Math.round(before))
        records('p95 amid the flood, ms', Math.round(during))
        judge(during <= most, {
          stimulus: '50 valid tokens amid 500 forged ones, 50 at a time',
          expected: `95 of 100 valid ones within ${Math.round(most)} ms`,
          observed: `${Math.round(during)} ms`,
        })
      },
    },
    {
      id: 'verdicts-under-concurrency',
      title: 'gives each token the same verdict under concurrency as alone',
      level: 'MUST',
      clause: ['cwe-362'],
      needs: ['issuer'],
      runs: 'alone',
      rationale: 'State that two requests share (a parser, a current user) lets one in on the token of the other.',
      remedy: 'Keep everything about a request in the request: no globals, no shared verifier state.',
      async run(bench) {
        const { accepts, refuses, random } = bench
        const all = kinds(bench)
        const send = ([name, make, isValid]: (typeof all)[number], when: string): Promise<Answer> =>
          isValid ? accepts(make(), `${name}, ${when}`) : refuses(make(), `${name}, ${when}`)
        for (const kind of all) await send(kind, 'alone')
        const order = random(300)
        const shuffled = Array.from({ length: 300 }, (_, turn) => turn).toSorted(
          (one, other) => (order[one] ?? 0) - (order[other] ?? 0) || one - other,
        )
        await concurrently(
          shuffled.map((turn) => async () => {
            const kind = all[turn % all.length]
            if (kind) await send(kind, `request ${turn + 1} of 300 at the same time`)
          }),
          AT_ONCE,
        )
      },
    },
    {
      id: 'alive-after-run',
      title: 'is alive after all of this, and was all along',
      level: 'MUST',
      clause: ['cwe-248'],
      needs: ['control'],
      runs: 'last',
      rationale:
        'A token that ends the process is a switch in the hands of every caller, however fast it starts again.',
      remedy: 'Catch what parsing and verification throw, in callbacks and timers too.',
      async run({ accepts, control, can, process, judge, refusals }) {
        await accepts(control(), 'valid token after all other cases')
        for (const { caseId, stimulus, answer } of refusals()) {
          if (!caseId.endsWith('/observed/leniency')) continue
          judge(answer.outcome !== 'crashed', {
            stimulus,
            expected: 'any answer but 5xx',
            observed: answer.failure ?? `status ${answer.status}`,
            failure: 'fail-crash',
          })
        }
        if (!can('process', 'whether the process ended and was started again')) return
        const deaths = process()?.deaths ?? []
        judge(deaths.length === 0, {
          stimulus: 'the process of the origin during the run',
          expected: 'the same process throughout, restarts by the run aside',
          observed: `${deaths.length} ends: ${deaths.join('; ')}`,
          failure: 'fail-crash',
        })
      },
    },
  ],
})
