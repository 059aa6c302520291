import { carriedToken } from '../capture/carried.ts'
import { NOTHING } from '../capture/prove-search.ts'
import { checkJwks } from '../capture/jwks.ts'
import { findSecret, findSecretInText } from '../capture/search.ts'
import { startCapture } from '../capture/server.ts'
import type { CaptureOrigin } from '../model/capture.ts'
import type { ConformanceCase } from '../model/case.ts'
import { Inconclusive, NotApplicable } from '../model/errors.ts'
import type { GatewayBench, GatewayHooks, KeyWish, Served } from '../model/gateway-bench.ts'
import { GATEWAY_CAPABILITIES } from '../model/gateway-capabilities.ts'
import type { ApiKey } from '../model/gateway-profile.ts'
import type { HeaderLines } from '../model/http.ts'
import type { KeyListAnswer, OwnMatch } from '../model/scanner.ts'
import { AsyncDisposableStack } from '../model/stack.ts'
import { answerOf } from './exchange.ts'
import { passAtGateway } from './gateway-passage.ts'
import { GatewayRun } from './gateway-run.ts'
import { arrivalsOf, isProtected } from './gateway-session.ts'
import type { GatewaySession } from './gateway-session.ts'
import { hiddenKeys } from './mask.ts'
import { masked, withoutTokens } from './masked.ts'
import type { CaseOutcome } from './outcome.ts'
import { DECOY_HEADER } from './proofs.ts'
import { createRandom } from './random.ts'
import { concluded, tellingOf } from './telling.ts'
import { told } from './timeline.ts'
import { placeOfToken, verifyCaptured } from './tokens.ts'

/** Longest wait until a capture origin has read what is on its way, in milliseconds. */
const SETTLED_MS = 1_000

/**
 * Runs one case against a gateway to its outcome. `attempt` tells runs of the same case apart. Throws ERR_HARNESS when
 * the case itself is broken.
 */
export async function runGatewayCase(
  session: GatewaySession,
  suiteId: string,
  subject: ConformanceCase<'gateway'>,
  attempt: number,
): Promise<CaseOutcome> {
  const id = `${suiteId}/${subject.id}`
  const random = createRandom(session.seed, `${id} ${attempt}`)
  const run = new GatewayRun(session, id, random.nonce)
  await using stack = new AsyncDisposableStack()
  const bench = benchOf(session, run, random, stack)
  let thrown: unknown
  try {
    await subject.run(bench)
  } catch (error) {
    thrown = error
  }
  run.ledger.timeline.close()
  await stack.disposeAsync()
  return concluded(id, masked(await run.finish(thrown), hiddenKeys(session.secrets), withoutTokens), thrown)
}

