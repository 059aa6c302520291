import { once } from 'node:events'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { readAway } from './linger.ts'

test('a body that was read away leaves nothing on its connection, which may carry many', async () => {
  const socket = new Socket()
  const before = socket.eventNames()
  for (let body = 0; body < 3; body += 1) {
    const incoming = new IncomingMessage(socket)
    readAway(incoming, 10_000)
    incoming.push('abc')
    incoming.complete = true
    incoming.push(null)
    await once(incoming, 'close')
  }

  expect(socket.eventNames()).toEqual(before)
  expect(socket.destroyed).toBe(false)
})

test('a body that does not end costs its connection', async () => {
  const socket = new Socket()
  const incoming = new IncomingMessage(socket)
  readAway(incoming, 1)
  incoming.push('abc')
  await once(socket, 'close')

  expect(socket.destroyed).toBe(true)
})
