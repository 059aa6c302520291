import { setTimeout as wait } from 'node:timers/promises'
import { carriedToken } from '../capture/carried.ts'
import { verifyGatewayToken } from '../capture/verify.ts'
import { Inconclusive } from '../model/errors.ts'
import type { Json } from '../model/json.ts'
import { placeOfToken } from './tokens.ts'
import type { GatewaySession } from './gateway-session.ts'
import { LONGEST_WAIT_SEC } from './passage.ts'
import type { Passage } from '../model/gateway-bench.ts'

/** How far Date and iat may lag behind a move, in seconds: both are whole, and a token may be a moment old. */
const SLACK_SEC = 2

/** Milliseconds added to a real wait, so that rounding on either side does not matter. */
const MARGIN_MS = 100

/**
 * Lets time pass at the gateway. A move of its clock shows in Date or in the iat of a new token, or throws Inconclusive;
 * where there is no clock to move, at most three seconds are waited.
 */
export async function passAtGateway(
  session: GatewaySession,
  seconds: number,
  control: () => Promise<Passage>,
): Promise<void> {
  const { clock } = session
  if (!clock) {
    if (seconds > LONGEST_WAIT_SEC + 1) {
      throw new Inconclusive(`The clock of the gateway cannot be moved, and ${seconds} s are too long to wait.`)
    }
    await wait(seconds * 1000 + MARGIN_MS)
    return
  }
  const due = session.nowMs() / 1000 + seconds - SLACK_SEC
  await clock.advance(seconds)
  // Idle sockets may be closed by the jump: nothing is sent on them again.
  await Promise.all(session.clients.map((client) => client.renew()))
  // The clock of a gateway in this process is the one that it was given.
  if (clock.kind === 'injected') return
  const { answer, arrivals } = await control()
  const date = Date.parse(answer.header('date')[0] ?? '') / 1000
  const [arrival] = arrivals()
  const issued = arrival ? issuedAt(carriedToken(arrival, placeOfToken(session.profile)).compact) : undefined
  if (!(date >= due) && !(issued !== undefined && issued >= due)) {
    throw new Inconclusive('The move of the clock shows neither in Date nor in the iat of a new token.')
  }
}

function issuedAt(compact: string | undefined): number | undefined {
  const none: Json = { keys: [] }
  const iat = compact === undefined ? undefined : verifyGatewayToken(compact, none, { nowSec: 0 }).claims?.['iat']
  return typeof iat === 'number' ? iat : undefined
}
