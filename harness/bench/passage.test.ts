import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { createClient } from '../client/client.ts'
import { movableClock } from '../clock/clock.ts'
import type { MovableClock } from '../clock/clock.ts'
import type { Token } from '../model/token.ts'
import { resolveProfile } from '../runner/profile.ts'
import { elapse } from './passage.ts'

/** Milliseconds of the timer by which the server looks at the time, and every how many looks it renews Date. */
const TICK_MS = 100
const TICKS = 10

/** A server that renews its Date by a timer, once in a second of its own time. */
async function startServer(clock: MovableClock) {
  let tick = 0
  let ticked = clock.nowMs()
  let date = ticked
  const server = http.createServer((_, response) => {
    // A timer that is due runs when a request wakes the loop, once however much time has passed.
    if (clock.nowMs() - ticked >= TICK_MS) {
      tick += 1
      ticked = clock.nowMs()
      if (tick % TICKS === 0) date = ticked
    }
    response.writeHead(401, { date: new Date(date).toUTCString() }).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`),
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

const noToken = (): Token => {
  throw new Error('Date is there to prove the move')
}

/** A clock as libfaketime moves it, which notes its moves. */
function noting(clock: MovableClock) {
  const moves: number[] = []
  return {
    moves,
    clock: {
      kind: 'libfaketime',
      nowMs: () => clock.nowMs(),
      advance(seconds) {
        moves.push(seconds)
        return clock.advance(seconds)
      },
    } satisfies MovableClock,
  }
}

function profileOf({ href }: URL) {
  return resolveProfile(
    {},
    { url: href, issuer: 'https://issuer.example.com', audience: 'orders', algorithms: ['RS256'] },
  )
}

test('a Date that is renewed by a timer is brought to its next tick, and the move is no longer for it', async () => {
  const { clock, moves } = noting(movableClock())
  await using server = await startServer(clock)
  await using client = createClient(server.url, 5_000)
  const nowSec = (): number => clock.nowMs() / 1000

  await elapse({ clock, client, profile: profileOf(server.url), nowSec }, 60, noToken)

  expect(moves.slice(0, 2)).toEqual([59, 0.1])
  expect(moves.reduce((sum, seconds) => sum + seconds, 0)).toBeLessThanOrEqual(60)
})

test('a server that keeps its own time is not taken for one that was moved', async () => {
  const { clock } = noting(movableClock())
  await using server = await startServer(movableClock())
  await using client = createClient(server.url, 5_000)
  const nowSec = (): number => clock.nowMs() / 1000

  await expect(elapse({ clock, client, profile: profileOf(server.url), nowSec }, 60, noToken)).rejects.toThrow(
    'The clock of the origin did not move when it was told to.',
  )
})
