import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startContainer } from '../../targets/container.ts'
import { buildImage } from '../../targets/docker-origin.ts'
import { prepareGround } from '../../targets/ground.ts'
import type { Ground } from '../../targets/ground.ts'
import { ROUTE } from '../world.ts'
import { audienceFor, READY_MS, SAMPLE } from './launch.ts'
import type { Launcher, Program } from './launch.ts'

/** Images of the tutorial; each build has a tag of its own, since several may be under way. */
const IMAGES = 'trustspec/tutorial'

/** Starts origins as containers, each place in a network of its own; ERR_DOCKER_MISSING where there is no engine. */
export function containerLauncher(busy: (line: string) => void): Launcher {
  return async () => {
    const ground = await prepareGround(busy)
    const built: string[] = []
    const build = async (program: Program): Promise<string> => {
      const tag = `${IMAGES}:${randomUUID()}`
      built.push(tag)
      return await imageOf(ground, program, tag)
    }
    return {
      reach: ground.reach,
      async prepare(program) {
        busy('Building the image (takes a minute the first time)')
        await build(program)
      },
      async start(program, profile, settings) {
        return await startContainer(ground, {
          image: await build(program),
          ...(program.port === undefined ? {} : { port: program.port }),
          path: ROUTE,
          profile,
          settings: audienceFor(profile, settings),
          readyMs: READY_MS,
        })
      },
      async [Symbol.asyncDispose]() {
        await ground[Symbol.asyncDispose]()
        for (const tag of built) await ground.docker.client.container.dockerode.getImage(tag).remove({ force: true })
      },
    }
  }
}

/** Builds what is in the folder of the program, or puts a file that has no Dockerfile into the image of the page. */
async function imageOf({ docker }: Ground, { folder, file, requirements }: Program, tag: string): Promise<string> {
  if (existsSync(path.join(folder, 'Dockerfile'))) return await buildImage(docker, folder, tag)
  const context = await mkdtemp(path.join(tmpdir(), 'trustspec-image-'))
  try {
    await cp(path.join(SAMPLE, 'Dockerfile'), path.join(context, 'Dockerfile'))
    await cp(path.join(requirements, 'requirements.txt'), path.join(context, 'requirements.txt'))
    await cp(path.join(folder, file), path.join(context, 'app.py'))
    return await buildImage(docker, context, tag)
  } finally {
    await rm(context, { recursive: true, force: true })
  }
}
