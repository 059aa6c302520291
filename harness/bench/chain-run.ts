import { setTimeout as wait } from 'node:timers/promises'
import type { WireAnswer, WireRequest } from '../client/wire.ts'
import type { Crossing, Direct } from '../model/chain-bench.ts'
import { Inconclusive } from '../model/errors.ts'
import type { Call } from '../model/gateway-bench.ts'
import type { Answer } from '../model/http.ts'
import type { Failure } from '../model/verdict.ts'
import { requestOf } from './calls.ts'
import { passInChain } from './chain-passage.ts'
import { directRequest } from './chain-session.ts'
import type { ChainSession } from './chain-session.ts'
import { answerOf, seen } from './exchange.ts'
import type { Exchange } from './exchange.ts'
import { Ledger, Stop } from './ledger.ts'
import type { CaseOutcome } from './outcome.ts'

/** A crossing as it was sent. */
interface Crossed extends Crossing {
  readonly exchange: Exchange
}

const REFUSAL = 'refused with 400, 401 or 403'

/** Callers under load, and milliseconds that each waits behind an answer: at most 20 calls in a second. */
const CALLERS = 4
const PACE_MS = 200

/** State of one case against a gateway with its origin while it runs. */
export class ChainRun {
  readonly #session: ChainSession
  readonly #nonce: () => string
  #refused = false
  readonly ledger = new Ledger()

  constructor(session: ChainSession, nonce: () => string) {
    this.#session = session
    this.#nonce = nonce
  }

