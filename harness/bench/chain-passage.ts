import { setTimeout as wait } from 'node:timers/promises'
import { Inconclusive } from '../model/errors.ts'
import type { ChainSession } from './chain-session.ts'
import { LONGEST_WAIT_SEC } from './passage.ts'

/** Milliseconds added to a real wait, so that rounding on either side does not matter. */
const MARGIN_MS = 50

/** What is needed to let time pass on both sides. */
export type TimedChain = Pick<ChainSession, 'clocks' | 'clients' | 'direct'>

/** Lets time pass on both sides. Throws Inconclusive where that would be a wait of more than three seconds. */
export async function passInChain(session: TimedChain, seconds: number): Promise<void> {
  const { clocks } = session
  if (!clocks) {
    if (seconds > LONGEST_WAIT_SEC + 1) {
      throw new Inconclusive(`The clocks of both sides cannot be moved, and ${seconds} s are too long to wait.`)
    }
    await wait(seconds * 1000 + MARGIN_MS)
    return
  }
  await clocks.gateway.advance(seconds)
  await clocks.origin.advance(seconds)
  await renew(session)
}

/** Moves one of the clocks forward until the origin is so many seconds ahead of the gateway. */
export async function skewTo(session: TimedChain, seconds: number): Promise<void> {
  const { clocks } = session
  if (!clocks) throw new Inconclusive('The clocks of the two sides cannot be moved.')
  const missing = seconds - (clocks.origin.nowMs() - clocks.gateway.nowMs()) / 1000
  if (missing > 0) await clocks.origin.advance(missing)
  else if (missing < 0) await clocks.gateway.advance(-missing)
  await renew(session)
}

/** Idle sockets may be closed by the jump: nothing is sent on them again, unless both are in this process, where timers do not jump. */
async function renew({ clocks, clients, direct }: TimedChain): Promise<void> {
  if (clocks?.gateway.kind === 'injected' && clocks.origin.kind === 'injected') return
  await Promise.all([...clients, ...(direct ? [direct.client] : [])].map((client) => client.renew()))
}
