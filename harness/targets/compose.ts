import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { TrustspecError } from '../model/errors.ts'
import type { OriginProfile } from '../model/profile.ts'
import { openFrontDoor } from './alias.ts'
import { AT_ONCE } from './at-once.ts'
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

/** What is read of a service as "docker compose config" prints it. */
interface Service {
  readonly networks?: Readonly<Record<string, object | null>>
  readonly network_mode?: string
  readonly ports?: readonly { readonly target: number }[]
  readonly expose?: readonly string[]
}

/** Name of the network of the run inside of the project. */
const OWN_NETWORK = 'trustspec-run'

/** Starts the service and what it depends on, as the file has them; ERR_TARGET_DID_NOT_START when it does not answer. */
export async function startCompose(ground: Ground, options: ComposeOptions): Promise<Target> {
  const service = await readService(ground, options)
  const port = options.port ?? portOf(service, options)
  const { front } = options.settings
  if (front) await openFrontDoor(ground, front)
  const hostPort = ground.address === undefined ? await freePort() : undefined
  const at = hostPort === undefined ? `${ground.address}:${port}` : `127.0.0.1:${hostPort}`
  const url = `http://${at}${options.path}`
  const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-compose-'))
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
        await rm(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

async function readService(ground: Ground, { file, service }: ComposeOptions): Promise<Service> {
  const args = ['compose', '--file', file, '--project-name', ground.id, 'config', '--format', 'json']
  const found = await promisify(execFile)('docker', args, { maxBuffer: 2 ** 24 }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new TrustspecError('ERR_DOCKER_MISSING', 'The docker command is missing', {
        instead: 'install the command line of Docker with its plugin "compose"',
      })
    }
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
    throw new TrustspecError(
      'ERR_USAGE',
      'Docker Compose cannot read the file',
      {
        flag: '--compose',
        given: file,
        said: said.split('\n').at(-1)?.slice(0, 300) ?? '',
        instead: 'a file with which "docker compose config" works, version 2',
      },
      { cause: error },
    )
  })
  const { services = {} } = JSON.parse(found.stdout) as { readonly services?: Readonly<Record<string, Service>> }
  const one = services[service]
  if (one && one.network_mode === undefined) return one
  if (one) {
    throw new TrustspecError('ERR_USAGE', 'The service has no network of its own', {
      service,
      network_mode: one.network_mode ?? '',
      instead: 'a service without network_mode',
    })
  }
  throw new TrustspecError('ERR_USAGE', 'There is no such service', {
    flag: '--service',
    given: service,
    instead: Object.keys(services).join(', '),
  })
}

function portOf({ ports = [], expose = [] }: Service, { service }: ComposeOptions): number {
  const all = new Set([...ports.map(({ target }) => target), ...expose.map((text) => Number(text.split('/')[0]))])
  const [port] = all
  if (port !== undefined && all.size === 1) return port
  throw new TrustspecError('ERR_USAGE', 'The port of the origin is not known', {
    service,
    exposes: [...all].join(', ') || 'none',
    instead: '--container-port N',
  })
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
