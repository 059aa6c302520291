import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'

/** A Redis of a test's own. */
export interface TestRedis extends AsyncDisposable {
  readonly url: string
  /** Ends it at once, as a crash would. */
  readonly kill: () => Promise<void>
}

/** Starts redis-server on a free port; undefined, with the reason printed, where it is not installed. Fails on CI. */
export async function startRedis(untested: string): Promise<TestRedis | undefined> {
  const port = await freePort()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const exited = once(child, 'exit').catch(() => [])
  const ready = new Promise<boolean>((resolve) => {
    child.once('error', () => {
      resolve(false)
    })
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('Ready to accept connections')) resolve(true)
    })
  })
  if (!(await ready)) {
    if (process.env['CI'] !== undefined) throw new Error('redis-server is missing')
    console.log(`Not tested here, because redis-server is missing: ${untested}.`)
    return undefined
  }
  const kill = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await exited
  }
  return { url: `redis://127.0.0.1:${port}`, kill, [Symbol.asyncDispose]: kill }
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
