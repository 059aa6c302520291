import { Inconclusive } from '../model/errors.ts'
import type { Judgement } from '../model/bench.ts'
import type { NotProven } from '../model/result.ts'
import type { Failure } from '../model/verdict.ts'
import type { Exchange } from './exchange.ts'
import type { CaseOutcome, RawFinding } from './outcome.ts'
import { Timeline } from './timeline.ts'

/** Raised to leave a case early: what it found is already noted. */
export class Stop extends Error {}

/** What one case has come to so far: its steps, what was found, what is in doubt, what was not proven. */
export class Ledger {
  /** What happens beside the steps. */
  readonly timeline = new Timeline()
  readonly #findings: RawFinding[] = []
  readonly #doubts: string[] = []
  readonly #notProven: NotProven[] = []
  readonly #unproven: string[] = []
  readonly #exchanges = new Map<string, Exchange>()
  readonly #steps = new Set<Promise<unknown>>()
  readonly #measured: Record<string, string | number | boolean> = {}
  #pending = 0
  #judged = 0

  /** Runs a step of the case and notices when nobody awaits it; a judged one counts as a stimulus. */
  step<T>(act: () => Promise<T>, judged = true): Promise<T> {
    this.#pending += 1
    const step = (async () => {
      const answer = await act()
      if (judged) this.#judged += 1
      return answer
    })()
    const settled = step
      .finally(() => {
        this.#pending -= 1
      })
      .catch(() => {
        // The case sees the same rejection through the step itself.
      })
    this.#steps.add(settled)
    return settled.then(() => step)
  }

  /** Keeps the exchange of a stimulus as evidence for what is judged of it later. */
  keep(stimulus: string, exchange: Exchange): void {
    this.#exchanges.set(stimulus, exchange)
  }

  judge(holds: boolean, { stimulus, expected, observed, failure = 'fail' }: Judgement): void {
    this.#judged += 1
    if (holds) return
    const sent = this.#exchanges.get(stimulus)
    this.#findings.push({ stimulus, expected, observed, failure, ...(sent ? { exchange: sent } : {}) })
  }

  fail(failure: Failure, finding: Omit<RawFinding, 'failure'>): void {
    this.#findings.push({ ...finding, failure })
  }

  /** Notes why the case may prove nothing; the first doubt is the one that is told. */
  doubt(reason: string): void {
    this.#doubts.push(reason)
  }

  /** Notes a stimulus whose refusal proves nothing, for want of a credential. */
  unproven(stimulus: string): void {
    this.#unproven.push(stimulus)
  }

  notProven(stimulus: string, reason: string, unlock: string): void {
    this.#notProven.push({ stimulus, reason, unlock })
  }

  records(name: string, value: string | number | boolean): void {
    this.#measured[name] = value
  }

  /**
   * Ends the case: waits for its steps, lets `prove` prove its controls once more, sums up. `thrown` is what the case
   * threw.
   */
  async finish(thrown: unknown, prove: () => Promise<void>): Promise<CaseOutcome> {
    const unawaited = this.#pending
    await Promise.allSettled(this.#steps)
    if (thrown instanceof Inconclusive) this.#doubts.unshift(thrown.message)
    if (unawaited > 0 && thrown === undefined) {
      this.#doubts.push(`The case returned with ${unawaited} steps that it did not await.`)
    }
    if (!(thrown instanceof Stop)) await this.#prove(prove)
    const isRecord = Object.keys(this.#measured).length > 0
    const wholly = this.#judged === 0 && !isRecord && thrown === undefined
    const isLocked = wholly && this.#notProven.length > 0
    if (wholly && !isLocked) this.#doubts.push('The case judged nothing.')
    const [doubt] = this.#doubts
    const unproven = this.#unproven.length
    const timeline = this.timeline.entries()
    return {
      findings: this.#findings,
      ...(doubt === undefined ? {} : { inconclusive: doubt }),
      ...(unproven > 0 || isLocked ? { notApplicable: notApplicable(this.#unproven, this.#notProven) } : {}),
      notProven: this.#notProven,
      stimuli: this.#judged - unproven,
      measured: this.#measured,
      ...(timeline.length > 0 ? { timeline } : {}),
    }
  }

  /** Proves the controls once more; where that cannot be done, nothing is sure. */
  async #prove(prove: () => Promise<void>): Promise<void> {
    try {
      await prove()
    } catch (error) {
      if (!(error instanceof Inconclusive)) throw error
      this.doubt(error.message)
    }
  }
}

function notApplicable(unproven: readonly string[], locked: readonly NotProven[]): string {
  return unproven.length > 0
    ? 'Without a credential that is accepted, refusals prove nothing.'
    : (locked[0]?.reason ?? 'Nothing in it applies here.')
}
