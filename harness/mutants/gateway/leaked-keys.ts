import { createHash } from 'node:crypto'
import { createLeakReceiver } from '../../gateway/keys/leaks.ts'
import type { LeakReceiver, LeakReceiverOptions } from '../../gateway/keys/leaks.ts'
import { jsonReply, problem } from '../../gateway/reply.ts'
import type { Verdict } from '../../gateway/reply.ts'
import type { GatewayFlaw } from '../../targets/embedded-gateway.ts'
import type { GatewayMutant } from './mutant.ts'

type Wrap = (receive: LeakReceiver, options: LeakReceiverOptions) => LeakReceiver

/** The reference receiver with something around it. */
const around = (wrap: Wrap) => (): GatewayFlaw => ({
  options: { wrap: { receiver: (options) => wrap(createLeakReceiver(options), options) } },
})

const IDS = 'gateway/leaked-keys/'

interface Match {
  readonly token: string
  readonly type: string
}

const matchesIn = (body: Uint8Array): readonly Match[] => JSON.parse(Buffer.from(body).toString()) as readonly Match[]

/** What the reference does with an alert that it believes. */
async function believe({ store, type }: LeakReceiverOptions, body: Uint8Array): Promise<Verdict> {
  const own = matchesIn(body).filter((match) => match.type === type)
  const found = await store.revokeLeaked(own.map(({ token }) => token))
  return jsonReply(
    200,
    own.map(({ token }, at) => ({
      token_hash: createHash('sha256').update(token).digest('hex'),
      token_type: type,
      label: found[at] ? 'true_positive' : 'false_positive',
    })),
  )
}

const statusOf = (verdict: Verdict): number => ('problem' in verdict ? verdict.problem : verdict.status)

/** The feedback of the reference, each item changed. */
function feedback(change: (item: Readonly<Record<string, unknown>>, match: Match) => unknown): Wrap {
  return (receive) => async (headers, body) => {
    const verdict = await receive(headers, body)
    if ('problem' in verdict || verdict.status !== 200) return verdict
    const own = matchesIn(body)
    const items = JSON.parse(verdict.body) as readonly Readonly<Record<string, unknown>>[]
    return jsonReply(
      200,
      items.map((item, at) => change(item, own[at] ?? { token: '', type: '' })),
    )
  }
}

/** Flaws that the suite gateway/leaked-keys finds. */
export const leakedKeysMutants: readonly GatewayMutant[] = [
  {
    id: 'G86',
    flaw: 'does not verify the signature of an alert',
    make: around((_, options) => async (__, body) => {
      try {
        return await believe(options, body)
      } catch {
        return problem(400)
      }
    }),
    kills: [`${IDS}forged-alert`, `${IDS}key-list`, `${IDS}no-oracle`],
  },
  {
    id: 'G87',
    flaw: 'verifies an alert as it would write it itself',
    make: around((receive) => async (headers, body) => {
      try {
        return await receive(headers, Buffer.from(JSON.stringify(matchesIn(body))))
      } catch {
        return problem(400)
      }
    }),
    kills: [`${IDS}forged-alert`, `${IDS}raw-body`],
  },
  {
    id: 'G88',
    flaw: 'processes alerts when the list of keys is not available',
    make: around((receive, options) => async (headers, body) => {
      const verdict = await receive(headers, body)
      return statusOf(verdict) === 503 ? await believe(options, body) : verdict
    }),
    kills: [`${IDS}key-list`],
  },
  {
    id: 'G89',
    flaw: 'processes the first match of an alert alone',
    make: around((_, options) => {
      const receiver = createLeakReceiver({
        ...options,
        store: {
          ...options.store,
          revokeLeaked: async (keys) => [...(await options.store.revokeLeaked(keys.slice(0, 1)))],
        },
      })
      return receiver
    }),
    kills: [`${IDS}batch`],
  },
  {
    id: 'G90',
    flaw: 'answers 500 to an alert about a token that it does not know',
    make: around((_, options) =>
      createLeakReceiver({
        ...options,
        store: {
          ...options.store,
          async revokeLeaked(keys) {
            const found = await options.store.revokeLeaked(keys)
            if (found.includes(undefined)) throw new Error('There is no such key')
            return found
          },
        },
      }),
    ),
    kills: [`${IDS}key-list`, `${IDS}batch`, `${IDS}tolerant-receiver`, `${IDS}feedback`],
  },
  {
    id: 'G91',
    flaw: 'gives feedback with the token and its hash, and the label "valid"',
    make: around(feedback((item, { token }) => ({ ...item, token_raw: token, label: 'valid' }))),
    kills: [`${IDS}feedback`],
  },
  {
    id: 'G174',
    flaw: 'answers 2xx to alerts, and revokes nothing',
    make: around((_, options) =>
      createLeakReceiver({
        ...options,
        store: { ...options.store, revokeLeaked: (keys) => Promise.resolve(keys.map(() => undefined)) },
      }),
    ),
    kills: [
      `${IDS}alert-revokes`,
      `${IDS}raw-body`,
      `${IDS}key-list`,
      `${IDS}batch`,
      `${IDS}tolerant-receiver`,
      `${IDS}feedback`,
    ],
  },
  {
    id: 'G175',
    flaw: 'fetches the list of keys for every alert',
    make: around((_, options) => async (headers, body) => await createLeakReceiver(options)(headers, body)),
    kills: [`${IDS}key-list`],
  },
  {
    id: 'G176',
    flaw: 'fetches the list of keys once',
    make: around((_, options) => {
      const startedMs = options.clock.nowMs()
      return createLeakReceiver({ ...options, clock: { nowMs: () => startedMs } })
    }),
    kills: [`${IDS}key-list`],
  },
  {
    id: 'G177',
    flaw: 'answers 500 to an alert that it cannot parse',
    make: around((receive) => async (headers, body) => {
      const verdict = await receive(headers, body)
      return statusOf(verdict) === 400 ? problem(500) : verdict
    }),
    kills: [`${IDS}tolerant-receiver`],
  },
  {
    id: 'G178',
    flaw: 'tells of an alert that is not signed whether its token is live',
    make: around((receive, { store }) => async (headers, body) => {
      const verdict = await receive(headers, body)
      if (statusOf(verdict) !== 401) return verdict
      return matchesIn(body).some(({ token }) => store.find('default', token)) ? problem(403) : verdict
    }),
    kills: [`${IDS}no-oracle`],
  },
  {
    id: 'G179',
    flaw: 'calls every leaked key a false positive',
    make: around(feedback((item) => ({ ...item, label: 'false_positive' }))),
    kills: [`${IDS}feedback`],
  },
]