function benchOf(
  session: GatewaySession,
  run: GatewayRun,
  random: ReturnType<typeof createRandom>,
  stack: AsyncDisposableStack,
): GatewayBench {
  const { profile, captures, clients, keyring, proofs, secrets } = session
  const { timeline } = run.ledger
  const hooks = hooksOf(session)
  const served = async (wire: ReturnType<typeof keyring.fetch>): Promise<Served> => {
    const { wire: got, json } = await wire
    return { answer: answerOf(got, {}), atSec: session.nowMs() / 1000, ...(json === undefined ? {} : { json }) }
  }
  const plant = async (): Promise<void> => {
    const decoy = Buffer.from(random.octets(30)).toString('base64url')
    const headers = [[DECOY_HEADER, decoy]] as const
    // Where nothing that reaches an origin is seen, texts alone are searched, and the search is all that has to be proven.
    await proofs.search(decoy, async () =>
      captures ? (await run.send({ headers }, undefined)).arrivals()[0] : { ...NOTHING, headers },
    )
  }
  return {
    now: () => session.nowMs() / 1000,
    profile,
    host: session.host,
    keys: session.keys,
    hooks,
    forwards: (call, stimulus) => run.forwards(call, stimulus),
    refuses: (call, stimulus, status) => run.refuses(call, stimulus, status),
    withholds: (call, stimulus) => run.withholds(call, stimulus),
    observes: (call, stimulus) => run.observes(call, stimulus),
    burst: (calls, stimulus) => run.burst(calls, stimulus),
    raw: (octets, _, options = {}) => run.ledger.step(() => clients[0].talk(octetsOf(octets), options), false),
    bare: (octets, framing, options = {}) =>
      run.ledger.step(async () => {
        await using origin = await startCapture({ name: 'bare', framing })
        await using client = session.clientFor(new URL(origin.url))
        await client.talk(octetsOf(octets), options)
        await origin.settled(SETTLED_MS)
        return origin.all()
      }, false),
    track() {
      const nonce = random.nonce()
      return { nonce, arrivals: () => arrivalsOf(session, nonce) }
    },
    ...tellingOf(run.ledger, session.capabilities, GATEWAY_CAPABILITIES),
    get capture() {
      return scoped(captures?.first, stack)
    },
    get secondCapture() {
      return scoped(captures?.second, stack)
    },
    allArrivals: () =>
      captures
        ? [...captures.first.all(), ...captures.second.all()].filter((arrival) => isProtected(arrival, profile))
        : [],
    allAnswers: () => session.answers,
    async search(arrivals, ...wanted) {
      await plant()
      return arrivals.flatMap((arrival) => findSecret(arrival, ...wanted))
    },
    async searchText(text, ...wanted) {
      await plant()
      return findSecretInText(text, ...wanted)
    },
    verify: (arrival) => verifyCaptured(session, arrival),
    tokenOf: (arrival) => carriedToken(arrival, placeOfToken(profile)).compact,
    jwks: ({ headers = [], instance = 0 } = {}) =>
      served(keyring.fetch(headers, instance === 0 ? undefined : clients[instance])),
    checkJwks,
    fetch: (url, headers) => fetchDocument(session, url, headers),
    async freshKey(wish: KeyWish = {}) {
      if (session.hooks.issueKey) return await hooks.issueKey(wish)
      const spare = profile.spareKeys?.[session.spares.taken]
      if (!spare || Object.keys(wish).length > 0) throw new NotApplicable('No API key is left that no case has used.')
      session.spares.taken += 1
      return spare
    },
    async elapse(seconds) {
      if (!session.clock) run.ledger.records('waited for, s', seconds)
      await passAtGateway(session, seconds, () => run.control())
      const says = session.clock ? 'the clock of the gateway was moved on by' : 'waited'
      timeline.note('clock', `${says} ${told(seconds)}`)
    },
    connect: () => Promise.resolve(clients[0].connect()),
    get scanner() {
      const { scanner, profile: declared } = session
      if (!scanner) throw new NotApplicable('There is no receiver of leaked keys.')
      const type = declared.secretScanning?.type ?? ''
      return {
        ...scanner,
        serve: (answer: KeyListAnswer) => stack.use(scanner.serve(answer)),
        bodyOf: (...matches: OwnMatch[]) => scanner.bodyOf(type, matches),
        post: (body: string | Uint8Array, stimulus: string, headers: HeaderLines = scanner.headersFor(body)) =>
          run.ledger.step(async () => {
            const request = {
              method: 'POST',
              target: declared.secretScanning?.path ?? '/',
              headers: [['Content-Type', 'application/json'] as const, ...headers],
              body,
            }
            const answer = answerOf(await clients[0].send(request), {})
            run.ledger.keep(stimulus, { ...request, answer })
            return answer
          }, false),
      }
    },
    nonce: random.nonce,
    random: random.octets,
  }

  /** The capture origin, with programmes that end when the case does. */
  function scoped(origin: CaptureOrigin | undefined, ends: AsyncDisposableStack): CaptureOrigin {
    if (!origin) throw new NotApplicable('The gateway forwards elsewhere.')
    return {
      ...origin,
      answer: (...given) => ends.use(origin.answer(...given)),
      hold: (...given) => ends.use(origin.hold(...given)),
      readAs: (framing) => ends.use(origin.readAs(framing)),
      onArrival: (listener) => ends.use(origin.onArrival(listener)),
      down: async () => once(await origin.down()),
    }
  }

  function hooksOf({ hooks: given }: GatewaySession): GatewayHooks {
    const missing = (name: keyof GatewayHooks) => (): never => {
      throw new NotApplicable(`The hook ${name} is missing.`)
    }
    return {
      issueKey: given.issueKey
        ? async (wish?: KeyWish): Promise<ApiKey> => {
            const made = await given.issueKey?.(wish)
            if (!made) throw new Inconclusive('The hook issueKey gave no key.')
            secrets.add(made.key)
            return made
          }
        : missing('issueKey'),
      revokeKey: noting(given.revokeKey, 'an API key is revoked') ?? missing('revokeKey'),
      rotateSigningKey:
        noting(given.rotateSigningKey, 'the gateway signs with a new key') ?? missing('rotateSigningKey'),
      revokeSigningKey: noting(given.revokeSigningKey, 'a signing key is revoked') ?? missing('revokeSigningKey'),
      restart: given.restart
        ? async () => {
            timeline.note('restart', 'the gateway is started again')
            await given.restart?.()
            await Promise.all(clients.map((client) => client.renew()))
          }
        : missing('restart'),
      keyStoreDown: given.keyStoreDown ? () => outage(given.keyStoreDown, 'the key store') : missing('keyStoreDown'),
      limitStoreDown: given.limitStoreDown
        ? () => outage(given.limitStoreDown, 'the store of the limits')
        : missing('limitStoreDown'),
      signerDown: given.signerDown ? () => outage(given.signerDown, 'the signer') : missing('signerDown'),
      logs: given.logs ?? missing('logs'),
    }
  }

  /** The hook, noted in the timeline once it has worked. */
  function noting<A extends readonly unknown[]>(hook: ((...given: A) => Promise<void>) | undefined, says: string) {
    if (!hook) return undefined
    return async (...given: A): Promise<void> => {
      await hook(...given)
      timeline.note('keys', says)
    }
  }

  async function outage(begin: (() => Promise<AsyncDisposable>) | undefined, what: string): Promise<AsyncDisposable> {
    const ongoing = await begin?.()
    if (!ongoing) throw new Inconclusive('The outage did not begin.')
    timeline.note('fault', `${what} is down`)
    return once({
      async [Symbol.asyncDispose]() {
        await ongoing[Symbol.asyncDispose]()
        timeline.note('fault', `${what} is back`)
      },
    })
  }

  /** Ends once: with the case at the latest, where the case has not ended it to see the recovery. */
  function once(ongoing: AsyncDisposable): AsyncDisposable {
    let isOver = false
    const end: AsyncDisposable = {
      async [Symbol.asyncDispose]() {
        if (isOver) return
        isOver = true
        await ongoing[Symbol.asyncDispose]()
      },
    }
    stack.use(end)
    return end
  }
}

async function fetchDocument(session: GatewaySession, text: string, headers: HeaderLines = []): Promise<Served> {
  const url = new URL(text)
  await using client = session.clientFor(url)
  const wire = await client.send({
    method: 'GET',
    target: `${url.pathname}${url.search}`,
    headers: [['Accept', 'application/json'], ...headers],
    raw: true,
  })
  const answer = answerOf(wire, {})
  const atSec = session.nowMs() / 1000
  try {
    return { answer, atSec, json: JSON.parse(answer.body) as Served['json'] & {} }
  } catch {
    return { answer, atSec }
  }
}

function octetsOf(octets: string | Uint8Array): Uint8Array {
  return typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets
}
