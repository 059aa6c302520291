import { setTimeout as wait } from 'node:timers/promises'
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

const POLL_MS = 20

/**
 * Lets time pass at the origin. A move of its clock is proven, by Date or by a token that dies meanwhile; throws
 * Inconclusive when it does not take, or when there is nothing but a wait of more than three seconds.
 */
export async function elapse(session: Timed, seconds: number, mintUntil: (exp: number) => Token): Promise<void> {
  const { clock } = session
  if (!clock) {
    if (seconds > LONGEST_WAIT_SEC + DATE_SLACK_SEC) {
      throw new Inconclusive(`The clock of the origin cannot be moved, and ${seconds} s are too long to wait.`)
    }
    await wait(seconds * 1000)
    return
  }
  const before = await dateOf(session)
  const witness = before === undefined ? await witnessOf(session, seconds, mintUntil) : undefined
  const started = Date.now()
  await clock.advance(seconds)
  // Idle sockets may be closed by the jump: nothing is sent on them again.
  await session.client.renew()
  const moved = async (): Promise<boolean> => {
    if (witness)
      return (await exchange(session.client, { token: witness }, session.profile)).answer.outcome === 'refused'
    const after = await dateOf(session)
    return before !== undefined && after !== undefined && after - before >= seconds - DATE_SLACK_SEC
  }
  while (!(await moved())) {
    if (Date.now() - started > MOVE_MS)
      throw new Inconclusive('The clock of the origin did not move when it was told to.')
    await wait(POLL_MS)
  }
}

/** Seconds since the epoch in the Date header of an answer to a request without a token. */
async function dateOf({ client, profile }: Timed): Promise<number | undefined> {
  const { answer } = await exchange(client, {}, profile)
  const date = Date.parse(answer.header('date')[0] ?? '')
  return Number.isNaN(date) ? undefined : date / 1000
}

/** A token that is accepted now and dies within the move, where the origin sends no Date. */
async function witnessOf(session: Timed, seconds: number, mintUntil: (exp: number) => Token): Promise<Token> {
  const exp = Math.floor(session.nowSec() + seconds / 2 - (session.profile.leewaySec ?? 0))
  const token = mintUntil(exp)
  const { answer } = await exchange(session.client, { token }, session.profile)
  if (answer.outcome === 'accepted') return token
  throw new Inconclusive('The origin sends no Date, and the move is too short to be proven by a token that dies.')
}
