import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { request } from 'undici'
import { faketimeClock, findFaketime, NO_FAKETIME } from '../clock/faketime.ts'
import type { FaketimeClock } from '../clock/faketime.ts'
import { TrustspecError } from '../model/errors.ts'
import type { GatewayHooks } from '../model/gateway-bench.ts'
import { AsyncDisposableStack } from '../model/stack.ts'
import { GatewayFolder } from './gateway-folder.ts'
import { gatewayFixture } from './gateway-fixtures.ts'
import type { GatewayFixture, GatewayProcess } from './gateway-fixtures.ts'
import type { GatewayTarget, GatewayTargetSettings } from './gateway-target.ts'
import { freePort, listening, startGuarded } from './guarded.ts'
import type { Guarded } from './guarded.ts'
import { workingCopy } from './cache.ts'
import { installNode, installPython } from './install.ts'
import { revoking } from './revocation.ts'

/** Longest wait for a process to listen, and for the JWKS through the gateway, in milliseconds. */
const READY_MS = 30_000

const POLL_MS = 25
const LOG_LINES = 200

/** Installs what the gateway needs, the first time, and starts it; `onProgress` is told what takes long. */
export async function startThirdParty(
  name: string,
  settings: GatewayTargetSettings,
  onProgress: (line: string) => void,
): Promise<GatewayTarget> {
  const fixture = await gatewayFixture(name)
  const installed = await install(fixture, onProgress)
  await using stack = new AsyncDisposableStack()
  const place = stack.adopt(await mkdtemp(path.join(os.tmpdir(), `trustspec-${name}-`)), (made) =>
    rm(made, { recursive: true, force: true }),
  )
  const ports = [await freePort(), await freePort(), await freePort()] as const
  const capture = new URL(settings.capture)
  const second = new URL(settings.secondCapture)
  const words: Readonly<Record<string, string>> = {
    node: process.execPath,
    ...installed,
    folder: place,
    user: os.userInfo().username,
    port: String(ports[0]),
    signer_port: String(ports[1]),
    admin_port: String(ports[2]),
    capture: capture.host,
    capture_port: capture.port,
    second_capture: second.host,
    second_capture_port: second.port,
  }
  const library = fixture.start.virtualTime === true ? findFaketime() : undefined
  const clock = library === undefined ? undefined : stack.use(faketimeClock(library))
  const folder = new GatewayFolder(fixture, place, words)
  const running = new Running(fixture, folder, { place, words, ...(clock ? { clock } : {}) })
  stack.defer(() => running.stop())
  folder.write()
  for (const command of fixture.start.prepare ?? []) await folder.shell(command)
  await running.start()
  const kept = stack.move()
  return {
    kind: 'process',
    name,
    url: `http://127.0.0.1:${ports[0]}${fixture.path}`,
    profile: folder.profile(),
    expected: fixture.expected,
    ...(clock ? { clock } : {}),
    ...(fixture.start.virtualTime === true && !clock ? { noClock: NO_FAKETIME } : {}),
    hooks: hooksOf(fixture, folder, running, `http://127.0.0.1:${ports[0]}${fixture.path}`),
    captured: true,
    logTail: () => running.log.slice(-LOG_LINES),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** The words for what was installed, and where. */
async function install(
  { folder, start }: GatewayFixture,
  onProgress: (line: string) => void,
): Promise<Readonly<Record<string, string>>> {
  const here = path.join(await workingCopy(path.dirname(folder)), path.basename(folder))
  switch (start.runtime) {
    case 'node':
      await installNode(here, onProgress)
      return { here }
    case 'python':
      return { here, python_bin: path.dirname(await installPython(folder, onProgress)) }
    default:
      return { here }
  }
}

function hooksOf(
  { hooks = {}, profile }: GatewayFixture,
  folder: GatewayFolder,
  running: Running,
  url: string,
): Partial<GatewayHooks> {
  const [location = { in: 'header', name: 'Authorization' } as const] = profile.keyLocations ?? []
  const propagationMs = (profile.keyPropagationSec ?? 0) * 1000
  const { applyKeys, rotateSigningKey, revokeSigningKey, signer } = hooks
  return {
    ...(applyKeys === undefined
      ? {}
      : {
          revokeKey: (key) =>
            revoking(
              url,
              key,
              location,
              () => {
                folder.revoke(key.key)
                return folder.shell(applyKeys)
              },
              propagationMs,
            ),
        }),
    ...(rotateSigningKey === undefined ? {} : { rotateSigningKey: () => folder.shell(rotateSigningKey) }),
    ...(revokeSigningKey === undefined ? {} : { revokeSigningKey: () => folder.shell(revokeSigningKey) }),
    ...(signer === undefined ? {} : { signerDown: () => running.down(signer) }),
    restart: async () => {
      await running.stop()
      await running.start()
    },
    logs: () => Promise.resolve(running.logs()),
  }
}

interface Surroundings {
  /** Folder in which everything runs. */
  readonly place: string
  readonly words: Readonly<Record<string, string>>
  readonly clock?: FaketimeClock
}

/** The processes of a gateway. */
class Running {
  /** Lines of their output. */
  readonly log: string[] = []
  readonly #fixture: GatewayFixture
  readonly #folder: GatewayFolder
  readonly #around: Surroundings
  readonly #processes = new Map<string, Guarded>()

  constructor(fixture: GatewayFixture, folder: GatewayFolder, around: Surroundings) {
    this.#fixture = fixture
    this.#folder = folder
    this.#around = around
  }

  /** Starts what does not run, and waits until the gateway serves its JWKS. */
  async start(): Promise<void> {
    const { processes, provision } = this.#fixture.start
    for (const one of processes) {
      if (!this.#processes.has(one.name)) await this.#startOne(one)
    }
    if (provision !== undefined) await this.#folder.shell(provision)
    await this.#publishes()
  }

  async stop(): Promise<void> {
    for (const [name, guarded] of [...this.#processes].toReversed()) {
      await guarded.stop()
      this.#processes.delete(name)
    }
  }

  /** Ends one process until the outage is disposed of. */
  async down(name: string): Promise<AsyncDisposable> {
    await this.#processes.get(name)?.stop()
    this.#processes.delete(name)
    return { [Symbol.asyncDispose]: () => this.start() }
  }

  logs(): string {
    const files = (this.#fixture.hooks?.logFiles ?? []).map((name) => path.join(this.#around.place, name))
    const written = files.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8'))
    return [...this.log, ...written].join('\n')
  }

  async #startOne({ name, command, port }: GatewayProcess): Promise<void> {
    const { place, words, clock } = this.#around
    // Exported by the shell of the command, so that the guardian keeps its own time.
    const exports = Object.entries(clock?.environment ?? {}).map(([word, value]) => `export ${word}='${value}'; `)
    const guarded = await startGuarded({
      command: `${exports.join('')}exec ${this.#folder.filled(command)}`,
      cwd: place,
      env: process.env,
      onLine: (line) => void this.log.push(line),
    })
    this.#processes.set(name, guarded)
    const reason = await listening(Number(words[port]), guarded, READY_MS)
    if (reason !== undefined) throw this.#notStarted(reason, command)
  }

  async #publishes(): Promise<void> {
    const url = this.#folder.filled(this.#fixture.profile.jwksUrl ?? '')
    if (url === '') return
    const began = Date.now()
    let last: number | undefined
    while (Date.now() - began < READY_MS) {
      last = await statusOf(url)
      if (last === 200) return
      await wait(POLL_MS)
    }
    throw this.#notStarted(`the JWKS was answered with ${last ?? 'nothing'} for ${READY_MS / 1000} s`)
  }

  #notStarted(reason: string, command?: string): TrustspecError {
    return new TrustspecError('ERR_TARGET_DID_NOT_START', 'The gateway did not start', {
      gateway: this.#fixture.name,
      ...(command === undefined ? {} : { command }),
      reason,
      ...(this.log.length === 0 ? {} : { log: this.log.slice(-5).join(' | ').slice(0, 800) }),
    })
  }
}

/** Undefined where nothing answers. */
async function statusOf(url: string): Promise<number | undefined> {
  try {
    const { statusCode, body } = await request(url)
    await body.dump()
    return statusCode
  } catch {
    return undefined
  }
}
