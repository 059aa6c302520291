import type { GatewayLimits } from './steps.ts'

/** Gives back the place that was taken; once. */
export type Release = () => void

/** Bounds the requests that are at the origins at once, and those that wait for a place. */
export interface Admission {
  /** A place at once, a promise of one, or undefined where the queue is full; the promise gives undefined in time. */
  readonly enter: () => Release | undefined | Promise<Release | undefined>
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
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          waiters.splice(waiters.indexOf(waiter), 1)
          resolve(undefined)
        }, queueMs)
        const waiter: Waiter = { admitted: resolve, timer }
        waiters.push(waiter)
      })
    },
    active: () => active,
    waiting: () => waiters.length,
  }
}
