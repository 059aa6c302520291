import { spawn } from 'node:child_process'

/** Milliseconds between the request to end and the end by force. */
const GRACE_MS = 3_000

// Ctrl-C, and the end of the terminal, reach the guardian too: the harness ends it by closing the pipe. They are ignored
// before there is a command, or a guardian that has just begun would leave one behind.
for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => undefined)

// A process of its own: it outlives the harness for a moment, and takes the group of the command with it.
const [, , command = ''] = process.argv
const child = spawn('/bin/sh', ['-c', command], { detached: true, stdio: ['ignore', 'inherit', 'inherit'] })
let ended = false

const tell = (message: object): void => {
  // The harness may be gone, known or not yet; then there is nobody to tell, and the command still has to end.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined)
}

const signalGroup = (signal: NodeJS.Signals): boolean => {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal)
    return true
  } catch {
    return false
  }
}

const end = (): void => {
  if (!signalGroup('SIGTERM')) process.exit(0)
  const force = setTimeout(() => {
    signalGroup('SIGKILL')
    process.exit(0)
  }, GRACE_MS)
  const look = setInterval(() => {
    // Signal 0 asks whether any process of the group is left.
    if (signalGroup(0 as unknown as NodeJS.Signals)) return
    clearTimeout(force)
    clearInterval(look)
    process.exit(0)
  }, 20)
}

const endOnce = (): void => {
  if (!ended) end()
  ended = true
}

tell({ pid: child.pid })
child.once('exit', (code, signal) => {
  if (!ended) tell({ exit: signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}` })
  endOnce()
})
child.once('error', (error) => {
  tell({ exit: error.message })
  endOnce()
})
process.on('SIGTERM', endOnce)
process.on('disconnect', endOnce)
process.stdin.on('close', endOnce)
process.stdin.on('end', endOnce)
process.stdin.resume()
