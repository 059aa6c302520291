import type { Answering, CaptureOrigin, Hold, Programme, Scope } from '../model/capture.ts'
import type { Recorded } from './arrival.ts'
import { createPending } from './pending.ts'

/** What one request is answered, and how its programme learns of it. */
export interface Plan {
  readonly answering: Answering
  /** The answer was carried out, with its fault if it has one. */
  readonly served: () => void
  /** Resolves when the answer may begin: false where the client went away before. */
  readonly admitted: (gone: AbortSignal) => Promise<boolean>
  /** Aborted when the programme ends: what is never answered is closed then. */
  readonly over: AbortSignal
}

/** Every programme of a capture origin. */
export interface Programmes extends Pick<CaptureOrigin, 'answer' | 'hold'> {
  readonly choose: (arrival: Recorded) => Plan
}

interface Entry {
  readonly answering: Answering
  readonly scope: Scope
  readonly admitted: Plan['admitted']
  readonly over: AbortController
  left: number
  served: number
}

const atOnce = (): Promise<boolean> => Promise.resolve(true)

/** This answer for one request, of no programme. */
export function planOf(answering: Answering): Plan {
  return { answering, served: () => undefined, admitted: atOnce, over: new AbortController().signal }
}

/** The ordinary answer for all, until something else is programmed. */
export function createProgrammes(): Programmes {
  const ordinary = planOf({})
  let entries: Entry[] = []

  const programme = (answering: Answering, scope: Scope, admitted: Plan['admitted']): Programme => {
    const entry: Entry = {
      answering,
      scope,
      admitted,
      over: new AbortController(),
      left: scope.times ?? Number.POSITIVE_INFINITY,
      served: 0,
    }
    entries.push(entry)
    return {
      served: () => entry.served,
      [Symbol.dispose]() {
        entries = entries.filter((other) => other !== entry)
        entry.over.abort()
      },
    }
  }
  return {
    answer: (answering, scope = {}) => programme(answering, scope, atOnce),
    hold(scope = {}, answering = {}) {
      const gate = createGate()
      const held = programme(answering, scope, gate.admitted)
      return {
        ...held,
        ...gate,
        [Symbol.dispose]() {
          gate.open()
          held[Symbol.dispose]()
        },
      }
    },
    choose(arrival) {
      const fitting = entries.filter(({ left }) => left > 0)
      const entry =
        fitting.findLast(({ scope }) => scope.nonce !== undefined && arrival.isFor(scope.nonce)) ??
        fitting.findLast(({ scope }) => scope.nonce === undefined)
      if (!entry) return ordinary
      entry.left -= 1
      return {
        answering: entry.answering,
        served() {
          entry.served += 1
        },
        admitted: entry.admitted,
        over: entry.over.signal,
      }
    },
  }
}

type Gate = Omit<Hold, keyof Programme> & Pick<Plan, 'admitted'>

/** Lets nobody through until it is told to. */
function createGate(): Gate {
  const queue = new Set<(admitted: boolean) => void>()
  const pending = createPending()
  let most = 0
  let open = false
  const release = (count: number): void => {
    for (const admit of [...queue].slice(0, count)) admit(true)
  }
  return {
    waiting: () => queue.size,
    most: () => most,
    reached: (count, deadlineMs) => pending.until(() => queue.size >= count, deadlineMs),
    release(count = 1) {
      release(count)
    },
    open() {
      open = true
      release(queue.size)
    },
    admitted(gone) {
      if (open || gone.aborted) return Promise.resolve(!gone.aborted)
      return new Promise((resolve) => {
        const leave = (): void => {
          admit(false)
        }
        const admit = (admitted: boolean): void => {
          queue.delete(admit)
          gone.removeEventListener('abort', leave)
          resolve(admitted)
        }
        gone.addEventListener('abort', leave)
        queue.add(admit)
        most = Math.max(most, queue.size)
        pending.changed()
      })
    },
  }
}
