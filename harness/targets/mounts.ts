import { chmodSync } from 'node:fs'
import path from 'node:path'
import { faketimeClock, findFaketime, NO_FAKETIME } from '../clock/faketime.ts'
import type { FaketimeClock } from '../clock/faketime.ts'
import { TrustspecError } from '../model/errors.ts'
import type { FrontDoor } from './target.ts'

/** What a container sees of this machine: a clock that the harness moves, and an authority that it made. */
export interface Mounts extends Disposable {
  readonly clock?: FaketimeClock
  readonly noClock?: string
  /** Folders and files, which the container sees under the same paths. */
  readonly paths: readonly string[]
  readonly variables: Readonly<Record<string, string>>
}

/** Prepares what is mounted into the container; `virtualTime` says whether its clock is to be moved. */
export function mountsFor(virtualTime: boolean, isHere: boolean, front: FrontDoor | undefined): Mounts {
  const library = virtualTime && isHere ? findFaketime() : undefined
  const clock = library === undefined ? undefined : faketimeClock(library)
  const folder = path.dirname(clock?.environment['FAKETIME_TIMESTAMP_FILE'] ?? '')
  // The user of the container is another one.
  if (clock) chmodSync(folder, 0o755)
  const faked = clock && library !== undefined ? [library, folder] : []
  return {
    ...(clock ? { clock } : {}),
    ...(virtualTime && !clock ? { noClock: NO_FAKETIME } : {}),
    paths: [...faked, ...(front ? [front.folder] : [])],
    variables: clock?.environment ?? {},
    [Symbol.dispose]: () => clock?.[Symbol.dispose](),
  }
}

/** Starts with virtual time, and without it where the container does not start so; `start` owns the mounts. */
export async function withOrWithoutClock<T>(
  virtualTime: boolean,
  start: (virtualTime: boolean) => Promise<T>,
): Promise<{ readonly started: T; readonly gaveUp: boolean }> {
  try {
    return { started: await start(virtualTime), gaveUp: false }
  } catch (error) {
    const isStart = error instanceof TrustspecError && error.code === 'ERR_TARGET_DID_NOT_START'
    if (!virtualTime || !isStart) throw error
    return { started: await start(false), gaveUp: true }
  }
}

/** Why there is no clock where the container does not start under the preload. */
export const NO_PRELOAD = 'The origin does not start under libfaketime, so that its time cannot be moved'
