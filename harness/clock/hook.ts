import { request } from 'undici'
import { TrustspecError } from '../model/errors.ts'
import type { MovableClock } from './clock.ts'

/** Longest wait for the hook, in milliseconds. */
const DEADLINE_MS = 5_000

/**
 * The clock behind a hook that an origin offers for tests: `GET` answers `{"now": seconds since the epoch}`, `POST`
 * of `{"advanceSeconds": n}` moves it forward and answers the same. Throws ERR_USAGE when the hook does not.
 */
export async function hookClock(url: string): Promise<MovableClock> {
  let aheadMs = (await ask(url)) * 1000 - Date.now()
  return {
    kind: 'hook',
    nowMs: () => Date.now() + aheadMs,
    async advance(seconds) {
      aheadMs = (await ask(url, seconds)) * 1000 - Date.now()
    },
  }
}

/** Seconds since the epoch, as the hook tells them. */
async function ask(url: string, advanceSeconds?: number): Promise<number> {
  const body = advanceSeconds === undefined ? null : JSON.stringify({ advanceSeconds })
  try {
    const answer = await request(url, {
      method: body === null ? 'GET' : 'POST',
      headers: body === null ? {} : { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(DEADLINE_MS),
    })
    const text = await answer.body.text()
    const told: unknown = answer.statusCode === 200 ? JSON.parse(text) : undefined
    if (typeof told === 'object' && told !== null && 'now' in told && typeof told.now === 'number') return told.now
    throw new TypeError(`Status ${answer.statusCode} without "now"`)
  } catch (error) {
    throw new TrustspecError(
      'ERR_USAGE',
      'The clock hook does not do what it should',
      {
        '--clock-url': url,
        instead: 'GET answers {"now": SECONDS}, POST {"advanceSeconds": N} advances and answers the same',
      },
      { cause: error },
    )
  }
}
