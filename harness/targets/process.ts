import { faketimeClock, findFaketime, NO_FAKETIME } from '../clock/faketime.ts'
import { TrustspecError } from '../model/errors.ts'
import type { OriginProfile } from '../model/profile.ts'
import type { ExpectedFinding } from '../model/result.ts'
import { connects, freePort, listening, startGuarded } from './guarded.ts'
import type { Guarded } from './guarded.ts'
import { fillerOf, variablesOf } from './placeholders.ts'
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
  /** Port that it listens on whatever it is told; default: a free one, which it is told. */
  readonly port?: number
  /** Preloads libfaketime, where it is installed, so that the clock of the process can be moved. */
  readonly virtualTime?: boolean
}

const LOG_LINES = 200

/**
 * Starts the command on a free port, or on its own, and waits until it answers; ERR_TARGET_DID_NOT_START when it does
 * not, ERR_PORT_IN_USE when its own port is taken.
 */
export async function startProcess(options: ProcessOptions): Promise<Target> {
  if (options.port !== undefined) await assertFree(options.port)
  const port = options.port ?? (await freePort())
  const log: string[] = []
  const deaths: string[] = []
  const library = options.virtualTime === false ? undefined : findFaketime()
  let clock = library === undefined ? undefined : faketimeClock(library)
  const start = async (): Promise<Guarded> => {
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
      await running.stop()
      running = await start()
    },
    async [Symbol.asyncDispose]() {
      await running.stop()
      clock?.[Symbol.dispose]()
    },
  }
}

/** ERR_PORT_IN_USE where something listens on the port already: it would be tested in place of the origin. */
export async function assertFree(port: number): Promise<void> {
  if (!(await connects(port))) return
  throw new TrustspecError('ERR_PORT_IN_USE', 'The port that the origin has in its code is taken', {
    port,
    instead: 'end what listens there, or change the port in the code',
  })
}

async function launch(
  options: ProcessOptions,
  port: number,
  log: string[],
  preload: Readonly<Record<string, string>>,
): Promise<Guarded> {
  const filled = fillerOf(options.settings, port)
  const env = { ...process.env, ...variablesOf(options.settings, port, options.env) }
  // Exported by the shell of the command, so that the guardian keeps its own time.
  const exports = Object.entries(preload).map(([name, value]) => `export ${name}='${value}'; `)
  return await startGuarded({
    command: `${exports.join('')}${filled(options.command)}`,
    cwd: options.cwd ?? process.cwd(),
    env,
    onLine(line) {
      log.push(line)
      if (log.length > LOG_LINES) log.shift()
    },
  })
}

async function answering(
  options: ProcessOptions,
  port: number,
  running: Guarded,
  log: readonly string[],
): Promise<void> {
  const reason = await listening(port, running, options.readyMs)
  if (reason === undefined) return
  await running.stop()
  throw new TrustspecError('ERR_TARGET_DID_NOT_START', 'The origin did not start', {
    command: options.command,
    reason,
    ...(log.length === 0 ? {} : { log: log.slice(-5).join(' | ').slice(0, 800) }),
    instead: 'a command that listens on 127.0.0.1:{port} (or the variable PORT)',
  })
}
