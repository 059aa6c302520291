import { once } from 'node:events'
import net from 'node:net'
import type * as Testcontainers from 'testcontainers'
import { TrustspecError } from '../model/errors.ts'

type Library = typeof Testcontainers

/** The library, and its client of the engine. */
export interface Docker {
  readonly library: Library
  readonly client: Awaited<ReturnType<Library['getContainerRuntimeClient']>>
}

/** A container of the engine. */
export type Container = ReturnType<Docker['client']['container']['getById']>

/** Connects to the Docker engine; ERR_DOCKER_MISSING says what to do where there is none. */
export async function connectDocker(): Promise<Docker> {
  // Its reaper is an image that would have to be pulled: what a run leaves behind is removed by the janitor.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true'
  const library = await import('testcontainers').catch((error: unknown) => {
    throw missing('The package testcontainers is missing', 'install it with: npm install testcontainers', error)
  })
  try {
    await assertAnswers(process.env['DOCKER_HOST'])
    return { library, client: await library.getContainerRuntimeClient() }
  } catch (error) {
    const instead = 'start Docker (on Debian: apt-get install docker.io), or set DOCKER_HOST, or leave out --docker'
    throw missing('No Docker engine answers', instead, error)
  }
}

/** Without this, the library would turn to another engine than the one that was named. */
async function assertAnswers(host: string | undefined): Promise<void> {
  const url = host !== undefined && URL.canParse(host) ? new URL(host) : undefined
  if (url?.protocol !== 'unix:' && url?.protocol !== 'tcp:') return
  const port = Number(url.port === '' ? 2375 : url.port)
  const socket = net.connect(url.protocol === 'unix:' ? { path: url.pathname } : { host: url.hostname, port })
  try {
    await once(socket, 'connect')
  } finally {
    socket.destroy()
  }
}

function missing(message: string, instead: string, cause: unknown): TrustspecError {
  return new TrustspecError('ERR_DOCKER_MISSING', message, { instead }, { cause })
}
