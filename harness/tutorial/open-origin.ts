import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Target } from '../targets/target.ts'
import { ROUTE } from './world.ts'

/** An API that lets everybody in, as that of a reader before the tutorial: it runs in this process. */
export async function startOpenOrigin(): Promise<Target> {
  const log: string[] = []
  const server = http.createServer((request, response) => {
    const known = request.url === ROUTE
    const status = known ? 200 : 404
    log.push(`${status} ${request.method} ${request.url}`)
    request.resume()
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(known ? { message: 'Anybody may read this' } : { error: 'Not found' }))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    kind: 'embedded',
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${ROUTE}`,
    profile: {},
    expected: [],
    logTail: () => log,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => {
        server.close(resolve)
      })
      server.closeAllConnections()
      await closed
    },
  }
}
