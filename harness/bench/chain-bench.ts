import { setTimeout as wait } from 'node:timers/promises'
import { carriedToken } from '../capture/carried.ts'
import { verifyGatewayToken } from '../capture/verify.ts'
import type { ConformanceCase } from '../model/case.ts'
import { CHAIN_CAPABILITIES } from '../model/chain-bench.ts'
import type { ChainBench, Crossing, TappedToken } from '../model/chain-bench.ts'
import type { ApiKey } from '../model/gateway-profile.ts'
import { Inconclusive, NotApplicable } from '../model/errors.ts'
import { AsyncDisposableStack } from '../model/stack.ts'
import type { ChainSession } from './chain-session.ts'
import { passInChain, skewTo } from './chain-passage.ts'
import { ChainRun } from './chain-run.ts'
import { kidsOf } from './keyring.ts'
import type { Publication } from './keyring.ts'
import { hiddenKeys } from './mask.ts'
import { masked, withoutTokens } from './masked.ts'
import type { CaseOutcome } from './outcome.ts'
import { createRandom } from './random.ts'
import { concluded, tellingOf } from './telling.ts'
import { placeOfToken } from './tokens.ts'
import { told } from './timeline.ts'
import type { Timeline } from './timeline.ts'

/** The case about the control itself: it is judged even where the control fails. */
export const CHAIN_CONTROL = 'chain/happy-path'

/** Longest wait for a gateway that is started again, for a key that was issued, and between two looks, in milliseconds. */
const REVIVED_MS = 3_000
const KNOWN_MS = 1_000
const POLL_MS = 20

/**
 * Runs one case against a gateway with its origin to its outcome. `attempt` tells runs of the same case apart. Throws
 * ERR_HARNESS when the case itself is broken.
 */
export async function runChainCase(
  session: ChainSession,
  suiteId: string,
  subject: ConformanceCase<'chain'>,
  attempt: number,
): Promise<CaseOutcome> {
  const id = `${suiteId}/${subject.id}`
  const random = createRandom(session.seed, `${id} ${attempt}`)
  const run = new ChainRun(session, random.nonce)
  await using stack = new AsyncDisposableStack()
  const fetchesBefore = session.proxy?.fetches().length ?? 0
  const bench = benchOf(session, run, random.nonce, stack)
  const isAlone = subject.runs !== undefined && subject.runs !== 'together'
  let thrown: unknown
  try {
    if (id !== CHAIN_CONTROL) await run.begin(isAlone)
    await subject.run(bench)
  } catch (error) {
    thrown = error
  }
  if (isAlone) noteFetches(run.ledger.timeline, session, fetchesBefore)
  run.ledger.timeline.close()
  await stack.disposeAsync()
  const outcome = masked(await run.finish(thrown), hiddenKeys(session.secrets), withoutTokens)
  if (isAlone && (outcome.findings.length > 0 || outcome.inconclusive !== undefined)) session.state.disturbed = true
  return concluded(id, outcome, thrown)
}

