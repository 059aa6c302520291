import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import net from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { moduleBeside } from '../model/files.ts'

/** A command that ends with the harness, also when that is killed outright. */
export interface Guarded {
  /** Process id of the shell that became the command. */
  readonly pid: () => number | undefined
  /** How it ended; undefined while it runs. */
  readonly exit: () => string | undefined
  /** Ends it and all that it started: asked first, by force after three seconds. */
  readonly stop: () => Promise<void>
}

/** What is run. */
export interface GuardedCommand {
  /** For a POSIX shell. */
  readonly command: string
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly onLine: (line: string) => void
}

/** Below the ports that systems hand out by themselves (32768 and above on Linux, 49152 elsewhere). */
const PORTS = [20_000, 32_000] as const

const POLL_MS = 25
const CONNECT_MS = 500

const GUARDIAN = fileURLToPath(moduleBeside('guardian', import.meta.url))

/** Starts the command in a group of its own, whose guardian ends it when the pipe to it closes. */
export async function startGuarded({ command, cwd, env, onLine }: GuardedCommand): Promise<Guarded> {
  const guardian = spawn(process.execPath, [GUARDIAN, command], { cwd, env, stdio: ['pipe', 'pipe', 'pipe', 'ipc'] })
  let exit: string | undefined
  let pid: number | undefined
  guardian.on('message', (message: { pid?: number; exit?: string }) => {
    pid = message.pid ?? pid
    exit = message.exit ?? exit
  })
  guardian.once('exit', () => {
    exit ??= 'the process ended'
  })
  for (const stream of [guardian.stdout, guardian.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', onLine)
  }
  await Promise.race([once(guardian, 'message'), once(guardian, 'exit')])
  return {
    pid: () => pid,
    exit: () => exit,
    async stop() {
      if (guardian.exitCode !== null || guardian.signalCode !== null) return
      const ended = once(guardian, 'exit')
      guardian.stdin?.end()
      await ended
    },
  }
}

/** Waits until something listens on the port; why nothing does, where that is so. */
export async function listening(port: number, started: Guarded, withinMs: number): Promise<string | undefined> {
  const began = Date.now()
  while (Date.now() - began < withinMs) {
    const exit = started.exit()
    if (exit !== undefined) return exit
    if (await connects(port)) return undefined
    await wait(POLL_MS)
  }
  return `nothing listened on port ${port} within ${withinMs / 1000} s`
}

/** Whether anything listens there. */
export function connects(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    // The address of a container that has ended does not refuse: nobody is there.
    const socket = net.connect({ port, host, timeout: CONNECT_MS })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    for (const failure of ['error', 'timeout']) {
      socket.once(failure, () => {
        socket.destroy()
        resolve(false)
      })
    }
  })
}

/** A port that no other server gets by asking for any, and no connection, also while what listens on it restarts. */
export async function freePort(): Promise<number> {
  const port = randomInt(...PORTS)
  return (await isFree(port)) ? port : await freePort()
}

async function isFree(port: number): Promise<boolean> {
  const server = net.createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
