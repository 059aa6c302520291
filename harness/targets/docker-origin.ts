import { TrustspecError } from '../model/errors.ts'
import { bundledOrigin } from './bundled.ts'
import { startContainer } from './container.ts'
import type { Docker } from './docker.ts'
import type { Ground } from './ground.ts'
import type { Target, TargetSettings } from './target.ts'

/** Longest wait for the first answer of a sample, in milliseconds. */
const READY_MS = 30_000

/** Builds the image of a sample, where it is not as it was, and starts it; `onBuilt` is told between the two. */
export async function startBundledContainer(
  ground: Ground,
  name: string,
  settings: TargetSettings,
  onProgress: (line: string) => void,
  onBuilt: () => void = () => undefined,
): Promise<Target> {
  const { folder, start, profile, expected } = bundledOrigin(name)
  onProgress(`Building the image of ${name} (takes a minute the first time)`)
  const image = await buildImage(ground.docker, folder, `trustspec/${name}:local`)
  onBuilt()
  const audience = profile.audience ?? settings.audience
  return await startContainer(ground, {
    image,
    path: start.path,
    env: start.env ?? {},
    profile,
    settings: { ...settings, audience },
    name,
    expected,
    readyMs: READY_MS,
  })
}

/** Builds the Dockerfile of a folder; the engine knows which layers are as they were. ERR_INSTALL_FAILED otherwise. */
export async function buildImage({ library }: Docker, folder: string, image: string): Promise<string> {
  try {
    await library.GenericContainer.fromDockerfile(folder).build(image, { deleteOnExit: false })
    return image
  } catch (error) {
    throw new TrustspecError(
      'ERR_INSTALL_FAILED',
      'The image of the origin cannot be built',
      { image, instead: `see what fails with: docker build ${folder}` },
      { cause: error },
    )
  }
}
