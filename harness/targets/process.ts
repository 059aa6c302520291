import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import net from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { faketimeClock, findFaketime, NO_FAKETIME } from '../clock/faketime.ts'
import { TrustspecError } from '../model/errors.ts'
import type { OriginProfile } from '../model/profile.ts'
import type { ExpectedFinding } from '../model/result.ts'
import { residentOctets } from './resident.ts'
import type { Target, TargetSettings } from './target.ts'

/** How an origin is started. */
export interface ProcessOptions {
  /** For a POSIX shell; `{port}`, `{issuer}`, `{jwks_url}` and `{audience}` are filled in. */
  readonly command: string
  /** Folder that it starts in; default: this one. */
  readonly cwd?: string
  /** Variables besides PORT, ISSUER, JWKS_URL and AUDIENCE, with the same placeholders. */
  readonly env?: Readonly<Record<string, string>>
  /** Path of the protected route. */
  readonly path: string
  readonly profile: OriginProfile
  readonly settings: TargetSettings
  readonly name?: string
  readonly expected?: readonly ExpectedFinding[]
  /** Longest wait for the first answer, in milliseconds. */
  readonly readyMs: number
  /** Preloads libfaketime, where it is installed, so that the clock of the process can be moved. */
  readonly virtualTime?: boolean
}

/** Below the ports that systems hand out by themselves (32768 and above on Linux, 49152 elsewhere). */
const PORTS = [20_000, 32_000] as const

const LOG_LINES = 200
const POLL_MS = 25

const GUARDIAN = fileURLToPath(new URL('./guardian.ts', import.meta.url))

/** Starts the command on a free port and waits until it answers; ERR_TARGET_DID_NOT_START when it does not. */
export async function startProcess(options: ProcessOptions): Promise<Target> {
  const port = await freePort()
  const log: string[] = []
  const deaths: string[] = []
  const library = options.virtualTime === false ? undefined : findFaketime()
  let clock = library === undefined ? undefined : faketimeClock(library)
  const start = async (): Promise<Running> => {
    const started = await launch(options, port, log, clock?.environment ?? {})
    try {
      await answering(options, port, started, log)
    } catch (error) {
      clock?.[Symbol.dispose]()
      throw error
    }
    return started
  }
  let noClock = library === undefined && options.virtualTime !== false ? NO_FAKETIME : undefined
  let running = await start().catch(async (error: unknown) => {
    if (clock === undefined) throw error
    // Some programs do not start under the preload: then their time cannot be moved, but they can be tested.
    clock = undefined
    log.length = 0
    noClock = 'The origin does not start under libfaketime, so that its time cannot be moved'
    return await start()
  })
  const noteDeath = (): void => {
    const exit = running.exit()
    if (exit !== undefined && !deaths.includes(exit)) deaths.push(exit)
  }
  return {
    kind: 'process',
    ...(options.name === undefined ? {} : { name: options.name }),
    url: `http://127.0.0.1:${port}${options.path}`,
    profile: options.profile,
    expected: options.expected ?? [],
    ...(clock ? { clock } : {}),
    ...(noClock === undefined ? {} : { noClock }),
    residentOctets: () => residentOctets(running.pid()),
    deaths() {
      noteDeath()
      return deaths
    },
    logTail: () => log,
    async restart() {
      noteDeath()
      await stop(running.guardian)
      running = await start()
    },
    async [Symbol.asyncDispose]() {
      await stop(running.guardian)
      clock?.[Symbol.dispose]()
    },
  }
}

interface Running {
  readonly guardian: ChildProcess
  /** Process id of the shell that became the command. */
  readonly pid: () => number | undefined
  readonly exit: () => string | undefined
}

async function launch(
  options: ProcessOptions,
  port: number,
  log: string[],
  preload: Readonly<Record<string, string>>,
): Promise<Running> {
  const { issuer, jwksUrl, audience } = options.settings
  const values: Readonly<Record<string, string>> = { port: String(port), issuer, jwks_url: jwksUrl, audience }
  const filled = (text: string): string =>
    text.replaceAll(/\{(port|issuer|jwks_url|audience)\}/gu, (_, name: string) => values[name] ?? '')
  const own = Object.fromEntries(Object.entries(options.env ?? {}).map(([name, value]) => [name, filled(value)]))
  const told = { PORT: String(port), ISSUER: issuer, JWKS_URL: jwksUrl, AUDIENCE: audience }
  const env = { ...process.env, ...told, ...options.settings.environment, ...own }
  // Exported by the shell of the command, so that the guardian keeps its own time.
  const exports = Object.entries(preload).map(([name, value]) => `export ${name}='${value}'; `)
  // The guardian ends the group when the pipe to it closes: also when the harness is killed outright.
  const guardian = spawn(process.execPath, [GUARDIAN, `${exports.join('')}${filled(options.command)}`], {
    cwd: options.cwd ?? process.cwd(),
    env,
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
  })
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
    if (!stream) continue
    createInterface({ input: stream }).on('line', (line) => {
      log.push(line)
      if (log.length > LOG_LINES) log.shift()
    })
  }
  await Promise.race([once(guardian, 'message'), once(guardian, 'exit')])
  return {
    guardian,
    pid: () => pid,
    exit: () => exit,
  }
}

async function answering(
  options: ProcessOptions,
  port: number,
  running: Running,
  log: readonly string[],
): Promise<void> {
  const started = Date.now()
  while (Date.now() - started < options.readyMs) {
    const exit = running.exit()
    if (exit !== undefined) throw await notStarted(options, running, exit, log)
    if (await connects(port)) return
    await wait(POLL_MS)
  }
  throw await notStarted(options, running, `nothing listened on port ${port} within ${options.readyMs / 1000} s`, log)
}

async function notStarted(
  options: ProcessOptions,
  running: Running,
  reason: string,
  log: readonly string[],
): Promise<TrustspecError> {
  await stop(running.guardian)
  return new TrustspecError('ERR_TARGET_DID_NOT_START', 'The origin did not start', {
    command: options.command,
    reason,
    ...(log.length === 0 ? {} : { log: log.slice(-5).join(' | ').slice(0, 800) }),
    instead: 'a command that listens on 127.0.0.1:{port} (or the variable PORT)',
  })
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => {
      resolve(false)
    })
  })
}

async function stop(guardian: ChildProcess): Promise<void> {
  if (guardian.exitCode !== null || guardian.signalCode !== null) return
  const ended = once(guardian, 'exit')
  guardian.stdin?.end()
  await ended
}

/** A port that no other server gets by asking for any, and no connection, also while the origin restarts. */
async function freePort(): Promise<number> {
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
