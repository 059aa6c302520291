import net from 'node:net'
import type { AddressInfo } from 'node:net'

/** What stands in front of a gateway and hands on what callers send, changed. */
export async function fronting(
  url: string,
  change: (octets: Buffer) => Buffer,
): Promise<{ readonly url: string } & AsyncDisposable> {
  const { hostname, port } = new URL(url)
  const open = new Set<net.Socket>()
  const server = net.createServer((caller) => {
    const gateway = net.connect({ host: hostname, port: Number(port) })
    for (const [socket, other] of [
      [caller, gateway],
      [gateway, caller],
    ] as const) {
      open.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        open.delete(socket)
        other.destroy()
      })
    }
    caller.on('data', (octets) => gateway.write(change(octets)))
    gateway.pipe(caller)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => {
        server.close(resolve)
      })
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}

/** Takes out of every head what no field value may hold, and joins folded lines without a space. */
export function cleaning(url: string): Promise<{ readonly url: string } & AsyncDisposable> {
  return fronting(url, (octets) => {
    const text = octets.toString('latin1')
    const end = text.indexOf('\r\n\r\n')
    if (end < 0 || !/^[A-Za-z]+ \S+ HTTP\/1\.1\r\n/u.test(text)) return octets
    const head = text
      .slice(0, end)
      // eslint-disable-next-line no-control-regex -- the very octets that must not be there
      .replaceAll(/\0|\r\n[ \t]+|\r(?!\n)|(?<!\r)\n/gu, '')
    return Buffer.from(head + text.slice(end), 'latin1')
  })
}
