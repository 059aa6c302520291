import type { KeyChange } from './book.ts'

/** Where changes are kept, in their order, for one instance or several. */
export interface KeyLog extends AsyncDisposable {
  /**
   * Appends the changes if nothing has come in between that was not yet given to `apply`; then they are durable and
   * have been applied. False: `apply` has meanwhile been given what came in between, and the caller decides anew.
   */
  readonly append: (changes: readonly KeyChange[]) => Promise<boolean>
  /** Milliseconds since the log was last heard of; 0 where it cannot be away. */
  readonly silentMs: () => number
}

/** Opens a log: everything that it holds is given to `apply` before this resolves, and what comes later when it comes. */
export type OpenLog = (apply: (change: KeyChange) => void, snapshot: () => Iterable<KeyChange>) => Promise<KeyLog>

/** Keeps nothing beyond the process. */
export const memoryLog: OpenLog = (apply) =>
  Promise.resolve({
    append(changes) {
      for (const change of changes) apply(change)
      return Promise.resolve(true)
    },
    silentMs: () => 0,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  })
