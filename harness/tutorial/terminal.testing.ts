import { execFile, execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'

const run = promisify(execFile)

/** Longest wait for anything on the screen, in milliseconds: packages may have to be installed before. */
const DEADLINE_MS = 240_000
const POLL_MS = 40

/** A command in a terminal of its own, and somebody who types. */
export interface Terminal {
  /** Types keys by tmux's names, such as Enter, C-c or q. */
  readonly type: (...keys: readonly string[]) => Promise<void>
  /** All that the terminal has shown so far. */
  readonly screen: () => Promise<string>
  /** Resolves with the screen once it is like this. */
  readonly until: (isThere: (screen: string) => boolean) => Promise<string>
  /** The command and all that it has started, by process id. */
  readonly processes: () => Promise<readonly number[]>
  /** Closes the window. */
  readonly close: () => Promise<void>
  /** Exit code, once it has ended. */
  readonly ended: () => Promise<number>
}

/** Why there are no terminals here; undefined where there are. */
export function noTerminal(): string | undefined {
  try {
    execFileSync('tmux', ['-V'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'tmux is missing'
  }
}

/** Starts the command in a terminal of 100 columns that goes with the test. */
export async function terminal(command: readonly string[], env: Readonly<Record<string, string>>): Promise<Terminal> {
  const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-terminal-'))
  const settings = path.join(folder, 'tmux.conf')
  await writeFile(settings, 'set -g history-limit 20000\nset -g remain-on-exit on\n')
  const tmux = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await run('tmux', ['-S', path.join(folder, 'socket'), '-f', settings, ...args])
    return stdout
  }
  onTestFinished(async () => {
    await tmux('kill-server').catch(() => undefined)
    await rm(folder, { recursive: true, force: true })
  })
  const variables = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`])
  // The shell outlives Ctrl-C and writes the exit code down: tmux 3.3 loses some.
  const told = path.join(folder, 'exit-code')
  const shell = ['sh', '-c', 'trap : INT; "$@"; echo $? > "$0"', told]
  await tmux('new-session', '-d', '-x', '100', '-y', '40', ...variables, '--', ...shell, ...command)
  const [pane = ''] = (await tmux('list-panes', '-F', '#{pane_pid}')).split('\n')
  const screen = () => tmux('capture-pane', '-p', '-J', '-S', '-')
  const poll = async <T>(ask: () => Promise<T | undefined>): Promise<T> => {
    const until = Date.now() + DEADLINE_MS
    while (Date.now() < until) {
      const found = await ask()
      if (found !== undefined) return found
      await wait(POLL_MS)
    }
    throw new Error(`It is not there in time; the screen ends: ${(await screen()).trimEnd().slice(-600)}`)
  }
  return {
    async type(...keys) {
      await tmux('send-keys', ...keys)
    },
    screen,
    until: (isThere) =>
      poll(async () => {
        const shown = await screen()
        return isThere(shown) ? shown : undefined
      }),
    processes: () => familyOf(Number(pane)),
    async close() {
      await tmux('kill-session')
    },
    ended: () =>
      poll(async () => {
        const status = await readFile(told, 'utf8').catch(() => '')
        return status.endsWith('\n') ? Number(status) : undefined
      }),
  }
}

/** The process and its descendants. */
export async function familyOf(pid: number): Promise<readonly number[]> {
  const running = await processes()
  const family = [pid]
  for (const member of family) family.push(...running.filter(({ parent }) => parent === member).map(({ id }) => id))
  return family
}

/**
 * Which of these processes run, and all others that were started with this variable, however late, once none does or
 * the time is up.
 */
export async function leftOf(pids: readonly number[], variable: string): Promise<readonly number[]> {
  const until = Date.now() + 10_000
  for (;;) {
    const running = await processes()
    const left = running.filter(({ id }) => pids.includes(id) || environmentOf(id).includes(variable))
    if (left.length === 0 || Date.now() > until) return left.map(({ id }) => id)
    await wait(POLL_MS)
  }
}

/** `NAME=VALUE` of a process that is ours; empty where the system does not tell. */
function environmentOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  } catch {
    return []
  }
}

/** All processes, save for those that have ended and whose parent has not asked for their status yet. */
async function processes(): Promise<readonly { readonly id: number; readonly parent: number }[]> {
  const { stdout } = await run('ps', ['-eo', 'pid=,ppid=,stat='])
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/u))
    .filter(([, , state = '']) => !state.startsWith('Z'))
    .map(([id, parent]) => ({ id: Number(id), parent: Number(parent) }))
}
