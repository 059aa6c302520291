import net from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import type { Clock } from '../clock/clock.ts'
import type { CaptureOrigin, Framing } from '../model/capture.ts'
import { TrustspecError } from '../model/errors.ts'
import { converse } from './connection.ts'
import { createCaptureJournal } from './journal.ts'
import { createProgrammes } from './programmes.ts'

/** What a capture origin is started with. */
export interface CaptureOptions {
  /** Default `origin`. */
  readonly name?: string
  /** Default 0: a free one. */
  readonly port?: number
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string
  /** Body of the ordinary answer; default: a constant that names the capture origin. */
  readonly marker?: string
  /** Default `strict`. */
  readonly framing?: Framing
  /** Tells when requests arrive; default: that of the machine. */
  readonly clock?: Clock
}

/** A capture origin that runs. */
export interface Capture extends CaptureOrigin, AsyncDisposable {
  readonly port: number
}

/** Starts a capture origin; ERR_PORT_IN_USE when the port is taken. */
export async function startCapture(options: CaptureOptions = {}): Promise<Capture> {
  const { name = 'origin', host = '127.0.0.1', framing = 'strict', clock = { nowMs: () => Date.now() } } = options
  const marker = options.marker ?? `captured by ${name} of trustspec`
  const journal = createCaptureJournal()
  const programmes = createProgrammes()
  const scopes: { readonly framing: Framing }[] = [{ framing }]
  const sockets = new Set<Socket>()
  const conversations = new Set<Promise<void>>()
  let connections = 0

  const context = {
    name,
    marker,
    clock,
    journal,
    programmes,
    framing: () => scopes.at(-1)?.framing ?? framing,
  }
  const accept = (socket: Socket): void => {
    connections += 1
    sockets.add(socket)
    socket.once('close', () => {
      sockets.delete(socket)
    })
    socket.setNoDelay(true)
    const conversation = converse(socket, connections, context)
    conversations.add(conversation)
    void conversation.finally(() => conversations.delete(conversation))
  }
  let server = await listening(host, options.port ?? 0, accept)
  const { port } = server.address() as AddressInfo

  const stop = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => {
      server.close(() => {
        resolve()
      })
    })
    for (const socket of sockets) socket.destroy()
    await Promise.all([closed, ...conversations])
  }
  return {
    name,
    url: `http://${host}:${port}`,
    port,
    marker,
    mark: journal.mark,
    all: journal.all,
    since: journal.since,
    arrivalsOf: journal.arrivalsOf,
    requestsOf: journal.requestsOf,
    waitFor: journal.waitFor,
    settled: journal.settled,
    unfinished: journal.unfinished,
    onArrival: journal.onArrival,
    answer: programmes.answer,
    hold: programmes.hold,
    readAs(framing) {
      const scope = { framing }
      scopes.push(scope)
      return {
        [Symbol.dispose]() {
          const at = scopes.indexOf(scope)
          if (at >= 0) scopes.splice(at, 1)
        },
      }
    },
    async down() {
      await stop()
      if (await isReachable(host, port)) {
        server = await listening(host, port, accept)
        throw new TrustspecError('ERR_HARNESS', 'The capture origin still takes connections', { port })
      }
      return {
        async [Symbol.asyncDispose]() {
          server = await listening(host, port, accept)
        },
      }
    },
    [Symbol.asyncDispose]: stop,
  }
}

/** A server that leaves both halves of its connections to us. */
async function listening(host: string, port: number, accept: (socket: Socket) => void): Promise<net.Server> {
  const server = net.createServer({ allowHalfOpen: true }, accept)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const fields = { port, instead: 'a free one' }
      const taken = new TrustspecError('ERR_PORT_IN_USE', 'The port is in use', fields, { cause: error })
      reject(error.code === 'EADDRINUSE' ? taken : error)
    })
    server.listen({ host, port, backlog: 1_024 }, resolve)
  })
  return server
}

function isReachable(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port })
    const finish = (reachable: boolean): void => {
      socket.destroy()
      resolve(reachable)
    }
    socket.once('connect', () => {
      finish(true)
    })
    socket.once('error', () => {
      finish(false)
    })
  })
}
