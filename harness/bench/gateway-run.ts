import { answerOf, seen } from './exchange.ts'
import type { Exchange } from './exchange.ts'
import type { WireAnswer, WireRequest } from '../client/wire.ts'
import { Inconclusive } from '../model/errors.ts'
import type { Answer } from '../model/http.ts'
import type { Call, Passage } from '../model/gateway-bench.ts'
import type { Failure } from '../model/verdict.ts'
import { isControl, placeOf, requestOf } from './calls.ts'
import { arrivalsOf, isProtected, marksOf } from './gateway-session.ts'
import type { GatewaySession } from './gateway-session.ts'
import { Ledger, Stop } from './ledger.ts'
import type { CaseOutcome } from './outcome.ts'

/** A call as it was sent, with what came of it. */
export interface Sent extends Passage {
  readonly exchange: Exchange
}

interface Shape {
  readonly call: Call
  readonly proof: Promise<boolean>
}

const REFUSAL = 'refused with 400, 401 or 403, and not forwarded'

/** State of one case against a gateway while it runs. */
export class GatewayRun {
  readonly #session: GatewaySession
  readonly #caseId: string
  readonly #nonce: () => string
  readonly #shapes = new Map<string, Shape>()
  /** Calls that must reach no origin, looked at again at the end: a gateway may forward after it has answered. */
  readonly #withheld: { readonly stimulus: string; readonly sent: Sent; judged: boolean }[] = []
  readonly ledger = new Ledger()

  constructor(session: GatewaySession, caseId: string, nonce: () => string) {
    this.#session = session
    this.#caseId = caseId
    this.#nonce = nonce
  }

  forwards(call: Call, stimulus: string): Promise<Passage> {
    return this.ledger.step(async () => {
      const sent = await this.send(call, stimulus)
      const { answer } = sent
      if (answer.outcome === 'accepted') this.#judgeForwarded(call, stimulus, sent)
      else await this.#notForwarded(call, stimulus, sent)
      return sent
    })
  }

