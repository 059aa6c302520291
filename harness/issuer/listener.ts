import http from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { TrustspecError } from '../model/errors.ts'

/** A server that is closed together with all its connections. */
export interface Listener extends AsyncDisposable {
  readonly port: number
}

/** Listens on one port, 0 for a free one; ERR_PORT_IN_USE when it is taken. */
export async function listen(
  host: string,
  port: number,
  handle: (request: IncomingMessage, response: ServerResponse, connection: number) => void,
): Promise<Listener> {
  const connections = new WeakMap<Socket, number>()
  let count = 0
  const server = http.createServer((request, response) => {
    handle(request, response, connections.get(request.socket) ?? 0)
  })
  server.on('connection', (socket) => {
    count += 1
    connections.set(socket, count)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE'
      reject(
        taken
          ? new TrustspecError(
              'ERR_PORT_IN_USE',
              'The port is in use',
              { port, instead: 'a free one' },
              { cause: error },
            )
          : error,
      )
    })
    server.listen(port, host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve()
        })
      })
      server.closeAllConnections()
      await closed
    },
  }
}
