import type net from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { TrustspecError } from '../model/errors.ts'

/** A server on this machine that ends together with its connections. */
export interface Listening extends AsyncDisposable {
  readonly port: number
  readonly url: string
}

/** Starts the server on 127.0.0.1; ERR_PORT_IN_USE when the port is taken. */
export async function listenOn(server: net.Server, port: number): Promise<Listening> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => {
      sockets.delete(socket)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const fields = { port, instead: 'a free one' }
      const taken = new TrustspecError('ERR_PORT_IN_USE', 'The port is in use', fields, { cause: error })
      reject(error.code === 'EADDRINUSE' ? taken : error)
    })
    server.listen({ host: '127.0.0.1', port, backlog: 1_024 }, resolve)
  })
  const { port: taken } = server.address() as AddressInfo
  return {
    port: taken,
    url: `http://127.0.0.1:${taken}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve()
        })
      })
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
