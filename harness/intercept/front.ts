import { chmod, mkdtemp, writeFile } from 'node:fs/promises'
import { rmSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import https from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { rootCertificates } from 'node:tls'
import { makeAuthority } from './certificates.ts'
import { trustVariables } from './intercept.ts'

/** Answers for some hosts over TLS, for a target whose own names lead here. */
export interface Front extends AsyncDisposable {
  readonly hosts: readonly string[]
  readonly port: number
  /** Holds the authority of the run, for everybody to read; removed with the front. */
  readonly folder: string
  /** Variables by which common HTTP clients find the authority. */
  readonly environment: Readonly<Record<string, string>>
  /** Connections so far. */
  readonly connects: () => number
}

/** Starts the server on a free port of the address, with an authority made for this run. */
export async function startFront(options: {
  readonly hosts: readonly string[]
  readonly handle: RequestListener
  readonly listen: string
}): Promise<Front> {
  const { caPem, certPem, keyPem } = makeAuthority(options.hosts)
  const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-ca-'))
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true })
  }
  // For an end that leaves no time to dispose of anything, such as Ctrl-C.
  process.once('exit', remove)
  const caFile = path.join(folder, 'ca.pem')
  await writeFile(caFile, `${caPem}${rootCertificates.join('\n')}\n`)
  // The user of a container is another one.
  await chmod(folder, 0o755)
  const server = https.createServer({ key: keyPem, cert: certPem }, options.handle)
  const sockets = new Set<Socket>()
  let connects = 0
  server.on('connection', (socket: Socket) => {
    connects += 1
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, options.listen, resolve)
  })
  return {
    hosts: options.hosts,
    port: (server.address() as AddressInfo).port,
    folder,
    environment: trustVariables(caFile),
    connects: () => connects,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => {
        server.close(resolve)
      })
      for (const socket of sockets) socket.destroy()
      await closed
      process.off('exit', remove)
      remove()
    },
  }
}
