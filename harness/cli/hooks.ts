import { Inconclusive, TrustspecError } from '../model/errors.ts'

/** A hook that fails before the first case is for the user to mend; in a case it makes that case inconclusive. */
export async function mendable<T>(running: Promise<T>): Promise<T> {
  try {
    return await running
  } catch (error) {
    if (!(error instanceof Inconclusive)) throw error
    const message = error.message.replace(/\.$/u, '')
    throw new TrustspecError(
      'ERR_USAGE',
      message,
      { instead: 'a hook that works, see docs/config.md' },
      { cause: error },
    )
  }
}
