import { setTimeout as wait } from 'node:timers/promises'
import { connectDocker } from './docker.ts'
import { sweep } from './leftovers.ts'

/** Milliseconds within which the engine finishes what a killed run had asked it for. */
const SECOND_LOOK_MS = 1_000

// A process of its own: it outlives the harness for a moment, and removes what the run has left behind.
const [, , run = ''] = process.argv
let swept = false

async function end(isOrderly: boolean): Promise<void> {
  if (swept) return
  swept = true
  try {
    const docker = await connectDocker()
    const left = await sweep(docker, (id) => id === run)
    if (isOrderly && left === 0) return
    await wait(SECOND_LOOK_MS)
    await sweep(docker, (id) => id === run)
  } catch {
    // The engine has gone: the next run removes what is left.
  }
}

// An orderly end says so; a killed harness only closes the pipe.
let orderly = false
process.stdin.on('data', () => {
  orderly = true
})
process.stdin.once('close', () => {
  void end(orderly).finally(() => process.exit(0))
})
// Ctrl-C reaches the janitor too: the harness ends it by closing the pipe.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => undefined)
