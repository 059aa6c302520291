import type { KeyBook, KeyChange } from './book.ts'

/** Where changes are kept, in their order, for one instance or several. */
export interface KeyLog extends AsyncDisposable {
  /**
   * Appends the changes if the log ends with what the book held when this was called; then they are durable and in
   * the book. False: something had come in between, it is in the book now, and the caller decides anew.
   */
  readonly append: (changes: readonly KeyChange[]) => Promise<boolean>
  /** What the log held when this was called is in the book; rejects where that cannot be known. */
  readonly latest: () => Promise<void>
  /** Milliseconds since the log was last heard of; 0 where it cannot be away, and while it is heard as it should be. */
  readonly silentMs: () => number
}

/** Opens a log: everything that it holds is in the book before this resolves, and what comes later when it comes. */
export type OpenLog = (book: KeyBook) => Promise<KeyLog>

/** Keeps nothing beyond the process. */
export const memoryLog: OpenLog = (book) =>
  Promise.resolve({
    append(changes) {
      for (const change of changes) book.apply(change)
      return Promise.resolve(true)
    },
    latest: () => Promise.resolve(),
    silentMs: () => 0,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  })
