import { setTimeout as wait } from 'node:timers/promises'
import { holdFile } from './file-lock.ts'
import { TrustspecError } from '../model/errors.ts'

const POLL_MS = 200

/** Longest wait for another process that does the same, in milliseconds. */
const MOST_WAIT_MS = 300_000

/** Does the work while no other process, and nothing else in this one, does any under the name of this file. */
export async function alone<T>(file: string, work: () => Promise<T>): Promise<T> {
  const release = await held(file, Date.now() + MOST_WAIT_MS)
  try {
    return await work()
  } finally {
    release()
  }
}

async function held(file: string, until: number): Promise<() => void> {
  try {
    return holdFile(file, 'wait until it has ended')
  } catch (error) {
    // Where nothing can be written, the work has a better way to say so.
    if (['EACCES', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) return () => undefined
    if (!(error instanceof TrustspecError) || Date.now() > until) throw error
    await wait(POLL_MS)
    return await held(file, until)
  }
}
