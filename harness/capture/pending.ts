/** Waits for a state that something else brings about; whoever changes it says so. */
export interface Pending {
  readonly changed: () => void
  /** Whether the state was reached before the deadline; at once where it is reached already. */
  readonly until: (reached: () => boolean, deadlineMs: number) => Promise<boolean>
}

/** Nothing waits yet. */
export function createPending(): Pending {
  const checks = new Set<() => void>()
  return {
    changed() {
      for (const check of checks) check()
    },
    until(reached, deadlineMs) {
      if (reached()) return Promise.resolve(true)
      return new Promise((resolve) => {
        const finish = (result: boolean): void => {
          clearTimeout(timer)
          checks.delete(check)
          resolve(result)
        }
        const check = (): void => {
          if (reached()) finish(true)
        }
        const timer = setTimeout(finish, deadlineMs, false)
        checks.add(check)
      })
    },
  }
}
