import { randomBytes } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { ADDRESS_FILE, CREDENTIAL_FILE } from '../cli/gateway.ts'
import { loadProject } from '../gateway/config/project.ts'
import { startGateway } from '../gateway/gateway.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { DEFAULT_BUCKET } from '../gateway/keys/store.ts'
import { SIGNING_KEYS_FILE } from '../gateway/state.ts'

/** How API keys of the tutorial begin. */
export const CREDENTIAL_PREFIX = 'tsk'

/** What a restart changes besides the files of the project. */
export interface GatewayChange {
  /** How callers reach the gateway, where the issuer has to begin otherwise than its address; null: by its address. */
  readonly publicUrl?: string | null
  /** Signing keys are made anew: another algorithm signs at once, and not when every origin can know the new key. */
  readonly newKeys?: boolean
}

/** The reference gateway over the project of the reader, in this process. */
export interface TutorialGateway extends AsyncDisposable {
  readonly url: string
  readonly issuer: () => string | undefined
  readonly makeKey: (consumer: string) => Promise<string>
  /** Reads the project again; a public URL stays until another one, or null, takes its place. */
  readonly restart: (change: GatewayChange) => Promise<void>
  readonly events: () => readonly string[]
}

/** What it is started with. */
export interface TutorialGatewayOptions {
  readonly project: string
  readonly port: number
  readonly state: string
  /** Takes the place of ORIGIN_URL in the `.env` of the project. */
  readonly originUrl: string
  /** Where the scanner lists its public keys. */
  readonly keyListUrl: string
}

/** Starts it: `trustspec keys --state` finds it as it finds one that `trustspec gateway` started. */
export async function startTutorialGateway(options: TutorialGatewayOptions): Promise<TutorialGateway> {
  const { project: folder, port, state, originUrl, keyListUrl } = options
  const events: string[] = []
  const credential = randomBytes(32).toString('base64url')
  await mkdir(state, { recursive: true, mode: 0o700 })
  await writeFile(path.join(state, CREDENTIAL_FILE), `${credential}\n`, { mode: 0o600 })
  const load = () => loadProject(folder, { ...process.env, ORIGIN_URL: originUrl })
  const start = async (project: Awaited<ReturnType<typeof load>>, publicUrl?: string): Promise<Gateway> => {
    const started = await startGateway({
      project,
      state: { folder: state },
      clock: { nowMs: Date.now },
      host: '127.0.0.1',
      port,
      ...(publicUrl === undefined ? {} : { publicUrl }),
      keyPrefix: CREDENTIAL_PREFIX,
      trustedProxies: [],
      events: {
        write(text) {
          events.push(...text.split('\n').filter((line) => line !== ''))
        },
      },
      management: { port: 0, host: '127.0.0.1', credential },
      alerts: { path: '/__zuplo/secret-scanning', keyListUrl, type: `${CREDENTIAL_PREFIX}_api_key` },
    })
    await writeFile(path.join(state, ADDRESS_FILE), `${started.management?.url}\n`)
    return started
  }
  let reachedAt: string | undefined
  let running = await start(await load())
  return {
    url: running.url,
    issuer: () => running.tokens?.issuer,
    async makeKey(consumer) {
      const { keys } = running
      const isThere = keys.consumers(DEFAULT_BUCKET).some(({ name }) => name === consumer)
      if (!isThere) await keys.createConsumer(DEFAULT_BUCKET, consumer, {})
      return (await keys.createKey(DEFAULT_BUCKET, consumer)).key
    },
    async restart({ publicUrl, newKeys }) {
      const project = await load()
      if (publicUrl !== undefined) reachedAt = publicUrl ?? undefined
      await running[Symbol.asyncDispose]()
      if (newKeys === true) await rm(path.join(state, SIGNING_KEYS_FILE), { force: true })
      running = await start(project, reachedAt)
    },
    events: () => events,
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  }
}
