import { Inconclusive } from '../model/errors.ts'
import type { Answer, Probe } from '../model/http.ts'
import type { Mint, Token } from '../model/token.ts'
import type { Failure } from '../model/verdict.ts'
import { exchange, placeOf, requestOf, seen } from './exchange.ts'
import type { Exchange } from './exchange.ts'
import { Ledger, Stop } from './ledger.ts'
import type { CaseOutcome } from './outcome.ts'
import { letsAnyoneIn } from './session.ts'
import type { Session } from './session.ts'

interface Shape {
  readonly probe: Probe
  readonly role: string
  readonly raw: boolean
  /** Whether a control of this shape was accepted before the first judged step. */
  readonly proof: Promise<boolean>
}

const REFUSAL = 'refused with 400, 401 or 403'

/** State of one case while it runs: the steps, the proofs of their shapes, and what was found. */
export class CaseRun {
  readonly #session: Session
  readonly #caseId: string
  readonly #mint: Mint
  /** The user's token at the start of the case, where there is one. */
  readonly #given: Token | undefined
  readonly #shapes = new Map<string, Shape>()
  /** What the case has come to so far. */
  readonly ledger = new Ledger()

  constructor(session: Session, caseId: string, mint: Mint, given: Token | undefined) {
    this.#session = session
    this.#caseId = caseId
    this.#mint = mint
    this.#given = given
  }

