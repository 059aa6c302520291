import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { request } from 'undici'
import { TrustspecError } from '../model/errors.ts'
import type { Container, Docker } from './docker.ts'
import { connects } from './guarded.ts'
import { residentOctets } from './resident.ts'
import type { Target } from './target.ts'

/** What is watched of a container under test, from its start on. */
export type Supervised = Required<Pick<Target, 'residentOctets' | 'deaths' | 'logTail' | 'restart'>>

const LOG_LINES = 200
const POLL_MS = 25

interface Life {
  readonly pid: number
  readonly exit: () => string | undefined
}

/** Watches a container that has just started; gives it back once it answers, ERR_TARGET_DID_NOT_START otherwise. */
export async function supervise(
  docker: Docker,
  container: Container,
  options: { readonly name: string; readonly url: string; readonly published: boolean; readonly readyMs: number },
): Promise<Supervised> {
  const log: string[] = []
  const deaths: string[] = []
  const begin = async (): Promise<Life> => {
    const life = await observe(docker, container, log)
    await answering(options, life, log)
    return life
  }
  let life = await begin()
  const noteDeath = (): void => {
    const exit = life.exit()
    if (exit !== undefined && !deaths.includes(exit)) deaths.push(exit)
  }
  return {
    // Where the port is published, the process is one of another machine.
    residentOctets: () => (options.published || life.exit() !== undefined ? undefined : residentOctets(life.pid)),
    deaths() {
      noteDeath()
      return deaths
    },
    logTail: () => log,
    async restart() {
      noteDeath()
      // By force, as a machine that fails would: whoever is to show an orderly end is asked for it elsewhere.
      await container.restart({ t: 0 })
      life = await begin()
    },
  }
}

async function observe({ client }: Docker, container: Container, log: string[]): Promise<Life> {
  const { State } = await container.inspect()
  let exit: string | undefined
  // Asked for here and not awaited: it is answered when the container ends.
  void container.wait().then(
    ({ StatusCode }: { readonly StatusCode: number }) => {
      exit = `it ended with exit code ${StatusCode}`
    },
    () => {
      exit ??= 'the container was removed'
    },
  )
  // To the millisecond, so that lines of the life before do not come again.
  const since = Date.parse(State.StartedAt) / 1000
  const stream = await client.container.logs(container, { since, follow: true })
  createInterface({ input: stream }).on('line', (line) => {
    log.push(line)
    if (log.length > LOG_LINES) log.shift()
  })
  if (State.Status === 'exited') exit = `it ended with exit code ${State.ExitCode}`
  return { pid: State.Pid, exit: () => exit }
}

async function answering(
  options: { readonly name: string; readonly url: string; readonly published: boolean; readonly readyMs: number },
  life: Life,
  log: readonly string[],
): Promise<void> {
  const { hostname, port } = new URL(options.url)
  const started = Date.now()
  while (Date.now() - started < options.readyMs) {
    const exit = life.exit()
    if (exit !== undefined) throw notStarted(options.name, exit, log)
    // The engine itself listens on a published port, whether or not the container does.
    const isThere = options.published ? await answers(options.url) : await connects(Number(port), hostname)
    if (isThere) return
    await wait(POLL_MS)
  }
  throw notStarted(options.name, `nothing listened on port ${port} within ${options.readyMs / 1000} s`, log)
}

async function answers(url: string): Promise<boolean> {
  try {
    const { body } = await request(url, { reset: true, headersTimeout: 1_000 })
    await body.dump()
    return true
  } catch {
    return false
  }
}

function notStarted(name: string, reason: string, log: readonly string[]): TrustspecError {
  return new TrustspecError('ERR_TARGET_DID_NOT_START', 'The container of the origin did not start', {
    container: name,
    reason,
    ...(log.length === 0 ? {} : { log: log.slice(-5).join(' | ').slice(0, 800) }),
    instead: 'a container whose origin listens on 0.0.0.0, on the port in PORT or the one that --container-port names',
  })
}