  /**
   * Throws Inconclusive unless a call through the gateway is accepted now. What an earlier case has left behind may be
   * mended before: tokens and keys that are kept are let expire, and the origin is started again.
   */
  async begin(mayMend: boolean): Promise<void> {
    const { gateway, origin, restartOrigin, clocks, state } = this.#session
    const { maxAgeSec = 0, cooldownSec = 0, maxStaleSec = 0 } = origin.jwks ?? {}
    const seconds = Math.max(maxAgeSec + maxStaleSec, cooldownSec) + (gateway.maxLifetimeSec ?? 0) + 1
    const pass = (): Promise<void> => passInChain(this.#session, seconds)
    const mends = mayMend ? [...(clocks ? [pass] : []), ...(restartOrigin ? [restartOrigin] : [])] : []
    // A token that is kept may still do, though the next one will not.
    if (state.disturbed && clocks) await mends.shift()?.()
    state.disturbed = false
    for (;;) {
      const { answer } = await this.send({}, undefined)
      if (answer.outcome === 'accepted') return
      const mend = mends.shift()
      if (!mend)
        throw new Inconclusive(`A plain call through the gateway was not accepted before this case (${seen(answer)}).`)
      await mend()
    }
  }

  accepts(call: Call, stimulus: string): Promise<Crossing> {
    return this.ledger.step(async () => {
      const crossed = await this.send(call, stimulus)
      this.#judgeAccepted(stimulus, crossed)
      return crossed
    })
  }

  observes(call: Call, stimulus: string): Promise<Crossing> {
    return this.ledger.step(() => this.send(call, stimulus), false)
  }

  direct(direct: Direct, stimulus: string): Promise<Answer> {
    return this.ledger.step(async () => (await this.#sendDirect(direct, stimulus)).answer, false)
  }

  refuses(direct: Direct, stimulus: string): Promise<Answer> {
    return this.ledger.step(async () => {
      this.#refused = true
      const exchange = await this.#sendDirect(direct, stimulus)
      const { answer } = exchange
      const isLetIn = answer.outcome === 'accepted' || (answer.status >= 200 && answer.status < 300)
      if (isLetIn) this.#fail('fail-open', stimulus, REFUSAL, exchange)
      else if (answer.outcome === 'crashed') this.#crash(stimulus, REFUSAL, exchange)
      else if (answer.outcome === 'other') this.ledger.doubt(odd(stimulus, answer))
      return answer
    })
  }

  underLoad(act: () => Promise<void>, stimulus: string): Promise<readonly Answer[]> {
    return this.ledger.step(async () => {
      const answers: Answer[] = []
      const acted = new AbortController()
      const load = async (): Promise<void> => {
        do {
          answers.push((await this.send({}, stimulus)).answer)
          await wait(PACE_MS, undefined, { signal: acted.signal }).catch(() => undefined)
        } while (!acted.signal.aborted)
      }
      const loaded = Promise.all(Array.from({ length: CALLERS }, load))
      // What it throws is thrown once the act is over.
      loaded.catch(() => undefined)
      try {
        await act()
      } finally {
        acted.abort()
        await loaded
      }
      return answers
    }, false)
  }

  /** Sends a call; without a stimulus it is the bench's own, and no evidence. */
  async send(call: Call, stimulus: string | undefined): Promise<Crossed> {
    const { clients, gateway, origin, keys, tap } = this.#session
    const nonce = this.#nonce()
    const request = requestOf(call, nonce, gateway, keys[0])
    const client = clients[call.instance ?? 0]
    if (!client) throw new Inconclusive(`There is no instance ${(call.instance ?? 0) + 1} of the gateway.`)
    const exchange = this.#kept(request, await client.send(request, call.on), stimulus, origin)
    return { answer: exchange.answer, exchange, tapped: () => tap?.requestsOf(nonce) ?? [] }
  }

  /** Ends the case; refusals are proven by one more call. `thrown` is what the case threw. */
  finish(thrown: unknown): Promise<CaseOutcome> {
    return this.ledger.finish(thrown, async () => {
      if (this.#session.believes) {
        this.ledger.doubt('The origin accepts a forged token as well, so that what it accepts proves nothing.')
      }
      if (!this.#refused) return
      const { answer } = await this.send({}, undefined)
      if (answer.outcome === 'accepted') return
      this.ledger.doubt(`A plain call through the gateway was no longer accepted afterwards (${seen(answer)}).`)
    })
  }

  async #sendDirect(direct: Direct, stimulus: string): Promise<Exchange> {
    const { direct: past, origin, unreachable = 'its URL is not known' } = this.#session
    if (!past) throw new Inconclusive(`The run does not reach the origin past the gateway: ${unreachable}.`)
    const request = directRequest(direct, origin)
    return this.#kept(request, await past.client.send(request), stimulus, origin, past.base)
  }

  #kept(
    request: WireRequest,
    wire: WireAnswer,
    stimulus: string | undefined,
    origin: ChainSession['origin'],
    base?: string,
  ): Exchange {
    const answer = answerOf(wire, origin)
    const exchange: Exchange = { ...request, answer, ...(base === undefined ? {} : { base }) }
    if (stimulus !== undefined) this.ledger.keep(stimulus, exchange)
    return exchange
  }

  #judgeAccepted(stimulus: string, { answer, exchange, tapped }: Crossed): void {
    const { tap } = this.#session
    const passed = tapped().length
    const expected = 'accepted by the origin'
    if (answer.outcome === 'accepted') {
      if (!tap || passed === 1) return
      const how = passed === 0 ? 'nothing passed the tap' : `it passed the tap ${passed} times`
      this.#fail('fail', stimulus, 'forwarded once', exchange, how)
    } else if (answer.status === 429) this.ledger.doubt(odd(stimulus, answer))
    else if (answer.outcome === 'crashed') this.#crash(stimulus, expected, exchange)
    else {
      const by = !tap ? undefined : passed === 0 ? 'nothing passed the tap' : 'it passed the tap'
      this.#fail(answer.outcome === 'refused' ? 'fail-closed' : 'fail', stimulus, expected, exchange, by)
    }
  }

  #fail(failure: Failure, stimulus: string, expected: string, exchange: Exchange, also?: string): void {
    const observed = [seen(exchange.answer), ...(also === undefined ? [] : [also])].join('; ')
    this.ledger.fail(failure, { stimulus, expected, observed, exchange })
  }

  #crash(stimulus: string, expected: string, exchange: Exchange): void {
    this.#fail('fail-crash', stimulus, expected, exchange)
    if (exchange.answer.failure === 'timeout') throw new Stop()
  }
}

function odd(stimulus: string, answer: Answer): string {
  const hint =
    answer.status === 429
      ? 'the rate is limited: lift the limit of this route for the run'
      : 'neither an acceptance nor a refusal with 400, 401 or 403'
  return `${stimulus}: ${seen(answer)}; ${hint}.`
}
