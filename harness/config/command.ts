import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Variables } from './variables.ts'

/** What became of a command. */
export interface CommandOutcome {
  /** `exit 3`, `signal SIGKILL`; undefined where it ended with 0 in time. */
  readonly failure?: string
  /** Its standard output, where it was wanted. */
  readonly output: string
  /** Last line of its standard error. */
  readonly complaint: string
}

/** Most characters of output that are kept. */
const MOST_OUTPUT = 64 * 1024 * 1024

/** Milliseconds in which the output of a command that has ended is read. */
const DRAIN_MS = 500

const running = new Set<ChildProcess>()
let isWatching = false

/**
 * Runs a command of a shell in a process group of its own. The group is ended when the time is over, when this process
 * ends, and, where output is wanted, with the command. Otherwise what it left in the background stays: a restarted
 * gateway may be that.
 */
export async function runCommand(
  script: string,
  variables: Variables,
  options: { readonly timeoutMs: number; readonly wantsOutput: boolean },
): Promise<CommandOutcome> {
  if (!isWatching) process.once('exit', endCommands)
  isWatching = true
  const folder = mkdtempSync(path.join(os.tmpdir(), 'trustspec-hook-'))
  const errors = path.join(folder, 'stderr')
  // A file, because a pipe that closes would end what the command leaves behind.
  const handle = openSync(errors, 'w', 0o600)
  try {
    const child = spawn('/bin/sh', ['-c', script], {
      detached: true,
      env: { ...process.env, ...texts(variables) },
      stdio: ['ignore', options.wantsOutput ? 'pipe' : 'ignore', handle],
    })
    running.add(child)
    const chunks: string[] = []
    let length = 0
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      length += chunk.length
      if (length <= MOST_OUTPUT) chunks.push(chunk)
    })
    const failure = await ended(child, options.timeoutMs)
    if (child.stdout && !child.stdout.closed) {
      await Promise.race([once(child.stdout, 'close'), wait(DRAIN_MS)])
      child.stdout.destroy()
    }
    if (failure !== undefined || options.wantsOutput) endGroup(child)
    running.delete(child)
    return {
      ...(failure === undefined ? {} : { failure }),
      output: chunks.join(''),
      complaint: readFileSync(errors, 'utf8').trim().split('\n').at(-1) ?? '',
    }
  } finally {
    closeSync(handle)
    rmSync(folder, { recursive: true, force: true })
  }
}

async function ended(child: ChildProcess, timeoutMs: number): Promise<string | undefined> {
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  const given = new AbortController()
  const late = wait(timeoutMs, 'late' as const, { signal: given.signal }).catch(() => 'late' as const)
  const result = await Promise.race([exited, late])
  given.abort()
  if (result === 'late') {
    endGroup(child)
    await exited
    return `not ended after ${timeoutMs / 1000} s`
  }
  const [code, signal] = result
  if (code === 0) return undefined
  return code === null ? `signal ${signal ?? 'unknown'}` : `exit ${code}`
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // The group has ended by itself.
  }
}

/** Ends every command that runs, with its group. */
export function endCommands(): void {
  for (const child of running) endGroup(child)
}

function texts(variables: Variables): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, String(value ?? '')]))
}
