import { Inconclusive, TrustspecError } from '../model/errors.ts'
import type { CaseResult } from '../model/result.ts'

/** The word under which a case that was not begun for want of a budget lists what it misses. */
export const BUDGET = 'budget'

/** What bounds a run; without a member, nothing does. */
export interface BudgetLimits {
  /** Requests to the implementation under test. */
  readonly requests?: number
  /** Seconds, and when they are over by `monotonicMs`. */
  readonly time?: { readonly seconds: number; readonly untilMs: number }
}

/** Milliseconds that never go back, the same on every thread of the process. */
export function monotonicMs(): number {
  return performance.timeOrigin + performance.now()
}

/** Counts the requests of a run, and refuses those that no longer fit. */
export class Budget {
  readonly #limits: BudgetLimits
  #sent = 0
  #isRefused = false
  #hasBegun = false

  constructor(limits: BudgetLimits = {}) {
    this.#limits = limits
  }

  /** Requests that were let through. */
  get sent(): number {
    return this.#sent
  }

  get isLimited(): boolean {
    return this.#limits.requests !== undefined || this.#limits.time !== undefined
  }

  /** Whether the same cases have to fit every time: what is counted does not depend on how fast anything is. */
  get isCounted(): boolean {
    return this.#limits.requests !== undefined
  }

  /** From here on time is bounded, and what does not fit makes a case inconclusive. Before, it is ERR_BUDGET_SPENT. */
  begin(): void {
    this.#hasBegun = true
  }

  /** Takes requests that are about to be sent. Throws where they do not fit; then nothing ever fits again. */
  readonly take = (requests: number): void => {
    const { requests: most = Infinity } = this.#limits
    if (!this.#isRefused && !this.#isOver() && this.#sent + requests <= most) {
      this.#sent += requests
      return
    }
    this.#isRefused = true
    const { reason, says, unlock } = this.#told()
    if (this.#hasBegun) throw new Inconclusive(`${reason} while the case ran.`)
    throw new TrustspecError('ERR_BUDGET_SPENT', 'The budget was spent before the first case', {
      spent: this.#sent,
      instead: `${says} (${unlock})`,
    })
  }

  /** Why a case that was running may have been cut short; undefined where none was. */
  cut(): string | undefined {
    return this.#isRefused ? `${this.#told().reason} while the case ran.` : undefined
  }

  /** Why no further case is begun, as its result tells it; undefined while there is something left. */
  spent(): { readonly reason: string; readonly missing: CaseResult['missing'] } | undefined {
    const { requests = Infinity } = this.#limits
    if (!this.#isRefused && !this.#isOver() && this.#sent < requests) return undefined
    const { reason, says, unlock } = this.#told()
    return { reason: `${reason} before it began.`, missing: [{ capability: BUDGET, says, unlock }] }
  }

  #isOver(): boolean {
    const { time } = this.#limits
    return this.#hasBegun && time !== undefined && monotonicMs() >= time.untilMs
  }

  #told(): { readonly reason: string; readonly says: string; readonly unlock: string } {
    const { requests, time } = this.#limits
    if (time && this.#isOver()) {
      const { seconds } = time
      return {
        reason: `The time budget of ${seconds} s was over`,
        says: `more than ${seconds} s`,
        unlock: '--time-budget SECONDS',
      }
    }
    return {
      reason: `The budget of ${requests} requests was spent`,
      says: `more than ${requests} requests`,
      unlock: '--max-requests N',
    }
  }
}
