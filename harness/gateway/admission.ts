import type { GatewayLimits } from './steps.ts'

/** Gives back the place that was taken; once. */
export type Release = () => void

/** A place in the queue. */
export interface Waiting {
  /** Undefined where the turn did not come in time, or the place in the queue was left. */
  readonly admitted: Promise<Release | undefined>
  readonly leave: () => void
}

/** Bounds the requests that are at the origins at once, and those that wait for a place. */
export interface Admission {
  /** A place at once, one in the queue, or undefined where that is full too. */
  readonly enter: () => Release | Waiting | undefined
  readonly active: () => number
  readonly waiting: () => number
}

interface Waiter {
  readonly admitted: (release: Release | undefined) => void
  readonly timer: NodeJS.Timeout
}

/** First come, first served. */
export function createAdmission({ concurrency, queue, queueMs }: GatewayLimits): Admission {
  let active = 0
  const waiters: Waiter[] = []
  const take = (): Release => {
    let held = true
    return () => {
      if (!held) return
      held = false
      const next = waiters.shift()
      if (!next) {
        active -= 1
        return
      }
      clearTimeout(next.timer)
      next.admitted(take())
    }
  }
  return {
    enter() {
      if (active < concurrency) {
        active += 1
        return take()
      }
      if (waiters.length >= queue) return undefined
      const { promise, resolve } = Promise.withResolvers<Release | undefined>()
      const leave = (): void => {
        const at = waiters.indexOf(waiter)
        if (at < 0) return
        waiters.splice(at, 1)
        clearTimeout(waiter.timer)
        resolve(undefined)
      }
      const waiter: Waiter = { admitted: resolve, timer: setTimeout(leave, queueMs) }
      waiters.push(waiter)
      return { admitted: promise, leave }
    },
    active: () => active,
    waiting: () => waiters.length,
  }
}
