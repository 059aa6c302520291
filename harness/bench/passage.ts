import { setTimeout as wait } from 'node:timers/promises'
import type { MovableClock } from '../clock/clock.ts'
import { Inconclusive } from '../model/errors.ts'
import type { Token } from '../model/token.ts'
import { exchange } from './exchange.ts'
import type { Session } from './session.ts'

/** What is needed to let time pass. */
export type Timed = Pick<Session, 'clock' | 'client' | 'profile' | 'nowSec'>

/** Longest real wait, in seconds, where the clock of the origin cannot be moved. */
export const LONGEST_WAIT_SEC = 3

/** How far Date may lag behind a move, in seconds: it is rounded, and some servers keep it for a second. */
const DATE_SLACK_SEC = 2

/** Longest time, in milliseconds, until a move must show. */
const MOVE_MS = 1_500

const POLL_MS = 5

/** Part of a move, in seconds, that is kept back until the rest of it shows. */
const KEPT_SEC = 1

/** How far a clock is moved on for each look at Date, in seconds: a tick of the slowest timers that renew it. */
const TICK_SEC = 0.1

/** Longest life of a token that proves a move by its death, in seconds. */
const WITNESS_SEC = 30

/**
 * Lets time pass at the origin. A move of its clock is proven, by Date or by a token that dies meanwhile; a hook is
 * believed once the first move was proven by such a token, because the Date of a server tells the time of its machine.
 * Throws Inconclusive when the move does not take, or when there is nothing but a wait of more than three seconds.
 */
export async function elapse(
  session: Timed,
  seconds: number,
  mintUntil: (exp: number) => Token,
  isFirst = false,
): Promise<void> {
  const { clock, client } = session
  if (!clock) {
    if (seconds > LONGEST_WAIT_SEC + DATE_SLACK_SEC) {
      throw new Inconclusive(`The clock of the origin cannot be moved, and ${seconds} s are too long to wait.`)
    }
    await wait(seconds * 1000)
    return
  }
  const due = clock.nowMs() + seconds * 1000
  const left = (): number => (due - clock.nowMs()) / 1000
  // Some servers renew Date by a timer of their own: it is moved to its next ticks, instead of waited for.
  const kept = clock.kind === 'libfaketime' && seconds > 2 * DATE_SLACK_SEC ? KEPT_SEC : 0
  const moved = await signOf(session, clock, seconds - kept, mintUntil, isFirst)
  const started = Date.now()
  await clock.advance(seconds - kept)
  // Idle sockets may be closed by the jump: nothing is sent on them again.
  await client.renew()
  while (!(await moved())) {
    if (Date.now() - started > MOVE_MS)
      throw new Inconclusive('The clock of the origin did not move when it was told to.')
    await wait(POLL_MS)
    if (kept > 0 && left() > TICK_SEC) await clock.advance(TICK_SEC)
  }
  if (kept > 0 && left() > 0) await clock.advance(left())
}

/** What tells that a move of so many seconds took. */
async function signOf(
  session: Timed,
  clock: MovableClock,
  seconds: number,
  mintUntil: (exp: number) => Token,
  isFirst: boolean,
): Promise<() => Promise<boolean>> {
  if (clock.kind === 'hook' && !isFirst) {
    const told = clock.nowMs()
    return () => Promise.resolve(clock.nowMs() - told >= (seconds - DATE_SLACK_SEC) * 1000)
  }
  const before = clock.kind === 'hook' ? undefined : await dateOf(session)
  if (before !== undefined) {
    return async () => {
      const after = await dateOf(session)
      return after !== undefined && after - before >= seconds - DATE_SLACK_SEC
    }
  }
  const witness = await witnessOf(session, seconds, mintUntil)
  return async () => (await exchange(session.client, { token: witness }, session.profile)).answer.outcome === 'refused'
}

/** Seconds since the epoch in the Date header of an answer to a request without a token. */
async function dateOf({ client, profile }: Timed): Promise<number | undefined> {
  const { answer } = await exchange(client, {}, profile)
  const date = Date.parse(answer.header('date')[0] ?? '')
  return Number.isNaN(date) ? undefined : date / 1000
}

/** A token that is accepted now and dies within the move, where Date does not tell. */
async function witnessOf(session: Timed, seconds: number, mintUntil: (exp: number) => Token): Promise<Token> {
  const life = Math.min(seconds / 2 - (session.profile.leewaySec ?? 0), WITNESS_SEC)
  const token = mintUntil(Math.floor(session.nowSec() + life))
  const { answer } = await exchange(session.client, { token }, session.profile)
  if (answer.outcome === 'accepted') return token
  throw new Inconclusive('No Date proves a move of this clock, and the move is too short for a token that dies.')
}
