import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { movableClock } from './clock.ts'
import type { MovableClock } from './clock.ts'

/** A clock of processes that were started with its environment; ends with its folder. */
export interface FaketimeClock extends MovableClock, Disposable {
  /** Variables for the process alone: what they preload fakes the time of whoever has them. */
  readonly environment: Readonly<Record<string, string>>
}

/** What is lost without the library, and how to get it: one sentence. */
export const NO_FAKETIME =
  'libfaketime is not there, so that time cannot be moved: what takes more than 3 s is skipped; on Debian: apt-get install faketime'

/** The thread-safe variant: the other one stops the timers of a JVM, and for all else they are alike. */
const LIBRARY = 'libfaketimeMT.so.1'

/** Path of libfaketime on this machine; undefined where it is not installed or cannot be preloaded. */
export function findFaketime(roots: readonly string[] = ['/usr/lib', '/usr/local/lib']): string | undefined {
  if (process.platform !== 'linux') return undefined
  const folders = roots.flatMap((root) => [
    root,
    ...(existsSync(root) ? readdirSync(root).map((name) => path.join(root, name)) : []),
  ])
  return folders.map((folder) => path.join(folder, 'faketime', LIBRARY)).find((file) => existsSync(file))
}

/** A clock that moves when its file is replaced, wall clock and monotonic clock alike. */
export function faketimeClock(library: string): FaketimeClock {
  const folder = mkdtempSync(path.join(tmpdir(), 'trustspec-time-'))
  const file = path.join(folder, 'offset')
  const write = (aheadSec: number): void => {
    // Written beside and renamed over: a process that reads meanwhile sees the old or the new offset, never half.
    writeFileSync(`${file}.next`, `+${aheadSec}\n`)
    renameSync(`${file}.next`, file)
  }
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true })
  }
  // For an end that leaves no time to dispose of anything, such as Ctrl-C.
  process.once('exit', remove)
  write(0)
  return {
    ...movableClock('libfaketime', write),
    environment: { LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1' },
    [Symbol.dispose]() {
      process.off('exit', remove)
      remove()
    },
  }
}
