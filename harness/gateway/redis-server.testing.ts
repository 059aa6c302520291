import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'

/** A Redis of a test's own. */
export interface TestRedis extends AsyncDisposable {
  readonly url: string
  /** Ends it at once, as a crash would. */
  readonly kill: () => Promise<void>
  /** Starts it again at the same address, with what its folder holds. */
  readonly restart: () => Promise<void>
  /** Stops it in mid-work, connections open, until it is told to go on. */
  readonly freeze: () => void
  readonly thaw: () => void
}

/**
 * Starts redis-server on a free port; undefined, with the reason printed, where it is not installed. Fails on CI. With
 * a folder every change is on the disk before it is answered.
 */
export async function startRedis(untested: string, folder?: string): Promise<TestRedis | undefined> {
  const port = await freePort()
  const kept = folder === undefined ? ['--appendonly', 'no'] : ['--dir', folder, '--appendonly', 'yes']
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', ...kept, '--appendfsync', 'always']
  let child = await launched(args)
  if (!child) {
    if (process.env['CI'] !== undefined) throw new Error('redis-server is missing')
    console.log(`Not tested here, because redis-server is missing: ${untested}.`)
    return undefined
  }
  const kill = async (): Promise<void> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    async restart() {
      await kill()
      child = await launched(args)
      if (!child) throw new Error('redis-server does not start again')
    },
    freeze: () => child?.kill('SIGSTOP'),
    thaw: () => child?.kill('SIGCONT'),
    [Symbol.asyncDispose]: kill,
  }
}

/** A server that takes connections; undefined where it cannot be run. */
async function launched(args: readonly string[]): Promise<ChildProcess | undefined> {
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const isReady = await new Promise<boolean>((resolve) => {
    for (const event of ['error', 'exit']) {
      child.once(event, () => {
        resolve(false)
      })
    }
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('Ready to accept connections')) resolve(true)
    })
  })
  return isReady ? child : undefined
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
