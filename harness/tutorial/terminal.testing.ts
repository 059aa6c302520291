import { execFile, execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'

const run = promisify(execFile)

/** Longest wait for anything on the screen, in milliseconds. */
const DEADLINE_MS = 60_000
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
    ended: () =>
      poll(async () => {
        const status = await readFile(told, 'utf8').catch(() => '')
        return status.endsWith('\n') ? Number(status) : undefined
      }),
  }
}

/** The process and its descendants. */
export async function familyOf(pid: number): Promise<readonly number[]> {
  const { stdout } = await run('ps', ['-eo', 'pid=,ppid='])
  const parents = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/u).map(Number))
  const family = [pid]
  for (const member of family) {
    for (const [child = 0, parent] of parents) if (parent === member) family.push(child)
  }
  return family
}

/** Which of these processes run, once none does or the time is up. */
export async function leftOf(pids: readonly number[]): Promise<readonly number[]> {
  const until = Date.now() + 10_000
  while (pids.some(isAlive) && Date.now() < until) await wait(POLL_MS)
  return pids.filter(isAlive)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
