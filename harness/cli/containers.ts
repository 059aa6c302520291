import path from 'node:path'
import type { Progress } from '../report/progress.ts'
import type { Ground } from '../targets/ground.ts'
import type { Target, TargetSettings } from '../targets/target.ts'
import { numberOf, textOf, usage } from './args.ts'
import type { Given } from './args.ts'

/** Longest wait for the first answer of a container, in milliseconds. */
const READY_MS = 60_000

/** An origin in a container, as the flags name it. */
export interface ContainerSubject {
  /** What is tested, for the first line. */
  readonly says: string
  readonly kind: 'container'
  /** Connects to Docker; what it gives is disposed of after the run. */
  readonly prepare: (onProgress: (line: string) => void) => Promise<Ground>
  readonly start: (settings: TargetSettings, progress: Progress) => Promise<Target>
}

/** How the origin is started, once there is ground to start it on. */
type Start = (ground: Ground, settings: TargetSettings, progress: Progress) => Promise<Target>

/** Path and variables of an origin that the run starts. */
interface Own {
  readonly path: string
  readonly env: Readonly<Record<string, string>>
}

type How = Own & ReturnType<typeof common>

/** What --docker, --image and --compose put under test; undefined without any of them. */
export async function containerSubject(given: Given, own: Own): Promise<ContainerSubject | undefined> {
  const image = textOf(given, 'image')
  const file = textOf(given, 'compose')
  const service = textOf(given, 'service')
  if ((file === undefined) !== (service === undefined)) {
    throw usage('A compose file and a service belong together', {
      given: file === undefined ? '--service' : '--compose',
      instead: '--compose FILE --service NAME',
    })
  }
  if (given.values['container-port'] !== undefined && image === undefined && file === undefined) {
    throw usage('The flag belongs to a container', {
      flag: '--container-port',
      instead: '--image NAME or --compose FILE --service NAME beside it',
    })
  }
  const how = { ...own, ...common(given) }
  if (file !== undefined && service !== undefined) return composed(path.resolve(file), service, how)
  if (image !== undefined) {
    return subject(`the image ${image}`, async (ground, settings) => {
      const { startContainer } = await import('../targets/container.ts')
      return await startContainer(ground, { image, ...how, settings })
    })
  }
  return given.values['docker'] === true ? await sample(given) : undefined
}

function composed(file: string, service: string, how: How): ContainerSubject {
  return subject(`the service ${service} of ${path.basename(file)}`, async (ground, settings) => {
    const { startCompose } = await import('../targets/compose.ts')
    return await startCompose(ground, { file, service, ...how, settings })
  })
}

async function sample(given: Given): Promise<ContainerSubject> {
  const { bundledOrigin, bundledOrigins } = await import('../targets/bundled.ts')
  const name = textOf(given, 'origin')
  if (name === undefined) {
    const names = bundledOrigins().map((origin) => origin.name)
    throw usage('The flag belongs to a bundled origin', {
      flag: '--docker',
      instead: `--docker --origin NAME, one of ${names.join(', ')}; or --image NAME`,
    })
  }
  bundledOrigin(name)
  return subject(`the bundled origin ${name} in a container`, async (ground, settings, progress) => {
    const { startBundledContainer } = await import('../targets/docker-origin.ts')
    return await startBundledContainer(ground, name, settings, progress.note)
  })
}

function common(given: Given) {
  const port = numberOf(given, 'container-port', 1, 65_535)
  return {
    ...(port === undefined ? {} : { port }),
    profile: {},
    readyMs: READY_MS,
    virtualTime: given.values['no-virtual-time'] !== true,
  }
}

function subject(says: string, start: Start): ContainerSubject {
  const held: { ground?: Ground } = {}
  return {
    says,
    kind: 'container',
    async prepare(onProgress) {
      const { prepareGround } = await import('../targets/ground.ts')
      held.ground = await prepareGround(onProgress)
      return held.ground
    },
    async start(settings, progress) {
      if (!held.ground) throw new Error('A container is started after prepare')
      return await start(held.ground, settings, progress)
    },
  }
}
