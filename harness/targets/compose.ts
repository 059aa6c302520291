import { rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { TrustspecError } from '../model/errors.ts'
import type { OriginProfile } from '../model/profile.ts'
import { openFrontDoor } from './alias.ts'
import { AT_ONCE } from './at-once.ts'
import { portOf, readService } from './compose-file.ts'
import type { Service } from './compose-file.ts'
import type { Ground } from './ground.ts'
import { RUN_LABEL } from './leftovers.ts'
import { mountsFor, NO_PRELOAD, withOrWithoutClock } from './mounts.ts'
import type { Mounts } from './mounts.ts'
import { variablesOf } from './placeholders.ts'
import { freePort } from './guarded.ts'
import { supervise } from './supervised.ts'
import type { Target, TargetSettings } from './target.ts'

/** How an origin is started that is a service of a compose file. */
export interface ComposeOptions {
  readonly file: string
  readonly service: string
  /** Port that the service listens on; default: the one that the file publishes or exposes. */
  readonly port?: number
  /** Variables of the service besides PORT, ISSUER, JWKS_URL and AUDIENCE, with the placeholders of processes. */
  readonly env?: Readonly<Record<string, string>>
  readonly path: string
  readonly profile: OriginProfile
  readonly settings: TargetSettings
  /** Longest wait for the first answer, in milliseconds. */
  readonly readyMs: number
  readonly virtualTime?: boolean
}

/** Name of the network of the run inside of the project. */
const OWN_NETWORK = 'trustspec-run'

/** Starts the service and what it depends on, as the file has them; ERR_TARGET_DID_NOT_START when it does not answer. */
export async function startCompose(ground: Ground, options: ComposeOptions): Promise<Target> {
  const service = await readService(ground, options)
  const port = options.port ?? portOf(service, options.service)
  const { front } = options.settings
  if (front) await openFrontDoor(ground, front)
  const hostPort = ground.address === undefined ? await freePort() : undefined
  const at = hostPort === undefined ? `${ground.address}:${port}` : `127.0.0.1:${hostPort}`
  const url = `http://${at}${options.path}`
  const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-compose-'))
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true })
  }
  // For an end that leaves no time to dispose of anything, such as Ctrl-C.
  process.once('exit', remove)
  try {
    const { started, gaveUp } = await withOrWithoutClock(options.virtualTime !== false, async (virtualTime) => {
      const mounts = mountsFor(virtualTime, ground.address !== undefined, front)
      try {
        const override = path.join(folder, 'override.yaml')
        // JSON is YAML.
        await writeFile(override, JSON.stringify(overrideOf(ground, options, service, { port, hostPort, mounts })))
        const environment = await up(ground, options, override)
        const container = await containerOf(ground, options.service)
        const watch = { name: options.service, url, published: hostPort !== undefined, readyMs: options.readyMs }
        return { mounts, environment, supervised: await supervise(ground.docker, container, watch) }
      } catch (error) {
        mounts[Symbol.dispose]()
        throw error
      }
    })
    const { mounts, environment, supervised } = started
    const noClock = gaveUp ? NO_PRELOAD : mounts.noClock
    return {
      kind: 'compose',
      name: options.service,
      url,
      profile: options.profile,
      expected: [],
      ...(mounts.clock ? { clock: mounts.clock } : {}),
      ...(noClock === undefined ? {} : { noClock }),
      ...supervised,
      async [Symbol.asyncDispose]() {
        await environment.down({ removeVolumes: true, timeout: 1_000 })
        mounts[Symbol.dispose]()
        process.off('exit', remove)
        remove()
      },
    }
  } catch (error) {
    process.off('exit', remove)
    remove()
    throw error
  }
}

/** What the run adds to the file: it is told of the issuer, and put into the network of the run. */
function overrideOf(
  { id, address }: Ground,
  options: ComposeOptions,
  service: Service,
  { port, hostPort, mounts }: { readonly port: number; readonly hostPort: number | undefined; readonly mounts: Mounts },
): object {
  const kept = Object.fromEntries(Object.keys(service.networks ?? { default: null }).map((name) => [name, {}]))
  return {
    services: {
      [options.service]: {
        environment: { ...variablesOf(options.settings, port, options.env), ...mounts.variables },
        healthcheck: { disable: true },
        labels: { [RUN_LABEL]: id },
        extra_hosts: { 'host.docker.internal': 'host-gateway' },
        volumes: mounts.paths.map((shared) => `${shared}:${shared}:ro`),
        networks: { ...kept, [OWN_NETWORK]: address === undefined ? {} : { ipv4_address: address } },
        ...(hostPort === undefined ? {} : { ports: [`127.0.0.1:${hostPort}:${port}`] }),
      },
    },
    networks: { [OWN_NETWORK]: { name: id, external: true } },
  }
}

async function up({ docker: { library }, id }: Ground, { file, service }: ComposeOptions, override: string) {
  try {
    return await new library.DockerComposeEnvironment(path.dirname(file), [path.basename(file), override])
      .withProjectName(id)
      .withAutoCleanup(false)
      .withBuild()
      .withDefaultWaitStrategy(AT_ONCE)
      .up([service])
  } catch (error) {
    const said = error instanceof Error ? error.message : ''
    throw new TrustspecError(
      'ERR_INSTALL_FAILED',
      'Docker Compose cannot start the service',
      {
        service,
        said: said.trim().split('\n').at(-1)?.slice(0, 400) ?? '',
        instead: `see: docker compose up ${service}`,
      },
      { cause: error },
    )
  }
}

async function containerOf({ docker: { client }, id }: Ground, service: string) {
  const labels = [`com.docker.compose.project=${id}`, `com.docker.compose.service=${service}`]
  const [found] = await client.container.dockerode.listContainers({ all: true, filters: { label: labels } })
  if (found) return client.container.getById(found.Id)
  throw new TrustspecError('ERR_TARGET_DID_NOT_START', 'The service has no container', { service })
}