  /** A token that must be accepted, signed by the key of that role where the origin trusts us. */
  controlToken(role?: string): Token {
    const { keys, trusted } = this.#session
    if (this.#given && !trusted) return this.#given
    const key = role === undefined || role === keys.main.role ? undefined : this.#session.keyStore.get(role as never)
    return this.#mint({}, key ? { key } : {})
  }

  accepts(what: Token | Probe, stimulus: string): Promise<Answer> {
    return this.ledger.step(async () => {
      const probe = asProbe(what)
      const sent = await this.#send(probe, stimulus)
      if (sent.answer.outcome === 'accepted') await this.#accepted(probe, stimulus, sent)
      else await this.#notAccepted(probe, stimulus, sent)
      return sent.answer
    })
  }

  refuses(what: Token | Probe, stimulus: string, never?: string): Promise<Answer> {
    return this.ledger.step(async () => {
      const probe = asProbe(what)
      const proven = await this.#proven(probe, stimulus)
      const sent = await this.#send(probe, stimulus)
      const { answer } = sent
      if (isLetIn(answer, this.#session.profile.marker)) this.#fail('fail-open', stimulus, REFUSAL, sent)
      else if (never !== undefined && tells(answer, never)) {
        this.#fail('fail-open', stimulus, `${REFUSAL}, without the forged identity`, sent, 'the answer holds it')
      } else if (!proven) this.ledger.unproven(stimulus)
      else if (answer.outcome === 'crashed') this.#crash(stimulus, REFUSAL, sent)
      else if (answer.outcome === 'other') this.ledger.doubt(odd(stimulus, answer))
      return answer
    })
  }

  survives(what: Token | Probe, stimulus: string): Promise<Answer> {
    return this.ledger.step(async () => {
      const probe = asProbe(what)
      const proven = await this.#proven(probe, stimulus)
      const sent = await this.#send(probe, stimulus)
      const { answer } = sent
      if (!proven) this.ledger.unproven(stimulus)
      else if (answer.outcome === 'crashed') this.#crash(stimulus, 'accepted, or answered with 4xx', sent)
      else if (answer.status >= 300 && answer.status < 400) this.ledger.doubt(odd(stimulus, answer))
      return answer
    })
  }

  observes(what: Token | Probe, stimulus: string): Promise<Answer> {
    return this.ledger.step(async () => (await this.#send(asProbe(what), stimulus)).answer, false)
  }

  /** Ends the case and proves its shapes once more; `thrown` is what it threw. */
  finish(thrown: unknown): Promise<CaseOutcome> {
    return this.ledger.finish(thrown, () => this.#proveAgain())
  }

  async #send(probe: Probe, stimulus: string): Promise<Exchange> {
    const { client, profile, refusals, acceptances } = this.#session
    const sent = await exchange(client, probe, profile)
    this.ledger.keep(stimulus, sent)
    if (sent.answer.outcome === 'accepted') acceptances.set(placeOf(probe, profile).route.path, sent.answer)
    else refusals.push({ caseId: this.#caseId, stimulus, probe, answer: sent.answer })
    return sent
  }

  async #accepted(probe: Probe, stimulus: string, sent: Exchange): Promise<void> {
    const { subject } = sent.answer
    const due = probe.token?.subject
    if (subject !== undefined && due !== undefined && subject !== due) {
      this.#fail('fail-open', stimulus, 'accepted for the subject of the token', sent)
    }
    if (await letsAnyoneIn(this.#session, probe)) {
      this.ledger.doubt('A request without a token is answered in the same way, so that acceptance proves nothing.')
    }
  }

  async #notAccepted(probe: Probe, stimulus: string, sent: Exchange): Promise<void> {
    const { answer } = sent
    if (answer.outcome === 'other') {
      this.ledger.doubt(odd(stimulus, answer))
      return
    }
    if (probe.token && !probe.token.control) {
      const control = await this.#control(shapeOf(probe, this.#session))
      if (control.outcome !== 'accepted') {
        this.ledger.doubt(`${stimulus}: not accepted, but neither is an unaltered token now (${seen(control)}).`)
        return
      }
    }
    if (answer.outcome === 'crashed') this.#crash(stimulus, 'accepted', sent)
    else this.#fail('fail-closed', stimulus, 'accepted', sent)
  }

  /** Proves the shape of the probe, once for the case; false where there is no credential to prove it with. */
  async #proven(probe: Probe, stimulus: string): Promise<boolean> {
    if (!this.#session.trusted && !this.#given) return false
    const kind = shapeOf(probe, this.#session)
    const role = probe.token?.provenBy
    if (role?.startsWith('no-alg') && kind.role !== role && this.#session.trusted) {
      this.ledger.notProven(
        stimulus,
        'no token signed by a key without "alg" is accepted',
        'a JWKS client that takes such keys',
      )
    }
    const connection = probe.on ? ' own' : ''
    const key = `${kind.method} ${kind.route.path} ${kind.role}${kind.raw ? ' raw' : ''}${connection}`
    let shape = this.#shapes.get(key)
    if (!shape) {
      const proof = this.#control({ ...kind, ...(probe.on ? { on: probe.on } : {}) }).then((answer) => {
        if (answer.outcome === 'accepted') return true
        throw new Inconclusive(`A valid token was not accepted just before (${seen(answer)}).`)
      })
      shape = { probe: { route: kind.route, method: kind.method }, role: kind.role, raw: kind.raw, proof }
      this.#shapes.set(key, shape)
    }
    return await shape.proof
  }

  async #control(kind: {
    readonly route: Probe['route'] & {}
    readonly method: string
    readonly role: string
    readonly raw: boolean
    readonly on?: Probe['on'] & {}
  }): Promise<Answer> {
    const { client, profile } = this.#session
    const probe: Probe = {
      token: this.controlToken(kind.role),
      route: kind.route,
      method: kind.method,
      ...(kind.on ? { on: kind.on } : {}),
    }
    return (await exchange(client, probe, profile, kind.raw)).answer
  }

  async #proveAgain(): Promise<void> {
    for (const { probe, role, raw, proof } of this.#shapes.values()) {
      const before = await proof.catch(() => false)
      if (!before || !probe.route || probe.method === undefined) continue
      const answer = await this.#control({ route: probe.route, method: probe.method, role, raw })
      if (answer.outcome === 'accepted') continue
      const what = 'a valid token after these stimuli'
      if (answer.outcome === 'crashed') {
        this.ledger.fail('fail-crash', { stimulus: what, expected: 'accepted, as before', observed: seen(answer) })
      } else this.ledger.doubt(`A valid token was no longer accepted afterwards (${seen(answer)}).`)
    }
  }

  #fail(failure: Failure, stimulus: string, expected: string, sent: Exchange, also?: string): void {
    const observed = [seen(sent.answer), ...(also === undefined ? [] : [also])].join('; ')
    this.ledger.fail(failure, { stimulus, expected, observed, exchange: sent })
  }

  #crash(stimulus: string, expected: string, sent: Exchange): void {
    this.#fail('fail-crash', stimulus, expected, sent)
    if (sent.answer.failure === 'timeout') throw new Stop()
  }
}

function asProbe(what: Token | Probe): Probe {
  return 'compact' in what ? { token: what } : what
}

function shapeOf(probe: Probe, { profile, client, provenRoles, keys }: Session) {
  const { route, method } = placeOf(probe, profile)
  const role = probe.token?.provenBy
  return {
    route,
    method,
    role: role !== undefined && provenRoles.has(role) ? role : keys.main.role,
    raw: client.needsRaw(requestOf(probe, profile)),
  }
}

function isLetIn({ status, outcome, body }: Answer, marker: string | undefined): boolean {
  return outcome === 'accepted' || (status >= 200 && status < 300) || (marker !== undefined && body.includes(marker))
}

function tells(answer: Answer, text: string): boolean {
  return answer.body.includes(text) || answer.headers.some(([, value]) => value.includes(text))
}

function odd(stimulus: string, answer: Answer): string {
  const hint =
    answer.status === 429
      ? 'the origin limits the rate: lift the limit for the run'
      : answer.status >= 300 && answer.status < 400
        ? 'a redirect is neither a refusal nor an acceptance: test the API itself, not a login page'
        : 'neither an acceptance nor a refusal with 400, 401 or 403'
  return `${stimulus}: ${seen(answer)}; ${hint}.`
}
