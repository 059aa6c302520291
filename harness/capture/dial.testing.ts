import { once } from 'node:events'
import net from 'node:net'

/** A raw connection of a test: what is sent and received are octets, as ISO 8859-1 text. */
export interface Dialogue extends AsyncDisposable {
  readonly send: (octets: string) => void
  /** Ends our half. */
  readonly end: () => void
  readonly reset: () => void
  /** All that was received, once it matches; rejects when the connection closes before. */
  readonly until: (pattern: RegExp) => Promise<string>
  /** How the other side closed, and all that was received. */
  readonly closed: Promise<{ readonly how: 'fin' | 'reset'; readonly received: string }>
}

/** Connects to a port of this machine. */
export async function dial(port: number): Promise<Dialogue> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  await once(socket, 'connect')
  let received = ''
  let how: 'fin' | 'reset' | undefined
  const checks = new Set<() => void>()
  const changed = (): void => {
    for (const check of checks) check()
  }
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1')
    changed()
  })
  const closed = new Promise<'fin' | 'reset'>((resolve) => {
    socket.once('end', () => {
      resolve('fin')
    })
    socket.once('error', () => {
      resolve('reset')
    })
  }).then((result) => {
    how = result
    socket.end()
    changed()
    return { how: result, received }
  })
  return {
    send: (octets) => socket.write(octets, 'latin1'),
    end: () => socket.end(),
    reset: () => socket.resetAndDestroy(),
    closed,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (pattern.test(received)) resolve(received)
          else if (how !== undefined) reject(new Error(`Closed (${how}) after ${JSON.stringify(received)}`))
          else return
          checks.delete(check)
        }
        checks.add(check)
        check()
      }),
    async [Symbol.asyncDispose]() {
      if (socket.closed) return
      const gone = once(socket, 'close')
      socket.destroy()
      await gone
    },
  }
}

/** Octets of a request: lines joined by CR LF, with Host and the empty line. */
export function request(line: string, headers: readonly string[] = [], body = ''): string {
  return `${[line, 'Host: origin.example.com', ...headers].join('\r\n')}\r\n\r\n${body}`
}
