import { TrustspecError } from '../model/errors.ts'
import type { OriginProfile } from '../model/profile.ts'
import type { ExpectedFinding } from '../model/result.ts'
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

/** How an origin is started as a container. */
export interface ContainerOptions {
  /** Pulled where it is not there. */
  readonly image: string
  /** Port that it listens on; default: the one that the image exposes. */
  readonly port?: number
  /** Variables besides PORT, ISSUER, JWKS_URL and AUDIENCE, with the placeholders of processes. */
  readonly env?: Readonly<Record<string, string>>
  readonly path: string
  readonly profile: OriginProfile
  readonly settings: TargetSettings
  readonly name?: string
  readonly expected?: readonly ExpectedFinding[]
  /** Longest wait for the first answer, in milliseconds. */
  readonly readyMs: number
  /** Mounts and preloads libfaketime, where this machine has it. */
  readonly virtualTime?: boolean
}

/** Starts the image in the network of the run and waits until it answers; ERR_TARGET_DID_NOT_START when it does not. */
export async function startContainer(ground: Ground, options: ContainerOptions): Promise<Target> {
  await pull(ground, options.image)
  const port = options.port ?? (await exposedPort(ground, options.image))
  const { front } = options.settings
  if (front) await openFrontDoor(ground, front)
  const hostPort = ground.address === undefined ? await freePort() : undefined
  const at = hostPort === undefined ? `${ground.address}:${port}` : `127.0.0.1:${hostPort}`
  const url = `http://${at}${options.path}`

  const { started, gaveUp } = await withOrWithoutClock(options.virtualTime !== false, async (virtualTime) => {
    const mounts = mountsFor(virtualTime, ground.address !== undefined, front)
    try {
      const container = await create(ground, options, { port, hostPort, mounts })
      const watch = { name: options.image, url, published: hostPort !== undefined, readyMs: options.readyMs }
      try {
        return { mounts, container, supervised: await supervise(ground.docker, container, watch) }
      } catch (error) {
        await container.remove({ force: true, v: true })
        throw error
      }
    } catch (error) {
      mounts[Symbol.dispose]()
      throw error
    }
  })
  const { mounts, container, supervised } = started
  const noClock = gaveUp ? NO_PRELOAD : mounts.noClock
  return {
    kind: 'container',
    ...(options.name === undefined ? {} : { name: options.name }),
    url,
    profile: options.profile,
    expected: options.expected ?? [],
    ...(mounts.clock ? { clock: mounts.clock } : {}),
    ...(noClock === undefined ? {} : { noClock }),
    ...supervised,
    async [Symbol.asyncDispose]() {
      await container.remove({ force: true, v: true })
      mounts[Symbol.dispose]()
    },
  }
}

async function create(
  ground: Ground,
  options: ContainerOptions,
  { port, hostPort, mounts }: { readonly port: number; readonly hostPort: number | undefined; readonly mounts: Mounts },
) {
  const { id, address, docker } = ground
  const { GenericContainer } = docker.library
  class Origin extends GenericContainer {
    protected override beforeContainerCreated(): Promise<void> {
      // Its own check would be a request that nobody counts on, under a clock that is moved.
      this.createOpts.Healthcheck = { Test: ['NONE'] }
      this.hostConfig.NetworkMode = id
      if (address !== undefined) {
        this.createOpts.NetworkingConfig = { EndpointsConfig: { [id]: { IPAMConfig: { IPv4Address: address } } } }
      } else if (hostPort !== undefined) {
        this.hostConfig.PortBindings = { [`${port}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: String(hostPort) }] }
      }
      return Promise.resolve()
    }
  }
  const started = await new Origin(options.image)
    .withAutoCleanup(false)
    .withLabels({ [RUN_LABEL]: id })
    .withNetworkMode(id)
    .withExtraHosts([{ host: 'host.docker.internal', ipAddress: 'host-gateway' }])
    .withEnvironment({ ...variablesOf(options.settings, port, options.env), ...mounts.variables })
    .withBindMounts(mounts.paths.map((path) => ({ source: path, target: path, mode: 'ro' as const })))
    .withWaitStrategy(AT_ONCE)
    .start()
  return docker.client.container.getById(started.getId())
}

async function pull({ docker: { client, library } }: Ground, image: string): Promise<void> {
  try {
    await client.image.pull(library.ImageName.fromString(image), { force: false, platform: undefined })
  } catch (error) {
    throw new TrustspecError(
      'ERR_TARGET_DID_NOT_START',
      'The image is not there and cannot be pulled',
      { image, instead: 'the name of an image as "docker images" lists it' },
      { cause: error },
    )
  }
}

async function exposedPort({ docker }: Ground, image: string): Promise<number> {
  const { Config } = await docker.client.container.dockerode.getImage(image).inspect()
  const ports = Object.keys(Config.ExposedPorts ?? {})
  const [port = ''] = ports
  if (ports.length === 1) return Number(port.split('/')[0])
  throw new TrustspecError('ERR_USAGE', 'The port of the origin is not known', {
    image,
    exposes: ports.join(', ') || 'none',
    instead: '--container-port N',
  })
}
