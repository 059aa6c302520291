import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Milliseconds in which the other side has to take some of what it is sent. */
const STALLED_MS = 60_000

/**
 * Ends our half of a connection, and reads away what still comes for so many milliseconds. Closed with something
 * unread, it would be reset, and the other side might never see what it was sent last.
 */
export function part(socket: Socket, ms: number): void {
  socket.end()
  socket.resume()
  socket.setTimeout(STALLED_MS, () => socket.destroy())
  if (socket.writableFinished) destroyIn(socket, ms)
  else socket.once('finish', () => destroyIn(socket, ms))
}

/** Reads away what is left of a body that nobody wants; where it does not end in time, its connection does. */
export function readAway(incoming: IncomingMessage, ms: number): void {
  incoming.unpipe()
  incoming.resume()
  const { socket } = incoming
  const timer = setTimeout(() => {
    socket.destroy()
  }, ms)
  // The connection outlives many of these: what is hung on it would pile up.
  for (const over of ['end', 'close']) {
    incoming.once(over, () => {
      clearTimeout(timer)
    })
  }
}

/** Sends a whole answer, and ends the connection while the body of its request may still be coming. */
export function answerAndPart(response: ServerResponse, body: string, ms: number): void {
  if (body === '') response.flushHeaders()
  else response.write(body)
  response.req.resume()
  if (response.socket) part(response.socket, ms)
}

function destroyIn(socket: Socket, ms: number): void {
  const timer = setTimeout(() => {
    socket.destroy()
  }, ms)
  socket.once('close', () => {
    clearTimeout(timer)
  })
}
