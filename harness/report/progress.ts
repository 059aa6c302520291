import type { RunEvent } from '../model/events.ts'

/** Milliseconds before the first line of progress on a terminal. */
const QUIET_MS = 300

/** Shows how far a run is: one line that is rewritten on a terminal, a line for each suite elsewhere. */
export interface Progress {
  readonly on: (event: RunEvent) => void
  /** A line about something that takes long before the run, such as an installation. */
  readonly note: (line: string) => void
  /** Clears what is on the terminal. */
  readonly end: () => void
}

/** Progress on a stream. */
export function createProgress(stream: NodeJS.WriteStream): Progress {
  const started = performance.now()
  let shown = false
  let suite = ''
  const clear = (): void => {
    if (shown) stream.write('\r\u001b[K')
    shown = false
  }
  return {
    on(event) {
      if (event.type !== 'case') return
      const { result, done, of } = event
      if (stream.isTTY) {
        if (performance.now() - started < QUIET_MS) return
        clear()
        stream.write(`${done}/${of}  ${result.id}`.slice(0, (stream.columns || 80) - 1))
        shown = true
      } else if (performance.now() - started > 2_000 && result.suite !== suite) {
        suite = result.suite
        stream.write(`${done} of ${of} cases done, now in ${suite}\n`)
      }
    },
    note(line) {
      clear()
      stream.write(`${line}\n`)
    },
    end: clear,
  }
}