  refuses(call: Call, stimulus: string, status?: 'any-4xx'): Promise<Passage> {
    return this.ledger.step(async () => {
      await this.#proven(call)
      const sent = await this.send(call, stimulus)
      const { answer } = sent
      const expected = status === undefined ? REFUSAL : 'refused with 4xx, and not forwarded'
      if (!this.#judgeWithheld(stimulus, expected, sent) && answer.outcome === 'crashed')
        this.#crash(stimulus, expected, sent)
      else if (
        answer.outcome === 'other' &&
        !this.#isThrottled(answer) &&
        !(status === 'any-4xx' && is4xx(answer.status))
      ) {
        this.ledger.doubt(odd(stimulus, sent))
      }
      return sent
    })
  }

  withholds(call: Call, stimulus: string): Promise<Passage> {
    return this.ledger.step(async () => {
      await this.#proven({ ...call, method: undefined })
      const sent = await this.send(call, stimulus)
      const { captures, profile } = this.#session
      const reached = sent.arrivals().some((arrival) => isProtected(arrival, profile))
      const isLetIn = captures ? reached : sent.answer.outcome === 'accepted'
      if (isLetIn) this.#fail('fail-open', stimulus, 'not forwarded to a protected path', sent)
      this.#withheld.push({ stimulus, sent, judged: isLetIn })
      return sent
    })
  }

  observes(call: Call, stimulus: string): Promise<Passage> {
    return this.ledger.step(() => this.send(call, stimulus), false)
  }

  burst(calls: readonly Call[], stimulus: string): Promise<readonly Passage[]> {
    return this.ledger.step(async () => {
      const { clients } = this.#session
      const prepared = calls.map((call) => ({ call, nonce: this.#nonce() }))
      const requests = prepared.map(({ call, nonce }) => this.#request(call, nonce))
      const client = clients[calls[0]?.instance ?? 0] ?? clients[0]
      const marks = marksOf(this.#session)
      const answers = await client.volley(requests)
      return prepared.map(({ nonce }, at) =>
        this.#sent(requests[at] as WireRequest, answers[at] as WireAnswer, nonce, stimulus, marks),
      )
    }, false)
  }

  /** A valid call of the same route and method, on the same instance, as it ought to be forwarded. */
  async control(call: Call = {}): Promise<Sent> {
    const { route, method } = placeOf(call, this.#session.profile, undefined)
    const { instance, location } = call
    return await this.send(
      { route, method, ...(instance === undefined ? {} : { instance }), ...(location ? { location } : {}) },
      undefined,
    )
  }

  /** Sends a call; without a stimulus it is the bench's own, and no evidence. */
  async send(call: Call, stimulus: string | undefined): Promise<Sent> {
    const { clients } = this.#session
    const nonce = this.#nonce()
    const request = this.#request(call, nonce)
    const client = clients[call.instance ?? 0]
    if (!client) throw new Inconclusive(`There is no instance ${(call.instance ?? 0) + 1} of the gateway.`)
    const marks = marksOf(this.#session)
    const wire = await client.send(request, call.on)
    return this.#sent(request, wire, nonce, stimulus, marks)
  }

  /** Ends the case and proves its shapes once more; `thrown` is what it threw. */
  finish(thrown: unknown): Promise<CaseOutcome> {
    return this.ledger.finish(thrown, () => this.#proveAgain())
  }

  #request(call: Call, nonce: string): WireRequest {
    const { profile, keys } = this.#session
    return requestOf(call, nonce, profile, keys[0])
  }

  #sent(
    request: WireRequest,
    wire: WireAnswer,
    nonce: string,
    stimulus: string | undefined,
    marks: ReturnType<typeof marksOf>,
  ): Sent {
    const { profile, captures, answers } = this.#session
    const marker = captures ? undefined : profile.marker
    const answer = answerOf(wire, marker === undefined ? {} : { marker })
    const exchange: Exchange = { ...request, answer }
    if (stimulus !== undefined) this.ledger.keep(stimulus, exchange)
    answers.push({ caseId: this.#caseId, stimulus: stimulus ?? 'control', answer })
    return { nonce, answer, exchange, arrivals: () => arrivalsOf(this.#session, nonce, marks) }
  }

  #judgeForwarded(call: Call, stimulus: string, sent: Sent): void {
    if (!this.#session.captures) return
    const reached = sent.arrivals().length
    const { method } = placeOf(call, this.#session.profile, undefined)
    if (reached === 1) return
    const observed =
      reached === 0 ? `${seen(sent.answer)}, and nothing reached the origin` : `it reached the origin ${reached} times`
    this.ledger.fail('fail', { stimulus, expected: `forwarded once, as ${method}`, observed, exchange: sent.exchange })
  }

  async #notForwarded(call: Call, stimulus: string, sent: Sent): Promise<void> {
    const { answer } = sent
    if (!isControl(call, this.#session.profile, this.#session.keys)) {
      const control = await this.control(call)
      if (control.answer.outcome !== 'accepted') {
        this.ledger.doubt(`${stimulus}: not forwarded, but neither is a plain call now (${seen(control.answer)}).`)
        return
      }
    }
    if (answer.status === 429) this.ledger.doubt(odd(stimulus, sent))
    else if (answer.outcome === 'crashed') this.#crash(stimulus, 'forwarded', sent)
    else this.#fail('fail-closed', stimulus, 'forwarded, and answered by the origin', sent)
  }

  /** By declaration, wrong keys are answered otherwise once there were many. */
  #isThrottled({ status }: Answer): boolean {
    const { authFailures } = this.#session.profile
    return authFailures !== undefined && authFailures.route === undefined && status === (authFailures.status ?? 429)
  }

  /** Judges that nothing got through; true where it did. */
  #judgeWithheld(stimulus: string, expected: string, sent: Sent): boolean {
    const { answer, arrivals } = sent
    const reached = arrivals().length > 0
    const isLetIn = reached || answer.outcome === 'accepted' || (answer.status >= 200 && answer.status < 300)
    if (isLetIn) this.#fail('fail-open', stimulus, expected, sent, reached ? 'it reached the origin' : undefined)
    this.#withheld.push({ stimulus, sent, judged: isLetIn })
    return isLetIn
  }

  /** Proves the shape of the call, once for the case: a valid call of its route and method is forwarded and seen. */
  async #proven(call: Omit<Call, 'method'> & { readonly method?: string | undefined }): Promise<void> {
    const { method: asked, ...rest } = call
    const { route } = placeOf(rest, this.#session.profile, undefined)
    const method = asked !== undefined && route.methods.includes(asked) ? asked : route.methods[0]
    const instance = call.instance ?? 0
    const key = `${method} ${route.path} ${instance}`
    let shape = this.#shapes.get(key)
    if (!shape) {
      const plain: Call = { route, method, ...(instance === 0 ? {} : { instance }) }
      const proof = this.control(plain).then((control) => {
        if (this.#isThrough(control)) return true
        throw new Inconclusive(`A call with a valid key was not forwarded just before (${seen(control.answer)}).`)
      })
      shape = { call: plain, proof }
      this.#shapes.set(key, shape)
    }
    await shape.proof
  }

  #isThrough({ answer, arrivals }: Sent): boolean {
    return answer.outcome === 'accepted' && (!this.#session.captures || arrivals().length === 1)
  }

  async #proveAgain(): Promise<void> {
    for (const { call, proof } of this.#shapes.values()) {
      if (!(await proof.catch(() => false))) continue
      const control = await this.control(call)
      if (this.#isThrough(control)) continue
      const { answer } = control
      const stimulus = 'a call with a valid key after these stimuli'
      if (answer.outcome === 'crashed') {
        this.ledger.fail('fail-crash', { stimulus, expected: 'forwarded, as before', observed: seen(answer) })
      } else this.ledger.doubt(`A call with a valid key was no longer forwarded afterwards (${seen(answer)}).`)
    }
    const { profile } = this.#session
    for (const entry of this.#withheld) {
      if (entry.judged || !entry.sent.arrivals().some((arrival) => isProtected(arrival, profile))) continue
      this.#fail('fail-open', entry.stimulus, 'not forwarded', entry.sent, 'it reached the origin after the answer')
    }
  }

  #fail(failure: Failure, stimulus: string, expected: string, sent: Sent, also?: string): void {
    const observed = [seen(sent.answer), ...(also === undefined ? [] : [also])].join('; ')
    this.ledger.fail(failure, { stimulus, expected, observed, exchange: sent.exchange })
  }

  #crash(stimulus: string, expected: string, sent: Sent): void {
    this.#fail('fail-crash', stimulus, expected, sent)
    if (sent.answer.failure === 'timeout') throw new Stop()
  }
}

function is4xx(status: number): boolean {
  return status >= 400 && status < 500
}

function odd(stimulus: string, { answer }: Sent): string {
  const hint =
    answer.status === 429
      ? 'the gateway limits the rate: lift the limit of this route for the run'
      : 'neither forwarded nor refused with 400, 401 or 403'
  return `${stimulus}: ${seen(answer)}; ${hint}.`
}
