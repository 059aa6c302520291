import type { ConformanceCase } from '../../harness/model/case.ts'

/** Cases about a request that gets through. */
export const crossingCases: readonly ConformanceCase<'chain'>[] = [
  {
    id: 'happy-path',
    title: 'serves a caller with a valid key, as the consumer whose key it is',
    level: 'MUST',
    clause: ['trust/token-only'],
    needs: ['key'],
    rationale: 'Two sides that each conform still fail together when issuer, audience, algorithm or header differ.',
    remedy: 'Set issuer, audience, algorithms, JWKS URL and token header of the origin to what the gateway sends.',
    async run({ keys, accepts, tokenOf, judge, can }) {
      const told: (string | undefined)[] = []
      const echoes = can('identity-echo', 'that the origin sees who calls')
      for (const [at, key] of keys.slice(0, 2).entries()) {
        const stimulus = `a call with key ${at + 1}`
        const crossing = await accepts({ key }, stimulus)
        const { outcome, subject } = crossing.answer
        if (!echoes || outcome !== 'accepted') continue
        told.push(subject)
        const due = [tokenOf(crossing)?.sub, key.subject].filter((one) => one !== undefined)
        judge(
          due.every((one) => one === subject),
          {
            stimulus,
            expected: `given to ${JSON.stringify(due[0])}`,
            observed: `given to ${JSON.stringify(subject)}`,
          },
        )
      }
      if (!can('second-consumer', 'that two consumers are told apart') || told.length < 2) return
      const [one, other] = told
      judge(one !== undefined && one !== other, {
        stimulus: 'a call with key 2',
        expected: 'given to another subject than the call with key 1',
        observed: `both given to ${JSON.stringify(one)}`,
      })
    },
  },
]