function benchOf(session: ChainSession, run: ChainRun, nonce: () => string, stack: AsyncDisposableStack): ChainBench {
  const { gateway, origin, clients, capabilities, hooks, keys } = session
  const { ledger } = run
  const { timeline } = ledger
  return {
    now: () => session.originMs() / 1000,
    gateway,
    origin,
    keys,
    hooks: {
      async rotateSigningKey() {
        await hookOf('rotateSigningKey', hooks.rotateSigningKey)()
        timeline.note('keys', 'the gateway signs with a new key')
      },
      async revokeSigningKey(kid) {
        await hookOf('revokeSigningKey', hooks.revokeSigningKey)(kid)
        timeline.note('keys', 'a signing key of the gateway is revoked')
      },
      async restart() {
        timeline.note('restart', 'the gateway is started again')
        await hookOf('restart', hooks.restart)()
        await Promise.all(clients.map((client) => client.renew()))
      },
    },
    movable: session.clocks !== undefined,
    accepts: (call, stimulus) => run.accepts(call, stimulus),
    observes: (call, stimulus) => run.observes(call, stimulus),
    direct: (request, stimulus) => run.direct(request, stimulus),
    refuses: (request, stimulus) => run.refuses(request, stimulus),
    underLoad: (act, stimulus) => run.underLoad(act, stimulus),
    unreachable: session.direct ? undefined : (session.unreachable ?? 'its URL is not known'),
    revived: () => revived(run),
    tokenOf: (crossing) => tokenOf(crossing, gateway),
    kids: async (instance = 0) => kidsOf((await publication(session, instance)).json),
    async verify({ compact }, instance) {
      const { json = { keys: [] } } = await publication(session, instance)
      const expected = { nowSec: session.gatewayMs() / 1000 }
      const verified = verifyGatewayToken(compact, json, expected)
      if (verified.problems.length === 0) session.proofs.verifier(compact, json, expected)
      return verified
    },
    cutJwks() {
      const { proxy } = session
      if (!proxy) throw new NotApplicable('The origin does not fetch the JWKS through the proxy of the run.')
      timeline.note('fault', 'the JWKS is out of reach of the origin')
      const cut = stack.use(proxy.cut())
      return {
        served: cut.served,
        [Symbol.dispose]() {
          cut[Symbol.dispose]()
          timeline.note('fault', 'the JWKS is within reach of the origin again')
        },
      }
    },
    jwksFrom(instance) {
      const { proxy } = session
      const { jwksUrl = '', instances = [] } = gateway
      const base = instance === 0 ? jwksUrl : instances[instance - 1]
      if (!proxy || !base) throw new NotApplicable('The origin does not fetch the JWKS through the proxy of the run.')
      const before = proxy.fetches().length
      proxy.from(base)
      stack.defer(() => {
        proxy.from(jwksUrl)
      })
      return () =>
        proxy
          .fetches()
          .slice(before)
          .filter(({ what, at }) => what === 'passed' && at === new URL(base).origin).length
    },
    ...tellingOf(ledger, capabilities, CHAIN_CAPABILITIES),
    applies(holds, otherwise) {
      if (!holds) throw new NotApplicable(otherwise)
    },
    async freshKey() {
      const made = await hooks.issueKey?.()
      if (made) session.secrets.add(made.key)
      const [main] = keys
      const key = made && (await isKnown(run, made)) ? made : main
      if (!key) throw new Inconclusive('There is no API key.')
      return key
    },
    async elapse(seconds) {
      await passInChain(session, seconds)
      timeline.note('clock', `${session.clocks ? 'both clocks were moved on by' : 'waited'} ${told(seconds)}`)
    },
    async skew(seconds) {
      // Put back once at the end, however often it was changed.
      stack.defer(() => skewTo(session, 0))
      await skewTo(session, seconds)
      timeline.note(
        'clock',
        `the clock of the origin was set ${told(Math.abs(seconds))} ${seconds < 0 ? 'behind' : 'ahead of'} that of the gateway`,
      )
    },
    nonce,
  }

  function hookOf<A extends readonly unknown[]>(name: string, hook: ((...given: A) => Promise<void>) | undefined) {
    return async (...given: A): Promise<void> => {
      if (!hook) throw new NotApplicable(`The hook ${name} is missing.`)
      try {
        await hook(...given)
      } catch (error) {
        throw new Inconclusive(`The hook ${name} failed.`, { cause: error })
      }
    }
  }
}

/** Of cases that run together nobody can tell whose a fetch is: this is for those that run alone. */
function noteFetches(timeline: Timeline, { proxy }: ChainSession, before: number): void {
  for (const { what, status, atMs } of proxy?.fetches().slice(before) ?? []) {
    timeline.note('fetch', `the JWKS is fetched: ${what === 'passed' ? `status ${status}` : 'no answer'}`, atMs)
  }
}

async function publication({ keyring, clients }: ChainSession, instance: number): Promise<Publication> {
  if (!keyring) throw new NotApplicable('The JWKS of the gateway is not known.')
  return await keyring.fetch([], instance === 0 ? undefined : clients[instance])
}

/** Whether a key that was issued is known to the gateway within a moment: changes may take time to get around. */
async function isKnown(run: ChainRun, key: ApiKey): Promise<boolean> {
  const until = performance.now() + KNOWN_MS
  for (;;) {
    if ((await run.send({ key }, undefined)).answer.outcome === 'accepted') return true
    if (performance.now() > until) return false
    await wait(POLL_MS)
  }
}

async function revived(run: ChainRun): Promise<boolean> {
  const until = performance.now() + REVIVED_MS
  for (;;) {
    if ((await run.send({}, undefined)).answer.failure === undefined) return true
    if (performance.now() > until) return false
    await wait(POLL_MS)
  }
}

/** The first token that passed the tap for a call, as far as it can be read. */
export function tokenOf(crossing: Pick<Crossing, 'tapped'>, gateway: ChainSession['gateway']): TappedToken | undefined {
  const [arrival] = crossing.tapped()
  const compact = arrival && carriedToken(arrival, placeOfToken(gateway)).compact
  if (compact === undefined) return undefined
  const { header = {}, claims = {} } = verifyGatewayToken(compact, { keys: [] }, { nowSec: 0 })
  const { kid } = header
  const { sub, exp } = claims
  return {
    compact,
    ...(typeof kid === 'string' ? { kid } : {}),
    ...(typeof sub === 'string' ? { sub } : {}),
    ...(typeof exp === 'number' ? { exp } : {}),
  }
}
