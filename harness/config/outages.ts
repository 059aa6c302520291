import { endCommands } from './command.ts'

/** What has to be put up again, whatever happens to the run. */
const pending = new Set<() => Promise<void>>()

/** An outage that ends once: when it is disposed, or with the run. */
export function outage(up: () => Promise<void>): AsyncDisposable {
  const end = async (): Promise<void> => {
    if (!pending.delete(end)) return
    await up()
  }
  pending.add(end)
  return { [Symbol.asyncDispose]: end }
}

/** Ends what hooks are doing, and every outage that still lasts: for a run that is interrupted. */
export async function endOutages(): Promise<void> {
  endCommands()
  await Promise.allSettled([...pending].map((end) => end()))
}
